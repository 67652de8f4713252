"""Rows of structures become crystals, or faults with their place, whoever reads the texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from protocols.errors import TableError
from protocols.structures.reading import ReadStructure, StructureSettings, UnreadStructure
from protocols.tables.table import CandidateTable, TableColumns, read_family_values, read_table, read_values
from protocols.wire.structure import CrystalStructure

CRYSTAL = CrystalStructure(cell=((4, 0, 0), (0, 4, 0), (0, 0, 4)), symbols=("Cu",), scaled_positions=((0, 0, 0),))


class Reader:
    """Reads words in place of crystals: a word is its content, and its first letter says what becomes of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], StructureSettings]] = []

    def __call__(self, texts: Sequence[str], settings: StructureSettings) -> list[ReadStructure | UnreadStructure]:
        self.asked.append((list(texts), settings))
        return [self._read(text, settings) for text in texts]

    def _read(self, text: str, settings: StructureSettings) -> ReadStructure | UnreadStructure:
        if text.startswith("bad"):
            return UnreadStructure("a broken structure", f"a structure {text!r}", "a whole one", line=3)
        system = {"c": "cubic", "t": "tetragonal", "u": ""}[text[0]] if settings.with_symmetry else ""
        converted = ("a second setting, read in the first",) if text.endswith("2") else ()
        return ReadStructure(CRYSTAL, "word", "Cu", f"{ord(text[0]):02x}" * 32, system, converted)


def table(folder: Path, *texts: str, read: Reader | None = None, **fields: object) -> CandidateTable:
    path, meaning = written(folder, *texts, **fields)
    return read_table(path, meaning, read or Reader())


def written(folder: Path, *texts: str, **fields: object) -> tuple[Path, TableColumns]:
    path = folder / "t.csv"
    path.write_text("jid,energy,s,kind\n" + "".join(f"J-{row},{row},{text},k\n" for row, text in enumerate(texts)))
    described = {"id": "jid", "property": "energy", "unit": "eV", "structure": "s", "on_no_entropy": "warn"}
    return path, TableColumns.model_validate(described | fields)


def test_the_first_that_cannot_be_read_is_named_with_its_line_in_the_file_and_in_the_cell(tmp_path: Path) -> None:
    with pytest.raises(TableError) as caught:
        table(tmp_path, "c1", "bad1", "t1", "bad2")
    said = str(caught.value)
    assert "Column 's' has a structure 'bad1' in line 3 of t.csv, line 3 of the cell (2 such cells" in said
    assert "Expected: a whole one" in said
    assert 'on_missing = "drop"' in said


def test_those_that_cannot_be_read_are_left_out_and_counted(tmp_path: Path) -> None:
    read = table(tmp_path, "c1", "bad1", "t1", "bad2", "n/a", on_missing="drop")
    assert (read.families, read.candidate_ids, read.dropped) == (("cubic", "tetragonal"), ("j-0", "j-2"), 3)
    assert read.source_ids == ("J-0", "J-2")
    assert [str(each) for each in read.account[:-1]] == [
        "2 dropped: column 's': a broken structure (line 3 of t.csv, line 5 of t.csv).",
        "1 dropped: column 's': 'n/a', which counts as missing (line 6 of t.csv).",
    ]
    assert "crystal systems were derived" in read.account[-1].reason


def test_a_structure_without_a_crystal_system_cannot_be_used_where_families_come_of_it(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"has a structure whose crystal system cannot be found in line 3 of t\.csv"):
        table(tmp_path, "c1", "u1")
    assert table(tmp_path, "c1", "u1", on_missing="drop").dropped == 1
    assert table(tmp_path, "c1", "u1", family="kind").dropped == 0


def test_what_was_read_otherwise_than_it_stands_is_told(tmp_path: Path) -> None:
    (said,) = table(tmp_path, "c1", "t2", family="kind").account
    assert str(said) == "1 converted: column 's': a second setting, read in the first (line 3 of t.csv)."


def test_settings_reach_the_reader_and_a_text_is_read_once_and_only_in_sound_rows(tmp_path: Path) -> None:
    read = Reader()
    path, meaning = written(tmp_path, "c1", "t1", "c1", "", symmetry_tolerance=0.1, angle_tolerance=5.0,
                            structure_limit_s=2.0, on_missing="drop")  # fmt: skip
    read_table(path, meaning, read)
    assert read.asked == [(["c1", "t1"], StructureSettings(0.1, 5.0, 2.0, with_symmetry=True))]
    table(tmp_path, "c1", read=read, family="kind")
    assert not read.asked[-1][1].with_symmetry


def test_ids_come_of_the_crystal_and_not_of_its_text(tmp_path: Path) -> None:
    ids = table(tmp_path, "c1", "t1", id=None).candidate_ids
    assert ids == ("cu-" + "63" * 8, "cu-" + "74" * 8)
    assert table(tmp_path, "c-other", "t-other", id=None).candidate_ids == ids
    with pytest.raises(TableError, match=r"same material stands in line 2 of t\.csv and line 3 of t\.csv"):
        table(tmp_path, "c1", "c-other", id=None)


@pytest.mark.parametrize("fields", [{"id": None}, {"on_missing": "drop"}, {"id": None, "on_missing": "drop"}])
def test_the_oracle_keeps_the_same_rows_under_the_same_ids(tmp_path: Path, fields: dict[str, object]) -> None:
    texts = ("c1", "t1") if "on_missing" not in fields else ("bad", "c1", "u1", "t1")
    path, meaning = written(tmp_path, *texts, **fields)
    assert read_values(path, meaning, Reader()).candidate_ids == read_table(path, meaning, Reader()).candidate_ids


def test_the_oracle_reads_no_structure_that_nothing_depends_on(tmp_path: Path) -> None:
    read = Reader()
    assert read_values(*written(tmp_path, "c1", "bad"), read).candidate_ids == ("j-0", "j-1")
    assert read.asked == []


def test_families_and_values_alone_are_those_of_the_table(tmp_path: Path) -> None:
    path, meaning = written(tmp_path, "c1", "bad", "t1", on_missing="drop")
    alone, whole = read_family_values(path, meaning, Reader()), read_table(path, meaning, Reader())
    assert (alone.families, alone.values.tolist(), alone.account) == (
        whole.families, whole.values.tolist(), whole.account,
    )  # fmt: skip
    assert alone.kept.tolist() == [0, 2]
