"""Families and own ids of what was observed are those of the pool's table."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.run_files import DATABASE
from agent.store.read_only import reading
from scenarios.verify.labels_check import LABELS, check_labels
from scenarios.verify.part import CheckedPart
from scenarios.verify.whole_pool import WholePool
from tests.support.samples.recorded_run import POOL, RecordedRun, made


@pytest.fixture
def run(tmp_path: Path) -> RecordedRun:
    return made(tmp_path)


def labels(run: RecordedRun, whole: WholePool) -> CheckedPart | None:
    with reading(run.folder / DATABASE) as connection, connection.begin():
        return check_labels(connection, run.folder, run.plan, whole)


def put(run: RecordedRun, statement: str) -> None:
    with closing(sqlite3.connect(run.folder / DATABASE)) as database:
        assert database.execute(statement).rowcount > 0
        database.commit()


def test_labels_are_those_of_the_pool(run: RecordedRun) -> None:
    assert labels(run, WholePool(POOL)) == CheckedPart(LABELS, 9)


@pytest.mark.parametrize("name", ["family", "source_id"])
def test_another_label_is_named_with_its_candidate(run: RecordedRun, name: str) -> None:
    put(run, f"UPDATE observation SET {name} = 'another' WHERE candidate_id = 'c001'")
    part = labels(run, WholePool(POOL))
    assert part is not None
    assert part.problem.startswith(f"the observation of 'c001' says {name} = 'another'; the pool says ")


def test_nothing_is_read_again_for_a_run_without_own_ids_and_a_table_that_is_gone_is_a_note(run: RecordedRun) -> None:
    assert labels(run, WholePool()) is None
    put(run, "UPDATE observation SET source_id = 'mine'")
    part = labels(run, WholePool())
    assert part is not None
    assert part.problem == ""
    assert part.note.startswith("families and ids were not compared with the table: ")


def test_a_candidate_that_joined_later_is_none_of_the_table(run: RecordedRun) -> None:
    put(run, "UPDATE observation SET candidate_id = 'joined' WHERE candidate_id = 'c001'")
    assert labels(run, WholePool(POOL)) == CheckedPart(LABELS, 9)
