"""Does a simulator remember what the journal says? Its memory tells what it was asked, its answers and their receipts.

It is written by another process than the journal, and may lie on another machine: who changes one of them must change
the other. Held against the journal are the requests and answers of its campaign, attempt by attempt; against the
recording the bytes of both; and the receipts against the journal's chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from agent.campaign.events import AttemptFailed, Event, LateResultKept, ResultAccepted, ResultContradicted
from agent.campaign.results_seen import MAX_CONTRADICTIONS, MAX_KEPT_ASIDE
from protocols.errors import EntropilotError, MessageError, StoreError
from protocols.wire.attempt_ids import uid_of
from protocols.wire.codec import decode, decode_payload
from protocols.wire.messages import (
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    ReceiptStatus,
    ResultReceipt,
)
from protocols.wire.topics import ANY_SIMULATOR
from scenarios.verify.known_journal import KnownJournal
from scenarios.verify.part import CheckedPart
from scenarios.verify.recorded_messages import Heard, digest_of, rest_of
from scenarios.verify.same_as_message import other_than_answer, other_than_request, told
from scenarios.verify.simulator_memory import memory_rows
from simulators.outbox import AttemptProgress, is_whole

GIVEN: Final = (ResultAccepted, LateResultKept, AttemptFailed)
"""What a simulator's own answer brings: it has one for each attempt. What contradicts it may be another message."""


def memories_in(folder: Path, database: str, other: Path | None = None) -> list[Path]:
    """Return the files that may be simulators' memories.

    Args:
        folder: A run folder.
        database: The name of its own database.
        other: A folder with more of them.

    Raises:
        StoreError: When that folder is none.
    """
    if other is not None and not other.is_dir():
        raise StoreError(f"{other} is no folder", expected="the folder that was given as --memory to the simulators")
    folders = [folder] if other is None or other.resolve() == folder.resolve() else [folder, other]
    found = [path for each in folders for path in sorted(each.glob("*.db")) if path.name != database]
    return [path for path in found if path.is_file()]


def check_memory(path: Path, journal: KnownJournal) -> CheckedPart | None:
    """Compare a simulator's memory with a journal; None where it holds nothing of that campaign.

    A simulator forgets what was delivered long ago, and may have been given an empty memory: that is a note.

    Args:
        path: The file; its name without the ending is the simulator's id.
        journal: What it is held against.

    Raises:
        StoreError: When it cannot be read.
    """
    known: set[str] = set()
    chain = ""  # that another digest is there says less than which attempt is another
    with memory_rows(path) as rows:
        for row in rows:
            if uid_of(row.attempt_id) != journal.plan.uid:
                continue
            if problem := other_attempt(row, path.stem, journal):
                return CheckedPart(path.name, len(known), f"attempt {row.attempt_id}: {problem}")
            if not chain and row.receipt and (other := other_end(_receipt_of(row), journal)):
                chain = f"attempt {row.attempt_id}: {other}"
            known.add(row.attempt_id)
    if chain:
        return CheckedPart(path.name, len(known), chain)
    if not known:
        return None
    gone = sum(each not in known and _given(each, path.stem, journal) is not None for each in journal.answered)
    return CheckedPart(path.name, len(known), note=f"{gone} answers are of attempts that it forgot" if gone else "")


def other_attempt(row: Any, simulator: str, journal: KnownJournal) -> str:
    """Return what a simulator remembers otherwise of one attempt, in words; empty where it agrees.

    Args:
        row: Of its memory.
        simulator: Its id.
        journal: What it is held against.
    """
    if not is_whole(row):
        return "it was changed: its digests do not fit"
    try:
        checks: tuple[Callable[[], str], ...] = (
            lambda: _other_progress(row),
            lambda: _other_request(row, simulator, journal),
            lambda: _other_answer(row, simulator, journal),
            lambda: _other_receipt(row, simulator, journal),
        )
        return next((problem for check in checks if (problem := check())), "")
    except EntropilotError as error:
        return error.found


def _other_progress(row: Any) -> str:
    """Return how far an attempt cannot have come, in words."""
    waits = {AttemptProgress.RECEIVED: not row.answer, AttemptProgress.STARTED: not row.answer}
    waits |= {AttemptProgress.ANSWERED: bool(row.answer), AttemptProgress.WITHDRAWN: not row.answer}
    fits = waits.get(row.progress, True) and not (row.receipt and row.progress in waits)
    fits = fits and bool(row.answer) == bool(row.answer_topic)
    return "" if fits else f"it is {row.progress}, which its answer and receipt do not fit"


def _other_request(row: Any, simulator: str, journal: KnownJournal) -> str:
    unknown = "the journal knows of no such attempt" if journal.is_over and row.attempt_id not in journal.issued else ""
    if row.progress == AttemptProgress.WITHDRAWN and not row.request:
        return unknown
    request = decode_payload(row.request)
    if not isinstance(request, CandidateRequest):
        return f"what was asked is a {request.type}"
    if request.attempt_id != row.attempt_id:
        return f"what was asked is attempt {request.attempt_id}"
    if row.attempt_id not in journal.issued:
        return unknown
    number, issued = journal.issued[row.attempt_id]
    recipient = issued.recipient if issued.recipient in {simulator, ANY_SIMULATOR} else simulator
    if difference := other_than_request(issued, recipient, request, journal.plan):
        name, there, asked = difference
        return f"it was asked with {name} = {told(asked)}; row {number} of the journal says {told(there)}"
    sent = () if journal.recorded is None else journal.recorded.requests.get(row.attempt_id, ())
    return _not_among(sent, row.request, request.message_id, "what was asked")


def _other_answer(row: Any, simulator: str, journal: KnownJournal) -> str:
    if not row.answer:
        given = _given(row.attempt_id, simulator, journal)
        return f"row {given} of the journal has an answer of it, and it never gave one" if given else ""
    answer = decode(row.answer_topic, row.answer)
    if not isinstance(answer, CandidateResult | CandidateFailure):
        return f"its answer is a {answer.type}"
    if (answer.attempt_id, answer.simulator) != (row.attempt_id, simulator):
        return f"its answer is of {answer.simulator}, to attempt {answer.attempt_id}"
    heard = () if journal.recorded is None else journal.recorded.answers.get(row.attempt_id, ())
    heard = [each for each in heard if each.topic.endswith(f"/{simulator}")]
    if journal.recorded is not None and journal.recorded.has_gaps:
        heard = _same_message(heard, row.answer, answer.message_id)
    return _other_than_journalled(row, answer, journal) or _not_among(
        heard, row.answer, answer.message_id, "its answer"
    )


def _other_than_journalled(row: Any, answer: CandidateResult | CandidateFailure, journal: KnownJournal) -> str:
    """Return how the journal has another answer than a simulator gave, in words; empty where it has this one or none.

    A message that never came from the simulator's memory, and was taken in its name, is another answer too.
    """
    brought = journal.answered.get(row.attempt_id, ())
    own = [each for each in brought if getattr(each[1], "message_id", "") in {answer.message_id, ""}]
    for number, event in own:
        if difference := other_than_answer(event, answer, journal.plan):
            name, there, said = difference
            return f"it answered {name} = {told(said)}; row {number} of the journal says {told(there)}"
    taken = _given(row.attempt_id, answer.simulator, journal, but=answer.message_id)
    if taken is not None:
        return f"row {taken} of the journal has another message as its answer, which it does not remember to have sent"
    status = _receipt_of(row).status if row.receipt else None
    is_lost = not own and status is not None and _is_journalled(answer, status, [each for _, each in brought])
    return f"its answer has the receipt {status}, and the journal does not know it" if is_lost else ""


def _given(attempt_id: str, simulator: str, journal: KnownJournal, *, but: str = "") -> int | None:
    """Return the row in which the journal has an answer of a simulator to an attempt; None where it has none.

    Args:
        attempt_id: The attempt.
        simulator: The simulator.
        journal: The journal.
        but: Id of a message that is not looked for, and with it events of old, which do not say whose they are.
    """
    passed = {but, ""} if but else set()
    given = ((row, each) for row, each in journal.answered.get(attempt_id, ()) if isinstance(each, GIVEN))
    return next((row for row, each in given if each.simulator == simulator and each.message_id not in passed), None)


def _is_journalled(answer: CandidateResult | CandidateFailure, status: ReceiptStatus, brought: Sequence[Event]) -> bool:
    """Tell whether the journal has the answer that got such a receipt; of what changes nothing it has only a few."""
    match status:
        case ReceiptStatus.ACCEPTED:
            return True
        case ReceiptStatus.CONTRADICTS:
            return sum(isinstance(each, ResultContradicted) for each in brought) < MAX_CONTRADICTIONS
        case ReceiptStatus.LATE:  # a failure that comes late changes nothing
            kept = sum(isinstance(each, LateResultKept | AttemptFailed) for each in brought)
            return isinstance(answer, CandidateResult) and kept < MAX_KEPT_ASIDE
        case _:  # what is refused may have gone to the quarantine, and a repetition brings nothing
            return False


def _other_receipt(row: Any, simulator: str, journal: KnownJournal) -> str:
    if not row.receipt:
        return ""
    receipt = _receipt_of(row)
    if (receipt.attempt_id, receipt.simulator) != (row.attempt_id, simulator):
        return f"its receipt is for {receipt.simulator}, of attempt {receipt.attempt_id}"
    if journal.recorded is None:
        return ""
    sent = journal.recorded.receipts_sent.get(row.attempt_id, ())
    if journal.recorded.starts > 1 or journal.recorded.has_gaps:  # one may have been sent that is not written down
        sent = _same_message(sent, row.receipt, receipt.message_id)
    return _not_among(sent, row.receipt, receipt.message_id, "its receipt")


def other_end(receipt: ResultReceipt, journal: KnownJournal) -> str:
    """Return how row and digest in a receipt do not fit a journal, in words; empty where they do, or it has none."""
    problem = journal.other_row(receipt.row, receipt.digest)
    return f"its receipt says otherwise: {problem}" if problem else ""


def _receipt_of(row: Any) -> ResultReceipt:
    receipt = decode_payload(row.receipt)
    if not isinstance(receipt, ResultReceipt):
        raise MessageError("wrong_topic", f"its receipt is a {receipt.type}")
    return receipt


def _same_message(known: Sequence[Heard], payload: bytes, message_id: str) -> list[Heard]:
    """Return what must be the same message, where another one may not be written down: by id, or by all but it."""
    rest = rest_of(payload, message_id)
    return [each for each in known if each.message_id == message_id or each.rest == rest]


def _not_among(known: Sequence[Heard], payload: bytes, message_id: str, what: str) -> str:
    """Tell that a payload is none of those in the recording, in words; empty where it is, or nothing was recorded."""
    if not known or digest_of(payload) in {each.digest for each in known}:
        return ""
    rows = [each.row for each in known if each.message_id == message_id] or [each.row for each in known]
    return f"{what} is not what the recording has in row {' or '.join(map(str, dict.fromkeys(rows)))}"
