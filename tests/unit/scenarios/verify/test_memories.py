"""What a simulator remembers otherwise than journal and recording is named by its attempt."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.campaign.events import AttemptFailed, CampaignFinished, Event, LateResultKept, ResultAccepted
from agent.campaign.results_seen import MAX_KEPT_ASIDE
from agent.run_files import RECORDING
from protocols.errors import StoreError
from protocols.recording.reader import open_recording
from protocols.storage.database import sqlite_url
from protocols.wire.attempt_ids import attempt_identity
from protocols.wire.messages import FailureReason, ReceiptStatus
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.memories import check_memory, memories_in
from scenarios.verify.part import CheckedPart
from scenarios.verify.recorded_messages import RecordedMessages
from simulators.outbox import AttemptProgress, Change, Outbox
from tests.support.campaigns import SENT_AT, failure_of, quantity, result_of
from tests.support.samples.falsified import FinishedRun, Place
from tests.support.samples.recorded_run import ATTEMPTS, MEMORY, RecordedRun, made


def recorded_in(folder: Path) -> RecordedMessages:
    messages = RecordedMessages()
    with open_recording(folder / RECORDING) as recording:
        for row in recording.rows():
            messages.note(row)
    return messages


def checked(run: RecordedRun, *, folder: Path | None = None, with_recording: bool = True) -> CheckedPart | None:
    events, digests, _ = run.journal()
    recorded = recorded_in(run.folder) if with_recording else None
    return check_memory((folder or run.folder) / MEMORY, KnownJournal(run.plan, events, digests, recorded))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    return made(tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize("with_recording", [True, False])
def test_a_memory_that_nobody_changed_agrees(run: RecordedRun, with_recording: bool) -> None:
    part = checked(run, with_recording=with_recording)
    assert part == CheckedPart(MEMORY, ATTEMPTS)


CHANGED = {
    "a value": (("answer", "quantities", 0, "value"), "it answered quantities[0].value = "),
    "who answered": (("answer", "simulator"), "A message of 'simulator-0' on the topic of 'simulator-1'"),
    "the candidate that was asked for": (("request", "candidate_id"), "it was asked with candidate_id = "),
    "the attempt": (("request", "attempt_id"), "what was asked is attempt "),
    "its progress": (("progress",), "it is answered, which its answer and receipt do not fit"),
    "what a receipt says of the journal": (("receipt", "digest"), "its receipt says otherwise: row "),
    "the row of the journal": (("receipt", "row"), "its receipt says otherwise: it knows row "),
    "a receipt's campaign": (("receipt", "campaign"), "its receipt is not what the recording has in row "),
    "when it was asked": (("request", "deadline_s"), "what was asked is not what the recording has in row "),
}


@pytest.mark.parametrize(("field", "words"), CHANGED.values(), ids=CHANGED)
def test_what_was_changed_with_its_digests_is_named(
    run: RecordedRun, tmp_path: Path, field: tuple[str | int, ...], words: str
) -> None:
    changed = FinishedRun(run.folder).falsified(Place("memory", 7, field), tmp_path / "copy")
    part = checked(run, folder=changed, with_recording="receipt says" not in words)
    assert part is not None
    assert words in part.problem
    assert part.problem.startswith("attempt ")


def test_a_row_that_was_changed_without_its_digests_is_named(run: RecordedRun, tmp_path: Path) -> None:
    changed = tmp_path / MEMORY
    changed.write_bytes((run.folder / MEMORY).read_bytes())
    with closing(sqlite3.connect(changed)) as database:
        database.execute("UPDATE attempt SET received_at = 'later' WHERE rowid = 1")
        database.commit()
    part = checked(run, folder=tmp_path)
    assert part is not None
    assert part.problem.endswith("it was changed: its digests do not fit")


def forged(run: RecordedRun, *, answered: bool) -> None:
    """Let somebody answer in the simulator's name before it does."""
    attempt = run.awaited[0]
    run.take(result_of(attempt, quantity(1.25)))
    if answered:
        run.answer(attempt, result_of(attempt))
    run.finish()


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        (True, "has another message as its answer, which it does not remember to have sent"),
        (False, "of the journal has an answer of it, and it never gave one"),
    ],
)
def test_an_answer_that_somebody_else_gave_in_its_name_is_named(tmp_path: Path, answered: bool, words: str) -> None:
    play: Callable[[RecordedRun], None] = lambda run: forged(run, answered=answered)  # noqa: E731 - a play of two kinds
    part = checked(made(tmp_path, play))
    assert part is not None
    assert words in part.problem


def test_a_failure_that_somebody_else_told_in_its_name_is_named(tmp_path: Path) -> None:
    def play(run: RecordedRun) -> None:
        run.take(failure_of(run.awaited[0], FailureReason.UNSUPPORTED))
        run.finish()

    part = checked(made(tmp_path, play))
    assert part is not None
    assert part.problem.endswith("of the journal has an answer of it, and it never gave one")


def known_without(run: RecordedRun, kind: type[Event], *instead: Event) -> CheckedPart | None:
    """What is found where the journal has no event of a kind, but others."""
    events, digests, _ = run.journal()
    left = [*(each for each in events if not isinstance(each, kind)), *instead]
    return check_memory(run.folder / MEMORY, KnownJournal(run.plan, left, digests))


@pytest.mark.parametrize(
    ("kind", "receipt"),
    [(ResultAccepted, ReceiptStatus.ACCEPTED), (AttemptFailed, ReceiptStatus.ACCEPTED), (LateResultKept, "late")],
)
def test_an_answer_that_the_journal_lost_is_named(run: RecordedRun, kind: type[Event], receipt: str) -> None:
    part = known_without(run, kind)
    assert part is not None
    assert part.problem.endswith(f"its answer has the receipt {receipt}, and the journal does not know it")


def test_of_what_comes_late_the_journal_has_no_more_than_it_may_keep(run: RecordedRun) -> None:
    late = next(each for each in run.journal()[0] if isinstance(each, LateResultKept))
    others = [replace(late, simulator="simulator-2", message_id=f"m-{number}") for number in range(MAX_KEPT_ASIDE)]
    assert known_without(run, LateResultKept, *others) == CheckedPart(MEMORY, ATTEMPTS)
    part = known_without(run, LateResultKept, *others[1:])
    assert part is not None
    assert "the journal does not know it" in part.problem


def test_a_memory_of_another_campaign_says_nothing_and_one_that_forgot_is_a_note(
    run: RecordedRun, tmp_path: Path
) -> None:
    events, digests, _ = run.journal()
    other = run.plan.model_copy(update={"uid": "another"})
    assert check_memory(run.folder / MEMORY, KnownJournal(other, events, digests)) is None
    (tmp_path / MEMORY).write_bytes((run.folder / MEMORY).read_bytes())
    with closing(sqlite3.connect(tmp_path / MEMORY)) as database:
        database.execute("DELETE FROM attempt WHERE rowid > 3")
        database.commit()
    part = checked(run, folder=tmp_path)
    assert part is not None
    assert (part.problem, part.rows) == ("", 3)
    assert "answers are of attempts that it forgot" in part.note


def test_what_was_withdrawn_and_is_not_kept_agrees_unless_the_journal_never_asked_for_it(
    run: RecordedRun, tmp_path: Path
) -> None:
    shutil.copy(run.folder / MEMORY, tmp_path / MEMORY)
    with closing(Outbox.open(sqlite_url(tmp_path / MEMORY))) as outbox:
        attempt_id = attempt_identity(run.plan.uid, 99, "c000", 1)
        asked = Change(attempt_id, AttemptProgress.RECEIVED, request=b"{}")
        outbox.write([asked, Change(attempt_id, AttemptProgress.WITHDRAWN)], now=SENT_AT)
    events, digests, _ = run.journal()
    unfinished = [each for each in events if not isinstance(each, CampaignFinished)]
    part = check_memory(tmp_path / MEMORY, KnownJournal(run.plan, unfinished, digests))
    assert part == CheckedPart(MEMORY, ATTEMPTS + 1)
    part = check_memory(tmp_path / MEMORY, KnownJournal(run.plan, events, digests))
    assert part is not None
    assert part.problem == f"attempt {attempt_id}: the journal knows of no such attempt"


def test_memories_are_looked_for_in_the_run_folder_and_in_another(run: RecordedRun, tmp_path: Path) -> None:
    assert memories_in(run.folder, "campaign.db") == [run.folder / MEMORY]
    (tmp_path / "other.db").write_bytes(b"")
    assert memories_in(run.folder, "campaign.db", tmp_path) == [run.folder / MEMORY, tmp_path / "other.db"]
    assert memories_in(run.folder, "campaign.db", run.folder) == [run.folder / MEMORY]
    with pytest.raises(StoreError, match="is no folder"):
        memories_in(run.folder, "campaign.db", tmp_path / "nowhere")
