"""What an agent cannot have sent is named by its row in the recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.run_files import RECORDING
from protocols.recording.lines import OUT, MessageRow
from protocols.recording.reader import open_recording
from protocols.wire.messages import ReceiptStatus
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.recorded_events import Ack, ReceiptsGiven
from scenarios.verify.recorded_messages import RecordedMessages
from scenarios.verify.sent_check import other_sent
from tests.support.samples.recorded_run import ATTEMPTS, RecordedRun, made


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RecordedRun:
    return made(tmp_path_factory.mktemp("run"))


def messages_of(folder: Path) -> RecordedMessages:
    messages = RecordedMessages()
    with open_recording(folder / RECORDING) as recording:
        for row in recording.rows():
            messages.note(row)
    return messages


def sent(run: RecordedRun, messages: RecordedMessages, acks: set[Ack] | None = None, rows: int | None = None) -> str:
    events, digests, points = run.journal()
    journal = KnownJournal(run.plan, events[:rows], digests[:rows], messages)
    return other_sent(messages, journal, points, None if acks is None else ReceiptsGiven(acks))


def acks_of(messages: RecordedMessages) -> set[Ack]:
    receipts = (each for _, each in messages.receipts)
    return {(each.attempt_id, each.simulator, each.status, each.detail, each.answers) for each in receipts}


def test_what_was_sent_is_what_the_journal_says(run: RecordedRun) -> None:
    messages = messages_of(run.folder)
    assert (len(messages.asked), len(messages.receipts), len(messages.reports), messages.starts) == (ATTEMPTS, 11, 4, 1)
    assert sent(run, messages, acks_of(messages)) == ""


def request(**changes: Any) -> Callable[[RecordedMessages], None]:
    def spoil(messages: RecordedMessages) -> None:
        row, recipient, message = messages.asked[1]
        messages.asked[1] = (row, changes.pop("recipient", recipient), message.model_copy(update=changes))

    return spoil


def receipt(**changes: Any) -> Callable[[RecordedMessages], None]:
    def spoil(messages: RecordedMessages) -> None:
        row, message = messages.receipts[1]
        messages.receipts[1] = (row, message.model_copy(update=changes))

    return spoil


def report(**changes: Any) -> Callable[[RecordedMessages], None]:
    def spoil(messages: RecordedMessages) -> None:
        row, message = messages.reports[1]
        messages.reports[1] = (row, message.model_copy(update=changes))

    return spoil


SPOILT = {
    "a request of another candidate": (request(candidate_id="c011"), "asks with candidate_id = 'c011'"),
    "a request to another": (request(recipient="simulator-2"), "asks with recipient = 'simulator-2'"),
    "a request of no attempt": (request(attempt_id="nobodys"), "which the journal does not know"),
    "a receipt that the rules do not give": (receipt(status=ReceiptStatus.LATE), "which the rules do not give"),
    "a receipt of another message": (receipt(answers="m-of-nobody"), "which the rules do not give"),
    "a receipt with another digest": (receipt(digest="f" * 64), "says otherwise: row"),
    "a receipt of a row that is not there": (receipt(row=999), "it knows row 999 of a journal that ends at"),
    "a report of another gap": (report(mean_gap=9.0), "reports mean_gap = 9.0; the journal says"),
    "a report of another unit": (report(unit="K"), "reports unit = K"),
    "a report of fewer families": (report(families=()), "reports other families than the journal has"),
    "a report of an observation that never was": (report(observation=77), "reports observation 77; the journal has 4"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILT.values(), ids=SPOILT)
def test_what_was_never_sent_is_named(run: RecordedRun, spoil: Callable[[RecordedMessages], None], words: str) -> None:
    messages = messages_of(run.folder)
    acks = acks_of(messages)
    spoil(messages)
    found = sent(run, messages, acks)
    assert found.startswith("row ")
    assert words in found


def test_receipts_are_not_judged_where_the_rules_could_not_be_followed(run: RecordedRun) -> None:
    messages = messages_of(run.folder)
    receipt(status=ReceiptStatus.LATE)(messages)
    assert sent(run, messages, None) == ""


def test_a_campaign_that_goes_on_may_have_sent_more_than_the_journal_knows_by_now(run: RecordedRun) -> None:
    messages = messages_of(run.folder)
    assert sent(run, messages, acks_of(messages), rows=6) == ""


def test_the_first_of_several_is_named_and_what_is_no_message_at_all_is_told(run: RecordedRun) -> None:
    messages = messages_of(run.folder)
    acks = acks_of(messages)
    request(decision=5)(messages)
    receipt(status=ReceiptStatus.LATE)(messages)
    assert sent(run, messages, acks).startswith(f"row {messages.asked[1][0]} asks")
    spoilt = MessageRow(1, 0.0, OUT, "entropilot/v1/demo/metrics", b"{}", retain=True)
    messages.note(spoilt)
    messages.note(replace(spoilt, number=2))
    assert sent(run, messages, acks).startswith("row 1 is no message that an agent sends")
