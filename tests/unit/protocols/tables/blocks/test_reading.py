"""A table that is read in blocks has the ids, families and numbers of the same table in memory; what cannot is said."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.pool.mapped_pool import mapped_pool
from agent.pool.tables import pool_from_table
from protocols.errors import TableError
from protocols.tables.blocks import reading
from protocols.tables.blocks.reading import is_read_in_blocks, read_in_blocks
from protocols.tables.columns import TableColumns
from protocols.tables.table import read_table, read_values

Written = Callable[..., Path]
Columns = Callable[..., TableColumns]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id": None},
        {"family": ("family", "site")},
        {"family": ("family", "site"), "id": None},
        {"family": (), "id": None},
        {"family_names": {"cubic": "isometric"}, "additional_properties": {"seen": "K"}},
    ],
)
def test_the_pool_is_that_of_the_table_in_memory(
    content: dict[str, Any], written: Written, columns: Columns, ending: str, changes: dict[str, Any]
) -> None:
    """Ids, order, families, features, digest and candidates; the values that the oracle answers with, too."""
    path = written(content, ending)
    in_memory = pool_from_table(read_table(path, columns(**changes, in_blocks=False)))
    meant = columns(**changes)
    pool = mapped_pool(read_in_blocks(path, meant), has_ids=meant.id is not None)
    assert pool.digest == in_memory.digest
    assert tuple(pool.candidate_ids) == in_memory.candidate_ids
    assert pool.families == in_memory.families
    assert pool.family_codes.tolist() == in_memory.family_codes.tolist()
    assert pool.features.dtype == np.float32
    assert pool.features.tolist() == in_memory.features.tolist()
    assert pool.candidates[7:9] == in_memory.candidates[7:9]
    whole, blocks = read_values(path, columns(**changes, in_blocks=False)), read_values(path, meant)
    for name, values in whole.values.items():
        for which in in_memory.candidate_ids[::17]:
            np.testing.assert_equal(blocks.values[name][blocks.row_of[which]], values[whole.row_of[which]])


def test_numbers_of_double_precision_stay_so(content: dict[str, Any], written: Written, columns: Columns) -> None:
    content["f1"] = content["f1"].astype(np.float64) + 1e-12
    path = written(content)
    in_memory = pool_from_table(read_table(path, columns(in_blocks=False)))
    pool = mapped_pool(read_in_blocks(path, columns()), has_ids=True)
    assert pool.features.dtype == np.float64
    assert pool.digest == in_memory.digest


def test_large_tables_are_read_in_blocks_by_themselves(
    content: dict[str, Any], written: Written, columns: Columns, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(content, ending)
    assert not is_read_in_blocks(path, columns(in_blocks=None))
    monkeypatch.setattr(reading, "IN_BLOCKS_FROM_ROWS", 1_000)
    assert is_read_in_blocks(path, columns(in_blocks=None))
    assert not is_read_in_blocks(path, columns(in_blocks=False))
    assert not is_read_in_blocks(path.with_suffix(".csv"), columns(in_blocks=None))
    with pytest.raises(TableError, match=r"cannot be read in blocks. Expected: a Parquet or Arrow file"):
        is_read_in_blocks(path.with_suffix(".csv"), columns())


def test_what_was_made_is_found_again_and_checked(content: dict[str, Any], written: Written, columns: Columns) -> None:
    path = written(content)
    folder = read_in_blocks(path, columns()).folder
    features = folder / "features"
    made = features.stat().st_mtime_ns
    assert read_in_blocks(path, columns()).folder == folder
    reading._CHECKED.clear()  # as in another process
    assert read_in_blocks(path, columns()).folder == folder
    assert features.stat().st_mtime_ns == made

    bits = bytearray(features.read_bytes())
    bits[1_234] ^= 1
    features.write_bytes(bits)
    reading._CHECKED.clear()
    again = read_in_blocks(path, columns())
    assert bytes(features.read_bytes()) != bytes(bits)
    assert mapped_pool(again, has_ids=True).digest == pool_from_table(read_table(path, columns(in_blocks=False))).digest


@pytest.mark.parametrize("torn", [b"", b"{}", b'{"content": "{}", "sha256": "0"}', b"\xff"])
def test_a_torn_account_of_what_is_kept_is_made_again(
    content: dict[str, Any], written: Written, columns: Columns, torn: bytes
) -> None:
    path = written(content)
    folder = read_in_blocks(path, columns()).folder
    (folder / "kept.json").write_bytes(torn)
    assert len(read_in_blocks(path, columns())) == 1_000


def test_another_content_or_meaning_is_another_folder(
    content: dict[str, Any], written: Written, columns: Columns
) -> None:
    path = written(content)
    folders = {read_in_blocks(path, columns(**each)).folder for each in ({}, {"id": None}, {"features": ("f0", "f1")})}
    content["y"][3] += 1.0
    folders.add(read_in_blocks(written(content), columns()).folder)
    assert len(folders) == 4


def test_a_property_that_a_lab_measures_may_be_unknown_or_not_there(
    content: dict[str, Any], written: Written, columns: Columns
) -> None:
    path = written(content)
    meant = columns(property="seen", on_missing="unknown")
    table = read_in_blocks(path, meant)
    assert int(np.isfinite(table.values("seen")).sum()) == 334
    assert any("known for 334 of 1000 rows" in each for each in table.described.warnings)
    nothing = read_in_blocks(path, columns(property="z", on_missing="unknown"))
    assert np.isnan(nothing.values("z")).all()
    assert any("no column 'z'" in each for each in nothing.described.warnings)
    with pytest.raises(TableError, match="has no column 'z'"):
        read_in_blocks(path, columns(property="z"))


def _with(name: str, row: int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        cells = list(content[name])
        cells[row] = value
        content[name] = cells

    return change


BAD: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a feature that is empty": (_with("f1", 700, None), r"Column 'f1' is empty in row 701 of table"),
    "a feature that is no number": (_with("f1", 700, float("nan")), r"Column 'f1' is not a number \(NaN\) in row 701"),
    "a feature without end": (_with("f2", 5, float("inf")), r"Column 'f2' is inf in row 6 of"),
    "a feature of texts": (lambda c: c.update(f1=["1.5"] * 1_000), r"Column 'f1' of .* holds string. Expected: whole"),
    "a property that is empty": (_with("y", 64, None), r"Column 'y' is empty in row 65"),
    "a property beyond belief": (_with("y", 64, 1e99), r"Column 'y' is 1e\+99 in row 65"),
    "a family that is empty": (_with("family", 999, None), r"Column 'family' has an empty cell in row 1,000"),
    "a family that is missing": (_with("family", 999, "N/A"), r"Column 'family' has 'N/A', which counts as missing"),
    "a family of floats": (lambda c: c.update(family=[0.5] * 1_000), r"Column 'family' of .* holds double"),
    "too many families": (
        lambda c: c.update(family=[f"g{number}" for number in range(1_000)]),
        r"The table has 1000 families. Expected: at most 500",
    ),
    "a family too long": (_with("family", 3, "x" * 65), r"has 65 characters. Expected: at most 64"),
    "an id that is empty": (_with("id", 70, None), r"The id in row 71 of .* is empty"),
    "an id with capitals": (_with("id", 70, "MP-1"), r"The id in row 71 of .* is 'MP-1'. Expected: ids that need not"),
    "ids of floats": (lambda c: c.update(id=np.arange(1_000) + 0.5), r"Column 'id' of .* holds double"),
    "a property by another name": (
        lambda c: c.update(f2=np.array(c["y"]) * 2.0 + 1.0),
        r"column 'f2' is the measured property 'y' by another name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_cell_that_cannot_be_used_is_told_with_its_place(
    content: dict[str, Any], written: Written, columns: Columns, ending: str, case: str
) -> None:
    """And nothing is left in the cache."""
    change, expected = BAD[case]
    change(content)
    path = written(content, ending)
    with pytest.raises(TableError, match=expected):
        read_in_blocks(path, columns())
    assert not [each for each in (path.parent / "cache").rglob("*") if each.is_file()]


def test_the_same_id_in_two_blocks_is_told_with_both_places(
    content: dict[str, Any], written: Written, columns: Columns, ending: str
) -> None:
    content["id"][3] = content["id"][900] = "twice"
    with pytest.raises(TableError, match=r"The id 'twice' stands in row 4 of .* and row 901 of"):
        read_in_blocks(written(content, ending), columns())
    for name in ("f0", "f1", "f2", "family"):
        content[name][900] = content[name][3]
    with pytest.raises(TableError, match=r"The same material stands in row 4 of .* and row 901 of"):
        read_in_blocks(written(content, ending), columns(id=None))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"smiles": "site"}, "columns.smiles"),
        ({"structure": "site"}, "columns.structure"),
        ({"composition": "site"}, "columns.composition"),
        ({"parameters": {"f0": "K"}}, "columns.parameters"),
        ({"labels": ("site",)}, "columns.labels"),
        ({"family": {"column": "f0", "bins": 3}}, "a number cut into families"),
        ({"on_missing": "drop"}, 'on_missing = "drop"'),
        ({"on_replicates": "mean"}, 'on_replicates = "mean"'),
    ],
)
def test_what_needs_the_whole_table_is_refused(
    content: dict[str, Any], written: Written, columns: Columns, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(TableError, match=f"1,000 rows and is read in blocks, and {named} is asked for"):
        read_in_blocks(written(content), columns(**changes))


def test_an_empty_table_is_refused(content: dict[str, Any], written: Written, columns: Columns, ending: str) -> None:
    nothing = {name: list(cells)[:0] for name, cells in content.items()} | {"f0": np.zeros(0)}
    path = written(nothing, ending)
    with pytest.raises(TableError, match=r"has 0 rows\. Expected: at least one"):
        read_in_blocks(path, columns(features=("f0",)))


def test_a_full_disk_is_told_and_leaves_nothing(
    content: dict[str, Any], written: Written, columns: Columns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The room of the features is taken before a page of them is written: a full disk would kill who maps the file."""
    if not hasattr(os, "posix_fallocate"):
        pytest.skip("this system cannot take room before it is written to")

    def full(_file: int, _start: int, size: int) -> None:
        raise OSError(errno.ENOSPC, f"No space left on device for {size}")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(TableError, match=r"cannot be written in .*tables \(No space left .*XDG_CACHE_HOME"):
        read_in_blocks(written(content), columns())
    assert not [each for each in (tmp_path / "cache").rglob("*") if each.is_file()]


def test_it_tells_how_far_it_is(content: dict[str, Any], written: Written, columns: Columns) -> None:
    told: list[tuple[str, int, int]] = []
    read_in_blocks(written(content), columns(), lambda *what: told.append(what))
    assert {what for what, _, _ in told} == {"reading table.parquet", "writing features", "checking what was written"}
    assert ("writing features", 1_000, 1_000) in told
