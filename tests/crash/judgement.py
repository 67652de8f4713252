"""Judges a golden campaign that was disturbed: by its database and the ledger only, beside an undisturbed twin."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent.campaign.dataset import dataset_of
from agent.campaign.events import (
    OF_CONTROLS,
    AttemptFailed,
    CampaignFinished,
    DecisionMade,
    Event,
    LateResultKept,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
)
from agent.campaign.life_cycle import Phase
from agent.store.store import Store
from agent.store.tables import OUTBOX
from protocols.errors import EntropilotError
from protocols.recording.reader import open_recording
from protocols.storage.database import sqlite_url
from protocols.wire.messages import FailureReason, Quantity, ReceiptStatus
from protocols.wire.topics import ANY_SIMULATOR
from scenarios.replay.follow import Follower
from tests.crash.golden import OPERATOR, POOL, SIMULATOR, Attentive
from tests.support.campaigns import SENT_AT, refold
from tests.support.checker.ledger import Entry, quantities_digest, read_ledger
from tests.support.stored_campaigns import assert_views_equal_fold, labels_of, rows


@dataclass(frozen=True, slots=True)
class JournalFold:
    """What a campaign came to, and must come to however it was disturbed."""

    decisions: tuple[tuple[Any, ...], ...]
    """All that was decided, but for `based_on`: that is a number of the journal, where an interruption is one more."""
    values: dict[str, float]
    attempts: dict[str, int]
    """Candidate -> attempts made."""
    orders: tuple[str, ...] = ()
    """What came of the operator's orders: each once, in their order."""


def story_of(folder: Path) -> JournalFold:
    """Read the story of a finished campaign."""
    with _opened(folder) as store:
        return _story(list(store.journal()))


def judge(folder: Path, twin: JournalFold) -> list[str]:
    """Return every violation of a finished campaign in words; see DESIGN.md for the invariants.

    Args:
        folder: The golden campaign's.
        twin: The story of an undisturbed one.
    """
    with _opened(folder) as store:
        events = list(store.journal())  # numbers and digests are checked on the way (I7)
        ledger = list(read_ledger(folder / "witness" / f"{SIMULATOR}.jsonl"))
        problems = [*_divergences(events, twin), *_broken_rules(events), *_broken_receipts(events, ledger)]
        try:
            assert_views_equal_fold(store, POOL)
        except AssertionError as error:
            problems.append(f"I4: a view is not the fold of the journal: {str(error)[:200]}")
        problems += [f"outbox: {row[0]} is still in it" for row in rows(store, OUTBOX)]
    problems += _unlike_the_recording(folder / "run" / "recording.jsonl", events)
    return problems + [
        f"{name} is damaged: {found}"
        for name in ("campaign.db", f"{SIMULATOR}.db")
        if (found := integrity(folder / "run" / name)) != "ok"
    ]


def integrity(path: Path) -> str:
    """Return what SQLite finds when it checks a whole file."""
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


def _unlike_the_recording(path: Path, events: list[Event]) -> Iterator[str]:
    """Say what a replay of the recording makes otherwise than the agent did, kills and all."""
    follower = Follower(POOL, Attentive.answer, followed=lambda step, _time_s: made.extend(step.events))
    made: list[Event] = []
    try:
        with open_recording(path) as recording:
            for row in recording.rows():
                follower.take(row)
    except EntropilotError as error:
        yield f"recording: {error.found}"
        return
    outcome = follower.finish()
    if not outcome.is_identical:
        difference = outcome.first_difference
        yield f"replay: {outcome.lost or ('' if difference is None else difference.what)}"
    if made[-len(events) :] != events:
        yield f"replay: it makes {len(made)} events, and not the {len(events)} of the journal"


def lost_at_death(folder: Path) -> list[str]:
    """Return every answer whose receipt was out when a process was killed, and which its files do not hold (I1).

    So too every attempt that an instrument was told to leave, and that the files do not hold as ended.
    """
    receipts = {
        (entry.attempt, entry.status)
        for entry in read_ledger(folder / "witness" / f"{SIMULATOR}.jsonl")
        if entry.what == "receipt" and entry.status != ReceiptStatus.LATE
    }
    if not receipts:
        return []
    with TemporaryDirectory(dir=folder.parent) as copy:  # to open a database recovers it: that is for the restart
        shutil.copytree(folder / "run", copy, dirs_exist_ok=True)
        connection = sqlite3.connect(Path(copy, "campaign.db"))
        try:
            recorded = _attempts_of(connection, "ResultAccepted", "AttemptFailed", "LateResultKept")
            expired = _attempts_of(connection, "RequestExpired")
        finally:
            connection.close()
    return [
        f"I1: {attempt} had a receipt ({status}) at the death and is not in the journal"
        for attempt, status in sorted(receipts)
        if attempt not in (expired if status == ReceiptStatus.WITHDRAWN else recorded)
    ]


def _attempts_of(connection: sqlite3.Connection, *kinds: str) -> set[str]:
    """Return the attempts that the journal's events of some kinds are of."""
    places = ", ".join("?" * len(kinds))
    found = connection.execute(f"SELECT payload FROM journal WHERE kind IN ({places})", kinds)
    return {json.loads(payload)["attempt_id"] for (payload,) in found}


@contextmanager
def _opened(folder: Path) -> Iterator[Store]:
    store = Store.open(sqlite_url(folder / "run" / "campaign.db"), labels=labels_of(POOL), now=SENT_AT)
    try:
        yield store
    finally:
        store.close()


def _story(events: list[Event]) -> JournalFold:
    decisions = []
    attempts: Counter[str] = Counter()
    for event in events:
        match event:
            case DecisionMade():
                fields = [name for name in event.__dataclass_fields__ if name != "based_on"]
                decisions.append(tuple(repr(getattr(event, name)) for name in fields))
            case RequestIssued():
                attempts[event.candidate_id] += 1
            case _:
                pass
    orders = tuple(
        repr(event)
        for event in events
        if isinstance(event, OF_CONTROLS) and event.message_id is not None and event.operator == OPERATOR
    )
    values = {which: each.value for which, each in dataset_of(events).items()}
    return JournalFold(tuple(decisions), values, dict(attempts), orders)


def _divergences(events: list[Event], twin: JournalFold) -> Iterator[str]:
    fold = _story(events)
    for number, (ours, theirs) in enumerate(zip(fold.decisions, twin.decisions, strict=False)):
        if ours != theirs:
            yield f"I5: decision {number} is {ours}; the twin's is {theirs}"
            break
    if len(fold.decisions) != len(twin.decisions):
        yield f"I5: {len(fold.decisions)} decisions; the twin made {len(twin.decisions)}"
    if fold.orders != twin.orders:
        yield f"I5: the orders made {fold.orders}; the twin's made {twin.orders}"
    if fold.values != twin.values:
        yield f"I5: the dataset is {fold.values}; the twin's is {twin.values}"
    interrupted = Counter(
        event.candidate_id
        for event in events
        if isinstance(event, AttemptFailed) and event.reason == FailureReason.INTERRUPTED
    )
    # A bus that forgets loses what was sent to "any" and confirmed: nobody may send that again, so it expires. What an
    # instrument holds that leaves is given to another.
    shared = {e.attempt_id for e in events if isinstance(e, RequestIssued) and e.recipient == ANY_SIMULATOR}
    ended = (e for e in events if isinstance(e, RequestExpired))
    expired = Counter(e.candidate_id for e in ended if e.attempt_id in shared or not e.costs_attempt)
    for candidate_id, made in fold.attempts.items():
        undisturbed, extra = twin.attempts.get(candidate_id, 0), interrupted[candidate_id] + expired[candidate_id]
        if made > undisturbed + extra:
            yield f"I3: {made} attempts of {candidate_id}; the twin made {undisturbed}, and {extra} more had a reason"


def _broken_rules(events: list[Event]) -> Iterator[str]:
    campaign = refold(POOL, events)  # raises at what cannot follow: a second observation, a budget overrun (I2, I8)
    if campaign.phase is not Phase.FINISHED or not isinstance(events[-1], CampaignFinished):
        yield f"I12: the campaign is {campaign.phase}, its last event {events[-1]}"
    open_attempts: dict[str, str] = {}
    for event in events:
        match event:
            case RequestIssued():
                if event.candidate_id in open_attempts:
                    yield f"I3: {event.attempt_id} was issued while {open_attempts[event.candidate_id]} was open"
                open_attempts[event.candidate_id] = event.attempt_id
            case AttemptFailed() | RequestExpired() | ResultAccepted():
                open_attempts.pop(event.candidate_id, None)
            case _:
                pass


def _broken_receipts(events: list[Event], ledger: list[Entry]) -> Iterator[str]:
    begun = Counter(entry.attempt for entry in ledger if entry.what == "began")
    yield from (f"I2: {attempt} was begun {times} times" for attempt, times in begun.items() if times > 1)
    sent: dict[str, set[str]] = {}
    for entry in ledger:
        if entry.what == "sending":
            sent.setdefault(entry.attempt, set()).add(entry.digest)
    yield from (f"{which} was answered in {len(told)} ways" for which, told in sent.items() if len(told) > 1)
    recorded = {
        event.attempt_id for event in events if isinstance(event, ResultAccepted | AttemptFailed | LateResultKept)
    }
    yield from (
        f"I1: the answer to {attempt} was sent and never recorded" for attempt in sent if attempt not in recorded
    )
    expired = {event.attempt_id for event in events if isinstance(event, RequestExpired)}
    kept_as = {ReceiptStatus.LATE: recorded | expired, ReceiptStatus.WITHDRAWN: expired}
    for entry in ledger:
        kept = recorded if entry.what != "receipt" else kept_as.get(ReceiptStatus(entry.status), recorded)
        if entry.what == "receipt" and entry.attempt not in kept:
            yield f"I1: {entry.attempt} has a receipt ({entry.status}) and is not in the journal"
    for event in events:
        if isinstance(event, ResultAccepted) and sent.get(event.attempt_id) != {_digest(event)}:
            yield f"I1: the journal holds another result of {event.attempt_id} than was sent"


def _digest(event: ResultAccepted) -> str:
    return quantities_digest(tuple(Quantity(name=q.name, value=q.value, unit=q.unit) for q in event.quantities))
