"""Counters and quarantine follow from a recording, wherever its processes were killed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from agent.run_files import DATABASE, RECORDING
from protocols.link.transport import Delivery
from protocols.recording.allowance import IdleAllowance
from protocols.storage.database import opening, sqlite_url
from protocols.wire.limits import QUARANTINE_PREFIX_BYTES
from protocols.wire.messages import AnyMessage, CandidateResult
from scenarios.verify.counts_check import check_counts
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.recording_check import compare_recording
from scenarios.verify.run_check import verify_run
from scenarios.verify.verify import FILES
from tests.support.campaigns import result_of
from tests.support.samples.falsified import other
from tests.support.samples.recorded_run import POOL, RecordedRun
from tests.support.samples.rewritten import rewrite_recording

ALLOWANCES = {"all is written": 1e9, "some is only counted": 1_500.0, "all is only counted": 0.0}
"""How much messages may take that change nothing [byte]."""

Item = AnyMessage | Delivery


@dataclass(frozen=True)
class Killed:
    """What a SIGKILL left.

    Attributes:
        folder: The run folder.
        point: Whether the transaction was noted, or committed too.
        taken: What was in it.
    """

    folder: Path
    point: str
    taken: tuple[Item, ...]


def garbage(number: int, size_bytes: int = 4) -> Delivery:
    return Delivery(f"entropilot/v1/demo/result/s-{number}", b"\xff" * size_bytes, retain=False, qos=1, ack_token=None)


def bounds_of(allowance_bytes: float) -> dict[str, Any]:
    return {"allowance": IdleAllowance(allowance_bytes, 0.0)}


def answer_of(run: RecordedRun) -> CandidateResult:
    said = result_of(run.awaited[0])
    run.keep_answer(said.attempt_id, said)
    return said


def inputs(run: RecordedRun) -> Iterator[tuple[Item, ...]]:
    """A first answer, and then what changes nothing: repetitions and garbage, short and long, alone and together."""
    said = answer_of(run)
    yield (garbage(0),)
    yield (said,)
    yield (said, garbage(1, 5_000))
    yield (garbage(2),)
    yield (garbage(3), garbage(4, 5_000), said)
    yield (said,)
    yield (answer_of(run), garbage(5))
    yield (garbage(6), garbage(2))


def killed_everywhere(folder: Path, allowance_bytes: float) -> list[Killed]:
    """What is left of a run that is killed before and behind each commit."""
    found: list[Killed] = []
    taken: tuple[Item, ...] = ()

    def keep(point: str) -> None:
        left = folder / f"{len(found)}-{point}"
        shutil.copytree(folder / "run", left)
        found.append(Killed(left, point, taken))

    (folder / "run").mkdir()
    run = RecordedRun(folder / "run", bounds=bounds_of(allowance_bytes), at_point=keep)
    for taken in inputs(run):
        run.take(*taken)
    run.close()
    return found


def resumed(killed: Killed, allowance_bytes: float, *, delivered_again: bool) -> RecordedRun:
    """Let a second process end the campaign."""
    run = RecordedRun(killed.folder, bounds=bounds_of(allowance_bytes))
    if delivered_again and killed.taken:
        run.take(*killed.taken)
    run.take(garbage(9))
    run.finish()
    run.close()
    return run


@contextmanager
def looked_at(run: RecordedRun) -> Iterator[tuple[Connection, Callable[[], list[str]]]]:
    """A connection to its database, and what finds the problems of counters and quarantine in there."""
    events, digests, _ = run.journal()
    recorded = compare_recording(run.folder / RECORDING, events, POOL, lambda: None)
    journal = KnownJournal(run.plan, events, digests)
    with opening(sqlite_url(run.folder / DATABASE)) as connection:
        yield connection, lambda: [part.problem for part in check_counts(connection, journal, recorded)]
        connection.close()
        connection.engine.dispose()


@pytest.mark.parametrize("delivered_again", [True, False], ids=["delivered again", "lost"])
@pytest.mark.parametrize("allowance_bytes", ALLOWANCES.values(), ids=ALLOWANCES)
def test_wherever_a_process_is_killed_counters_and_quarantine_follow(
    tmp_path: Path, allowance_bytes: float, *, delivered_again: bool
) -> None:
    for killed in killed_everywhere(tmp_path, allowance_bytes):
        run = resumed(killed, allowance_bytes, delivered_again=delivered_again)
        with looked_at(run) as (_, problems):
            assert problems() == ["", ""], killed


def test_wherever_a_process_is_killed_the_run_is_sound(tmp_path: Path) -> None:
    allowance_bytes = ALLOWANCES["some is only counted"]
    for killed in killed_everywhere(tmp_path, allowance_bytes):
        resumed(killed, allowance_bytes, delivered_again=killed.point == "noted")
        parts = verify_run(killed.folder, FILES)
        assert [(part.name, part.problem, part.note) for part in parts if part.problem or part.note] == [], killed
        assert {"message_count", "quarantine"} <= {part.name for part in parts}, killed


@pytest.mark.parametrize("allowance_bytes", ALLOWANCES.values(), ids=ALLOWANCES)
def test_wherever_a_process_was_killed_a_changed_counter_or_row_is_found(
    tmp_path: Path, allowance_bytes: float
) -> None:
    for killed in killed_everywhere(tmp_path, allowance_bytes):
        run = resumed(killed, allowance_bytes, delivered_again=killed.point == "noted")
        with looked_at(run) as (connection, problems):
            for change in changes(connection, all_is_known=allowance_bytes > 1e6):
                with connection.begin() as transaction:
                    assert connection.execute(text(change.words), change.values).rowcount == 1
                    assert any(problems()), (killed, change)
                    transaction.rollback()


@dataclass(frozen=True)
class Change:
    """A statement that changes one value, or takes a row out."""

    words: str
    values: dict[str, Any]


def changes(connection: Connection, *, all_is_known: bool) -> list[Change]:
    """All that may be changed; of what was only counted, its reason alone is known."""
    found = []
    with connection.begin():
        counters = connection.execute(text("SELECT disposition, count FROM message_count")).all()
        rows = connection.execute(text("SELECT * FROM quarantine")).mappings().all()
    for disposition, count in counters:
        key = {"which": disposition}
        found.append(Change("DELETE FROM message_count WHERE disposition = :which", key))
        for another in (count + 1, count - 1):
            put = "UPDATE message_count SET count = :other WHERE disposition = :which"
            found.append(Change(put, {**key, "other": another}))
    for row in rows:
        key = {"which": row["row"]}
        found.append(Change("DELETE FROM quarantine WHERE row = :which", key))
        known = ["reason"]
        if all_is_known:
            known += ["topic", "size_bytes", "digest", "prefix", "received_at"]
        if all_is_known and row["size_bytes"] <= QUARANTINE_PREFIX_BYTES:  # of others the recording has the beginning
            known.append("detail")
        for name in known:
            put = f"UPDATE quarantine SET {name} = :other WHERE row = :which"
            found.append(Change(put, {**key, "other": other(row[name])}))
    return found


def with_other_start(run: RecordedRun, number: int, by: int) -> None:
    """Change what the last start tells of a counter, and make the chain of the recording again."""

    def change(_number: int, row: dict[str, Any]) -> None:
        if row.get("note") == "start" and row.get("counts"):
            name = sorted(row["counts"])[number]
            row["counts"][name] += by

    rewrite_recording(run.folder / RECORDING, change)


@pytest.mark.parametrize("by", [1, -1])
def test_a_start_that_tells_of_other_counters_is_found(tmp_path: Path, by: int) -> None:
    killed = killed_everywhere(tmp_path, 1e9)[-1]
    run = resumed(killed, 1e9, delivered_again=True)
    with_other_start(run, 1, by)
    with looked_at(run) as (connection, problems), connection.begin():
        found = problems()
    assert "where a process begins, says that 'candidate_result: duplicate' was " in found[0]


def test_a_recording_whose_starts_do_not_tell_is_not_compared(tmp_path: Path) -> None:
    killed = killed_everywhere(tmp_path, 1e9)[-1]
    resumed(killed, 1e9, delivered_again=True)
    rewrite_recording(killed.folder / RECORDING, lambda _number, row: row.pop("counts", None))
    with closing(sqlite3.connect(killed.folder / DATABASE)) as database, database:
        database.execute("DELETE FROM recording_mark")
    notes = {part.name: part.note for part in verify_run(killed.folder, FILES) if part.note}
    assert notes == {"message_count": "not compared: the recording does not say how they stood at each start"}
