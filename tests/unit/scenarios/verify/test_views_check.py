"""Whose database it is, and what waits to be sent, is what the journal says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from agent.campaign.ledger import Ledger
from agent.run_files import DATABASE, RECORDING
from agent.store.read_only import reading
from protocols.recording.reader import open_recording
from scenarios.verify.part import CheckedPart, JournalFold
from scenarios.verify.recorded_messages import RecordedMessages
from scenarios.verify.views_check import check_meta, check_views
from tests.support.samples.recorded_run import POOL, RecordedRun, made


@pytest.fixture
def run(tmp_path: Path) -> RecordedRun:
    return made(tmp_path)


@contextmanager
def opened(run: RecordedRun) -> Iterator[Connection]:
    with reading(run.folder / DATABASE) as connection, connection.begin():
        yield connection


def put(run: RecordedRun, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(run.folder / DATABASE)) as database:
        assert database.execute(statement, values).rowcount > 0
        database.commit()


def meta(run: RecordedRun) -> CheckedPart:
    with opened(run) as connection:
        return check_meta(connection, run.plan)


@pytest.mark.parametrize("name", ["campaign", "uid", "pool_digest", "created_at"])
def test_another_name_in_the_database_is_told(run: RecordedRun, name: str) -> None:
    assert meta(run) == CheckedPart("campaign_meta", 1)
    put(run, f"UPDATE campaign_meta SET {name} = 'another'")
    assert meta(run).problem.startswith(f"it says {name} = 'another'; the journal says ")


def test_a_database_of_nobody_is_told(run: RecordedRun) -> None:
    put(run, "DELETE FROM campaign_meta")
    assert meta(run).problem == "0 rows; there is one"


def views(run: RecordedRun, scratch: Path, recorded: RecordedMessages | None = None) -> dict[str, str]:
    scratch.mkdir()
    events, digests, _ = run.journal()
    ledger = Ledger(POOL)
    metrics = tuple(change.metrics for change in map(ledger.fold, events) if change.metrics is not None)
    fold = JournalFold(ledger, tuple(digests), metrics)
    with opened(run) as connection:
        parts = check_views(connection, scratch / "again.db", events, POOL, fold, recorded=recorded)
    return {part.name: part.problem for part in parts}


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE outbox SET topic = 'entropilot/v1/demo/request/another'", "with recipient = 'another'"),
        ("UPDATE outbox SET topic = 'a/b'", "by no message of ours"),
        ("UPDATE outbox SET payload = x'00'", "by no message of ours"),
        ("UPDATE outbox SET payload = cast(replace(payload, '\"attempt\":1', '\"attempt\":7') AS BLOB)", "attempt = 7"),
        ("INSERT INTO outbox VALUES ('nobody', 'a/b', x'00')", "'nobody' was never made"),
    ],
)
def test_what_waits_to_be_sent_is_what_the_journal_asks_for(
    run: RecordedRun, tmp_path: Path, statement: str, words: str
) -> None:
    assert set(views(run, tmp_path / "before").values()) == {""}
    put(run, statement)
    assert words in views(run, tmp_path / "after")["outbox"]


def test_what_waits_to_be_sent_once_more_is_what_was_sent(run: RecordedRun, tmp_path: Path) -> None:
    recorded = RecordedMessages()
    with open_recording(run.folder / RECORDING) as recording:
        for row in recording.rows():
            recorded.note(row)
    assert views(run, tmp_path / "before", recorded)["outbox"] == ""
    put(run, "UPDATE outbox SET payload = cast(replace(payload, '\"deadline_s\":6', '\"deadline_s\":9') AS BLOB)")
    assert views(run, tmp_path / "unknown")["outbox"] == ""  # the journal does not tell how long it may take
    assert "is asked for otherwise than row" in views(run, tmp_path / "after", recorded)["outbox"]


def test_a_row_under_another_key_is_told(run: RecordedRun, tmp_path: Path) -> None:
    put(run, "UPDATE bias_family SET family = 'a' || family WHERE observation = 2")
    problem = views(run, tmp_path / "again")["bias_family"]
    assert problem.startswith("the row observation = 2, family = 'afamily-")
    assert problem.endswith("is not in the journal")
