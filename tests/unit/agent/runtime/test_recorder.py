"""The recording says what the agent made of the messages, and lacks nothing that the journal has."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.acquisition.base import Choice, Proposal
from agent.campaign.events import CampaignPaused, CampaignResumed, Event
from agent.campaign.proposals import DecisionNeeded
from agent.runtime.recorder import RunRecorder
from agent.runtime.transaction import (
    DeadLetter,
    DeadlinePassed,
    InstrumentGone,
    InstrumentReturned,
    PolicyAnswer,
    Transaction,
)
from agent.store.commit import Commit
from agent.store.store import Store
from agent.store.views import DatasetLabels
from protocols.link.transport import Delivery
from protocols.recording.writer import RecordingWriter
from protocols.storage.database import sqlite_url

PAUSED = CampaignPaused("x")
RESUMED = CampaignResumed("y")
DUPLICATE = "candidate_result: duplicate"


class Folder:
    """A run folder whose journal holds any events, for the recorder reads no more of them than their numbers."""

    def __init__(self, path: Path) -> None:
        self.path = path / "recording.jsonl"
        self.store = Store.open(sqlite_url(path / "campaign.db"), labels=DatasetLabels({}, ""), now="then")

    def commit(self, *events: Event) -> None:
        self.store.append(Commit(events=events), now="then")

    def begin(self) -> tuple[RecordingWriter, RunRecorder]:
        writer = RecordingWriter(self.path, {"campaign": "c"})
        return writer, RunRecorder(writer, _row_of, self.store)

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()[1:]]

    def told(self) -> list[tuple[str, int]]:
        return [(row["note"], row["sequence"]) for row in self.rows()]


def _row_of(delivery: Delivery, verdict: str) -> int | None:
    """Take the payload for the number of the row; what is a duplicate is only counted."""
    return None if verdict == DUPLICATE else int(delivery.payload)


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    made = Folder(tmp_path)
    made.commit(PAUSED, RESUMED)
    with closing(made.store):
        yield made


def transaction(*events: Event) -> Transaction:
    return Transaction(took=[DeadlinePassed("a")], events=list(events))


def test_a_recording_begins_with_what_the_journal_has_already(folder: Folder) -> None:
    folder.begin()[0].close()
    assert folder.told() == [("event", 1), ("event", 2), ("start", 2)]
    assert folder.rows()[1]["kind"] == "CampaignResumed"


def test_inputs_stand_in_the_order_in_which_they_were_folded(folder: Folder) -> None:
    writer, recorder = folder.begin()
    message = Delivery("t", b"4", retain=False, qos=1, ack_token=None)
    proposal = Proposal((Choice(0),), "because")
    took = [
        DeadlinePassed("a1"), message, DeadLetter(message), InstrumentGone("b", "it says so"), InstrumentReturned("b"),
        PolicyAnswer(DecisionNeeded(7, 1), 2, proposal),
    ]  # fmt: skip
    recorder.write_ahead(Transaction(took=took, events=[PAUSED], verdicts=["", "quarantined: kills_handler"]))  # type: ignore[arg-type]
    writer.close()
    last = folder.rows()[-1]
    assert last["took"] == [
        {"expired": "a1"}, {"row": 4}, {"condemned": 4}, {"away": "b", "why": "it says so"}, {"back": "b"},
        {"proposed": 7, "based_on": 2},
    ]  # fmt: skip
    assert (last["before"], last["sequence"], last["made"]) == (2, 3, [])


def test_what_is_only_counted_is_told_with_the_next_note_and_only_the_first_makes_one_itself(folder: Folder) -> None:
    writer, recorder = folder.begin()
    message = Delivery("t", b"4", retain=False, qos=1, ack_token=None)
    for _ in range(3):
        recorder.write_ahead(Transaction(took=[message, message], verdicts=[DUPLICATE, DUPLICATE]))
    recorder.write_ahead(Transaction(took=[message, message], verdicts=["", DUPLICATE]))
    recorder.write_ahead(transaction(PAUSED))
    writer.close()
    notes = folder.rows()[3:]
    assert [note["took"] for note in notes] == [
        [{"counted": DUPLICATE, "times": 2}], [{"row": 4}, {"counted": DUPLICATE, "times": 5}], [{"expired": "a"}],
    ]  # fmt: skip


def counted(folder: Folder, recorder: RunRecorder, number: int) -> None:
    """Commit a message that is only counted, or that stands in a row."""
    message = Delivery("t", b"%d" % number, retain=False, qos=1, ack_token=None)
    step = Transaction(took=[message], verdicts=["" if number else DUPLICATE], counts=Counter({DUPLICATE: 1}))
    recorder.write_ahead(step)
    folder.store.append(step.commit(()), now="then")


def test_a_start_says_how_the_counters_stand_and_whether_rows_of_the_recording_were_lost(folder: Folder) -> None:
    writer, recorder = folder.begin()
    kept = folder.path.read_bytes()
    for _ in range(3):
        counted(folder, recorder, 0)
    folder.begin()[0].close()
    writer.close()
    assert [row.get("counts") for row in folder.rows() if row["note"] == "start"] == [{}, {DUPLICATE: 3}]
    folder.path.write_bytes(kept)
    folder.begin()[0].close()
    assert [(row.get("counts"), row.get("lost")) for row in folder.rows()[2:]] == [({}, None), ({DUPLICATE: 3}, True)]


def test_each_commit_that_counts_what_is_noted_keeps_where_the_recording_stands(folder: Folder) -> None:
    writer, recorder = folder.begin()
    for number in (0, 0, 3):
        counted(folder, recorder, number)
    writer.close()
    assert [mark[0] for mark in marks(folder)] == [4, 5]  # of the second one no row tells


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_start_says_whether_the_step_before_a_kill_was_committed(folder: Folder, is_committed: bool) -> None:
    writer, recorder = folder.begin()
    if is_committed:
        committed(folder, recorder, PAUSED)
    else:
        recorder.write_ahead(transaction(PAUSED))
    folder.begin()[0].close()
    writer.close()
    assert folder.told()[3:] == [("transaction", 3), ("start", 3 if is_committed else 2)]


def test_what_a_start_journals_does_not_pass_for_the_very_first_step_that_was_not_committed(folder: Folder) -> None:
    """A disk was full at the first commit of all, so no mark is there, and the next start corrects the beginning."""
    writer, recorder = folder.begin()
    recorder.write_ahead(transaction(PAUSED))
    writer.close()
    folder.commit(RESUMED)
    folder.begin()[0].close()
    assert folder.told()[3:] == [("transaction", 3), ("event", 3), ("start", 3)]


def test_what_no_input_brought_stands_before_the_next_transaction(folder: Folder) -> None:
    writer, recorder = folder.begin()
    folder.commit(PAUSED)
    recorder.write_ahead(transaction(RESUMED))
    writer.close()
    assert folder.told()[3:] == [("event", 3), ("transaction", 4)]


def test_what_a_power_cut_took_is_filled_in_from_the_journal(folder: Folder) -> None:
    folder.begin()[0].close()
    kept = folder.path.read_bytes()
    for event in (PAUSED, RESUMED, PAUSED):
        writer, recorder = folder.begin()
        recorder.write_ahead(transaction(event))
        folder.commit(event)
        writer.close()
    folder.path.write_bytes(kept)
    folder.begin()[0].close()
    assert folder.told()[3:] == [("event", 3), ("event", 4), ("event", 5), ("start", 5)]


def test_a_recording_that_was_deleted_begins_anew_from_the_journal(folder: Folder) -> None:
    folder.begin()[0].close()
    folder.path.unlink()
    folder.begin()[0].close()
    assert folder.told() == [("event", 1), ("event", 2), ("start", 2)]


def test_a_recording_that_knows_more_than_a_restored_journal_begins_anew(folder: Folder) -> None:
    writer, recorder = folder.begin()
    for _ in range(2):
        recorder.write_ahead(transaction(PAUSED, RESUMED))
        folder.store.sequence += 2
    writer.close()
    folder.store.sequence = 2
    folder.begin()[0].close()
    assert folder.told()[-3:] == [("event", 1), ("event", 2), ("start", 2)]


def marks(folder: Folder) -> list[tuple[int, str, int, int]]:
    with closing(sqlite3.connect(folder.path.parent / "campaign.db")) as database:
        return database.execute("SELECT row, digest, before, sequence FROM recording_mark ORDER BY row").fetchall()


def committed(folder: Folder, recorder: RunRecorder, *events: Event) -> None:
    step = transaction(*events)
    recorder.write_ahead(step)
    folder.store.append(step.commit(()), now="then")


def test_each_commit_keeps_where_the_recording_stands_and_the_end_does_so_too(folder: Folder) -> None:
    writer, recorder = folder.begin()
    committed(folder, recorder, PAUSED)
    committed(folder, recorder)  # nothing happened
    writer.write("out", "a/b", b"{}", retain=False)
    recorder.seal("then")
    recorder.seal("then")  # nothing came since
    writer.close()
    digests = {row["n"]: row["digest"] for row in folder.rows()}
    assert marks(folder) == [(4, digests[4], 2, 3), (6, digests[6], 3, 3)]


def test_what_a_start_journals_in_place_of_a_step_that_was_never_committed_is_told(folder: Folder) -> None:
    """The journal then stands where the lost step would have led, and holds something else there."""
    writer, recorder = folder.begin()
    committed(folder, recorder, PAUSED)
    recorder.write_ahead(transaction(RESUMED))  # the disk is full
    writer.close()
    folder.commit(CampaignPaused("z"))
    folder.begin()[0].close()
    assert folder.told()[-3:] == [("transaction", 4), ("event", 4), ("start", 4)]
    assert folder.rows()[-2]["event"]["reason"] == "z"


def test_a_mark_of_rows_that_a_power_cut_took_is_forgotten(folder: Folder) -> None:
    writer, recorder = folder.begin()
    committed(folder, recorder, PAUSED)
    kept = folder.path.read_bytes()
    committed(folder, recorder, RESUMED)
    writer.close()
    assert [mark[0] for mark in marks(folder)] == [4, 5]
    folder.path.write_bytes(kept)
    folder.begin()[0].close()
    assert [mark[0] for mark in marks(folder)] == [4]
