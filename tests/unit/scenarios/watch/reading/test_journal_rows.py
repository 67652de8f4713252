"""The journal is told row by row, in words and whole, filtered by what a row is about and not by what it looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.campaign.event_descriptions import in_words
from agent.store.read_only import reading_journal
from scenarios.watch.reading.chronicle import about
from scenarios.watch.reading.find import open_run
from scenarios.watch.state.tables import JournalEntry
from tests.support.runs.watched_runs import random_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "demo"
    random_run(folder, 5)
    return folder


def test_pages_of_any_size_make_the_whole_journal(folder: Path) -> None:
    source = open_run(folder)
    with reading_journal(folder / "campaign.db") as (store, _):
        events = list(store.journal())
    rows: list[JournalEntry] = []
    after = 0
    while True:
        page = source.journal(after=after, limit=7)
        rows += page.rows
        assert page.total == len(events)
        if page.next is None:
            break
        after = page.next
    assert [row.sequence for row in rows] == list(range(1, len(events) + 1))
    assert [row.words for row in rows] == [in_words(event) for event in events]
    assert [row.kind for row in rows] == [type(event).__name__ for event in events]
    source.close()


def test_rows_are_found_by_kind_candidate_and_operator(folder: Path) -> None:
    source = open_run(folder)
    every = source.journal(limit=1_000).rows
    assert list(source.journal(kind="ResultAccepted", limit=1_000).rows) == [
        row for row in every if row.kind == "ResultAccepted"
    ]
    by_ada = source.journal(operator="ada", limit=1_000).rows
    assert by_ada
    assert list(by_ada) == [row for row in every if row.operator == "ada"]
    with reading_journal(folder / "campaign.db") as (store, _):
        numbers = [number for number, event in enumerate(store.journal(), 1) if "c001" in about(event)]
    assert [row.sequence for row in source.journal(candidate="c001", limit=1_000).rows] == numbers
    assert source.journal(candidate="c00").rows == (), "a part of an id is another id"
    source.close()


def test_the_tail_is_the_last_rows_in_order(folder: Path) -> None:
    source = open_run(folder)
    every = source.journal(limit=1_000).rows
    assert source.journal(tail=True, limit=5).rows == every[-5:]
    requests = tuple(row for row in every if row.kind == "RequestIssued")
    assert source.journal(tail=True, limit=2, kind="RequestIssued").rows == requests[-2:]
    source.close()
