"""A recording leads to its journal, and the first place where it leads elsewhere is named with the rows of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.campaign.events import ControlNoted, Event, event_of
from agent.pool.candidates import Pool
from agent.run_files import RECORDING
from protocols.recording.reader import open_recording
from scenarios.verify.recorded_events import EventComparison
from scenarios.verify.same_as_message import tree_of
from tests.support.campaigns import small_pool
from tests.support.samples.falsified import FinishedRun, Place, change
from tests.support.samples.recorded_run import POOL, RecordedRun, made


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    return made(tmp_path_factory.mktemp("run"))


def compared(folder: Path, events: list[Event], pool: Pool = POOL) -> EventComparison:
    comparison = EventComparison(events, pool)
    with open_recording(folder / RECORDING) as recording:
        comparison.begin(recording.header)
        for row in recording.rows():
            comparison.take(row)
    comparison.finish()
    return comparison


def words_of(comparison: EventComparison) -> str:
    assert comparison.found is not None
    return comparison.found.words


def test_a_recording_leads_to_its_journal_and_knows_what_came(run: RecordedRun) -> None:
    events, _, _ = run.journal()
    comparison = compared(run.folder, events)
    assert (comparison.found, comparison.compared, comparison.came.is_exact) == (None, len(events), True)
    assert comparison.came.counts["candidate_result: accepted"] == 4
    assert [each.reason for put in comparison.came.put_aside for each in put.written] == ["unknown_attempt"]
    assert {(each.attempt_id, each.status) for each in _receipts(run)} <= {(ack[0], ack[2]) for ack in comparison.acks}


def _receipts(run: RecordedRun) -> list[Any]:
    from protocols.wire.codec import decode_payload

    return [decode_payload(each) for each in run.receipts]


def with_other(events: list[Event], row: int, *path: str | int) -> list[Event]:
    tree = tree_of(events[row - 1])
    change(tree, path)
    return [*events[: row - 1], event_of(type(events[row - 1]).__name__, tree), *events[row:]]


def row_of(events: list[Event], kind: str) -> int:
    return next(number for number, each in enumerate(events, 1) if type(each).__name__ == kind)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("ResultAccepted", ("value",)),
        ("ResultAccepted", ("quantities", 0, "value")),
        ("ResultAccepted", ("message_id",)),
        ("AttemptFailed", ("reason",)),
        ("AttemptFailed", ("signed_by",)),
        ("LateResultKept", ("quantities", 0, "value")),
        ("LateResultKept", ("refused",)),
        ("ResultContradicted", ("quantities", 0, "value")),
        ("ResultContradicted", ("message_id",)),
        ("ResultContradicted", ("signed_by",)),
        ("DecisionMade", ("reason",)),
        ("DecisionMade", ("candidate_ids", 0)),
        ("RequestIssued", ("recipient",)),
        ("RequestExpired", ("attempt_id",)),
        ("CampaignPaused", ("reason",)),
        ("CampaignPaused", ("operator",)),
        ("CampaignPaused", ("signed_by",)),
        ("CandidateExcluded", ("message_id",)),
        ("StartSetLoaded", ("values", 2)),
        ("CampaignStarted", ("plan", "seed")),
        ("CampaignStarted", ("began_at",)),
        ("CampaignFinished", ("reason",)),
    ],
)
def test_a_field_that_was_changed_in_the_journal_is_named_with_its_row(
    run: RecordedRun, kind: str, path: tuple[str | int, ...]
) -> None:
    events, _, _ = run.journal()
    row = row_of(events, kind)
    words = words_of(compared(run.folder, with_other(events, row, *path)))
    assert words.startswith(f"row {row} of the journal says ")
    assert "of the recording says" in words


def test_an_event_of_another_kind_or_one_too_few_are_named(run: RecordedRun) -> None:
    events, _, _ = run.journal()
    row = row_of(events, "CandidateExcluded")
    other = compared(run.folder, [*events[: row - 1], ControlNoted("resume", "m"), *events[row:]])
    assert words_of(other).startswith(f"row {row} of the journal is a ControlNoted; row ")
    assert words_of(other).endswith(" of the recording leads to a CandidateExcluded")
    assert f"row {row} of the journal is" in words_of(compared(run.folder, [*events[: row - 1], *events[row:]]))
    shorter = compared(run.folder, events[: row - 1])  # of a campaign that went on meanwhile
    assert (shorter.found, shorter.compared) == (None, row - 1)


def test_the_row_of_the_message_is_named_where_one_brought_the_event(run: RecordedRun) -> None:
    events, _, _ = run.journal()
    row = row_of(events, "ResultAccepted")
    comparison = compared(run.folder, with_other(events, row, "value"))
    message_id = getattr(events[row - 1], "message_id")  # noqa: B009 - of a union of events
    assert f"row {comparison.messages.row_of[message_id]} of the recording" in words_of(comparison)


def took(row: dict[str, Any], what: str) -> bool:
    return any(what in each for each in row.get("took", ()))


LINES = {
    "a value in a message": (lambda row: row.get("dir") == "in" and "candidate_result" in row["text"],
                             ("text", "quantities", 0, "value")),
    "which inputs a transaction took": (lambda row: took(row, "row"), ("took", 0, "row")),
    "which attempt expired": (lambda row: took(row, "expired"), ("took", 0, "expired")),
    "a decision as it is noted": (lambda row: bool(row.get("made")), ("made", 0, "event", "fingerprint")),
    "where a transaction began": (lambda row: "before" in row and row["before"] > 4, ("before",)),
    "where it ended": (lambda row: "before" in row and row["before"] > 4, ("sequence",)),
    "a row of the journal": (lambda row: row.get("kind") == "StartSetLoaded", ("event", "values", 0)),
}  # fmt: skip


@pytest.mark.parametrize(("wanted", "path"), LINES.values(), ids=LINES)
def test_what_was_changed_in_the_recording_is_found(
    run: RecordedRun, tmp_path: Path, wanted: Any, path: tuple[str | int, ...]
) -> None:
    lines = [json.loads(line) for line in (run.folder / RECORDING).read_text().splitlines()]
    at = next(number for number, row in enumerate(lines, 1) if wanted(row))
    changed = FinishedRun(run.folder).falsified(Place("recording", at, path), tmp_path / "copy")
    events, _, _ = run.journal()
    assert "row" in words_of(compared(changed, events))


def test_what_hangs_on_the_pool_is_told_apart(run: RecordedRun) -> None:
    events, _, _ = run.journal()
    other = compared(run.folder, with_other(events, len(events), "reason"))
    assert other.found is not None
    assert other.found.may_be_the_pool
    value = compared(run.folder, with_other(events, row_of(events, "ResultAccepted"), "value"))
    assert value.found is not None
    assert not value.found.may_be_the_pool
    of_another = compared(run.folder, events, small_pool(31))
    assert "row 1 of the journal" in words_of(of_another)
