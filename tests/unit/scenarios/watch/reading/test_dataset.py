"""Pages of the dataset are cut out of one order, whatever was taken back, and however strangers name things."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest

from agent.run_files import DATABASE
from protocols.errors import SettingsError
from scenarios.watch.reading.find import open_run
from scenarios.watch.reading.source import DatasetOrder
from tests.support.runs.watched_runs import random_run

RETRACTING = 5
"""A seed whose campaign takes several values back."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "demo"
    random_run(folder, RETRACTING)
    return folder


@pytest.mark.parametrize("order", get_args(DatasetOrder))
def test_pages_of_any_size_make_the_whole(folder: Path, order: DatasetOrder) -> None:
    source = open_run(folder)
    whole = source.dataset(order=order)
    assert sum(row.retracted is not None for row in whole.rows) > 1
    for size in (1, 2, 7):
        pages = [source.dataset(order=order, offset=first, limit=size) for first in range(0, whole.total, size)]
        assert [row for page in pages for row in page.rows] == list(whole.rows)
        assert {page.total for page in pages} == {whole.total}
    source.close()


@pytest.mark.parametrize("name", ["value", "sequence"])
def test_rows_are_in_order_and_a_minus_turns_it(folder: Path, name: DatasetOrder) -> None:
    source = open_run(folder)
    keys = [getattr(row, name) for row in source.dataset(order=name).rows]
    assert keys == sorted(keys)
    turned: DatasetOrder = "-value" if name == "value" else "-sequence"
    assert [getattr(row, name) for row in source.dataset(order=turned).rows] == sorted(keys, reverse=True)
    source.close()


def test_what_was_taken_back_says_by_whom_and_why(folder: Path) -> None:
    source = open_run(folder)
    taken_back = [row.retracted for row in source.dataset().rows if row.retracted is not None]
    assert {(each.by, each.why) for each in taken_back} == {("ada", "spilled")}
    assert all(each.at for each in taken_back)
    source.close()


def test_rows_are_found_by_family_and_by_a_part_of_a_name(folder: Path) -> None:
    source = open_run(folder)
    every = source.dataset().rows
    of_family = source.dataset(family="family-1")
    assert list(of_family.rows) == [row for row in every if row.family == "family-1"]
    part = source.dataset(text="c 1")
    assert list(part.rows) == [row for row in every if "c 1" in row.name.lower() or "c 1" in row.candidate]
    assert source.dataset(text="%").total == source.dataset(family="nobody's").total == 0
    source.close()


def test_names_of_strangers_are_told_as_they_stand(folder: Path, tmp_path: Path) -> None:
    name, family = "<img src=x onerror=alert(1)>\u202eevil'; DROP TABLE journal; --", "=cmd|' /C calc'!A0"
    copy = tmp_path / DATABASE
    copy.write_bytes((folder / DATABASE).read_bytes())
    with closing(sqlite3.connect(copy)) as connection, connection:
        where = "WHERE sequence = (SELECT max(sequence) FROM observation WHERE source_id <> '')"
        connection.execute(f"UPDATE observation SET source_id = ?, family = ? {where}", (name, family))
    source = open_run(tmp_path)
    (row,) = source.dataset(text="onerror").rows
    assert (row.name, row.family) == (name, family)
    source.close()


def test_an_order_that_there_is_not_is_told(folder: Path) -> None:
    source = open_run(folder)
    with pytest.raises(SettingsError, match="no order 'colour'"):
        source.dataset(order="colour")  # type: ignore[arg-type]
    source.close()
