from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import TableError
from protocols.tables.ids import _normal_ids
from protocols.tables.table import TableColumns, read_table, read_values
from protocols.wire.limits import MAX_SOURCE_ID_LENGTH
from protocols.wire.messages import ID_PATTERN

COLUMNS = TableColumns(
    id="id", family="system", property="energy", unit="eV/atom", features=("f",), on_no_entropy="warn"
)


def table_of(folder: Path, *ids: str) -> Path:
    """A table of these ids, none with a quotation mark."""
    path = folder / "table.csv"
    rows = (f'"{each}",x,{place},{place}\n' for place, each in enumerate(ids))
    path.write_text("id,system,energy,f\n" + "".join(rows), encoding="utf-8")
    return path


def ids_of(folder: Path, *ids: str) -> tuple[str, ...]:
    path = table_of(folder, *ids)
    table = read_table(path, COLUMNS)
    assert table.source_ids == ids, "the ids as the table writes them stand beside ours"
    assert read_values(path, COLUMNS).candidate_ids == table.candidate_ids, "the oracle reads the same"
    return table.candidate_ids


def refused(folder: Path, *ids: str) -> str:
    with pytest.raises(TableError) as caught:
        read_table(table_of(folder, *ids), COLUMNS)
    return str(caught.value)


def test_an_id_that_is_lawful_stays_as_it_is(tmp_path: Path) -> None:
    lawful = ("mp-149", "194", "a_b-c", "z" * 64)
    assert ids_of(tmp_path, *lawful) == lawful


def test_an_id_that_is_lawful_but_for_its_capitals_is_written_in_lower_case(tmp_path: Path) -> None:
    assert ids_of(tmp_path, "JVASP-1002", "Si_Ge") == ("jvasp-1002", "si_ge")


def test_any_other_id_keeps_what_is_lawful_of_it_and_gains_a_hash_of_the_whole(tmp_path: Path) -> None:
    ids = ids_of(tmp_path, "MP 10/α", "_x", "???", "材料", "Z" * 65)
    assert all(re.fullmatch(ID_PATTERN, each) for each in ids)
    assert [re.sub("[0-9a-f]{12}$", "#", each) for each in ids] == ["mp-10-#", "x-#", "#", "#", "z" * 51 + "-#"]


@pytest.mark.parametrize(
    "ids",
    [
        ("MP 10/α", "MP-10-β", "mp-10"),  # signs
        ("mp-10", "MP-10"),  # capitals, one lawful
        ("Mp-10", "MP-10"),  # capitals, none lawful
        ("\u00e9", "e\u0301"),  # composed or not
        ("a\u200bb", "a b", "a\u00a0b"),  # a sign that nobody sees, and two that look alike
        ("材料１", "材料２"),
        ("x" * 80 + "1", "x" * 80 + "2"),
    ],
)
def test_two_ids_that_differ_in_anything_are_two_candidates(tmp_path: Path, ids: tuple[str, ...]) -> None:
    assert len(set(ids_of(tmp_path, *ids))) == len(ids)


def test_of_ids_that_differ_by_capitals_alone_the_lawful_one_keeps_its_own(tmp_path: Path) -> None:
    lawful, other = ids_of(tmp_path, "mp-10", "MP-10")
    assert lawful == "mp-10"
    assert re.fullmatch("mp-10-[0-9a-f]{12}", other)


def test_the_same_id_twice_is_an_error_that_names_both_lines(tmp_path: Path) -> None:
    message = refused(tmp_path, "MP 10/α", "b", "MP 10/α")
    assert all(part in message for part in ("'MP 10/α'", "line 2", "line 4", "drop the repeated rows"))


def test_an_id_that_is_written_as_ours_of_another_is_an_error_that_names_both(tmp_path: Path) -> None:
    ours = ids_of(tmp_path, "MP 10/α")[0]
    message = refused(tmp_path, "MP 10/α", ours)
    assert all(part in message for part in ("'MP 10/α'", f"{ours!r}", "line 2", "line 3", "are both written"))


def test_an_id_that_no_message_can_carry_is_refused_with_its_line(tmp_path: Path) -> None:
    long = "α" * (MAX_SOURCE_ID_LENGTH + 1)
    assert "501 characters" in refused(tmp_path, "a" + long[1:], long)
    assert all(part in refused(tmp_path, "a", "b\x07c") for part in ("'id'", "line 3", "U+0007", "another id column"))
    assert "U+2028" in refused(tmp_path, "a", "b\u2028c")


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=90), unique=True, max_size=30))
def test_distinct_ids_stay_distinct_and_lawful(raws: list[str]) -> None:
    ids = _normal_ids(raws)
    assert len(set(ids)) == len(raws)
    assert all(re.fullmatch(ID_PATTERN, each) for each in ids)
    backwards = dict(zip(reversed(raws), _normal_ids(raws[::-1]), strict=True))
    assert ids == [backwards[each] for each in raws], "whatever the order of the rows"
