"""What an image of the campaign's disk must hold: all that the world outside had seen when the power went.

A recorded campaign is one story, so whatever a power cut leaves must be a beginning of it: the journal a beginning of
the final journal (byte for byte, digests and all), the views the fold of just that beginning. Then one number says what
an image holds, the journal's length, and the world's marks say how long it must be at least.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.campaign.events import AttemptFailed, Event, LateResultKept, RequestIssued, ResultAccepted, load_event
from agent.store.standing import GENESIS_DIGEST, chain_digest
from protocols.storage.wal_check import is_damaged
from protocols.wire.codec import decode_payload
from protocols.wire.messages import CandidateFailure, CandidateResult
from simulators.outbox import AttemptProgress
from tests.crash.powercut.campaign import POOL
from tests.support.campaigns import UNIT
from tests.support.checker.ledger import answer_digest
from tests.support.stored_campaigns import _folded, labels_of

ANSWERED: Final = frozenset({AttemptProgress.ANSWERED, AttemptProgress.DELIVERED})
BEGUN: Final = ANSWERED | {AttemptProgress.STARTED}
NOTHING: Final = (0, frozenset[str]())


class Broken(Exception):
    """An image breaks a promise."""


def open_image(path: Path) -> sqlite3.Connection:
    """Open a database of an image and let SQLite judge it; reading only, but for what SQLite itself recovers.

    Raises:
        Broken: When it is damaged.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        connection.close()
        raise Broken(f"{path.name} is damaged: {verdict}")
    return connection


def require_welcome(path: Path) -> None:
    """Check that a start would not take for damage what a power cut left in the WAL.

    Raises:
        Broken: When it would.
    """
    wal = path.with_name(f"{path.name}-wal")
    if wal.exists() and is_damaged(wal):
        raise Broken(f"{wal.name} would be refused as damaged")


@dataclass(slots=True)
class JournalFold:
    """The whole campaign, as its last database tells it."""

    rows: list[tuple[Any, ...]]
    events: list[Event]
    bias: list[tuple[Any, ...]]
    families: list[tuple[Any, ...]]
    observations: list[tuple[Any, ...]]
    _requests: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> JournalFold:
        """Read it, checking every digest of the chain."""
        connection = open_image(path)
        rows = connection.execute("SELECT sequence, kind, payload, digest FROM journal ORDER BY sequence").fetchall()
        digest = GENESIS_DIGEST
        for expected, (sequence, kind, payload, written) in enumerate(rows, 1):
            digest = chain_digest(digest, sequence, kind, payload)
            if (sequence, written) != (expected, digest):
                raise Broken(f"row {expected} of the journal breaks the chain")
        bias, families, observations = (
            connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
            for table, order in (
                ("bias_point", "observation"),
                ("bias_family", "observation, family"),
                ("observation", "sequence"),
            )
        )
        connection.close()
        events = [load_event(kind, payload) for _, kind, payload, _ in rows]
        return cls(rows, events, bias, families, observations)

    def requests_at(self, length: int) -> list[tuple[Any, ...]]:
        """Return the view of the requests as folded from a beginning of the journal."""
        if length not in self._requests:
            _, requests = _folded(list(enumerate(self.events[:length], 1)), labels_of(POOL, UNIT))
            self._requests[length] = sorted(tuple(row.values()) for row in requests.values())
        return self._requests[length]

    def in_flight_at(self, length: int) -> frozenset[str]:
        """Return the attempts that the requests' view shows as awaited."""
        return frozenset(row[0] for row in self.requests_at(length) if not row[6])


def agent_facts(folder: Path, fold: JournalFold) -> tuple[int, frozenset[str]]:
    """Check an image's campaign against the story; return its journal's length and its outbox.

    Raises:
        Broken: When it is damaged, or no beginning of the story.
    """
    path = folder / "campaign.db"
    if not path.exists():
        return NOTHING
    connection = open_image(path)
    try:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "journal" not in tables:
            if tables:
                raise Broken(f"half of a schema: {sorted(tables)}")
            return NOTHING
        rows = connection.execute("SELECT sequence, kind, payload, digest FROM journal ORDER BY sequence").fetchall()
        length = len(rows)
        _same("journal", rows, fold.rows[:length])
        points = connection.execute("SELECT * FROM bias_point ORDER BY observation").fetchall()
        _same("bias_point", points, [row for row in fold.bias if row[1] <= length])
        families = connection.execute("SELECT * FROM bias_family ORDER BY observation, family").fetchall()
        _same("bias_family", families, [row for row in fold.families if row[0] < len(points)])
        observed = connection.execute("SELECT * FROM observation ORDER BY sequence").fetchall()
        _same("observation", observed, [row for row in fold.observations if row[1] <= length])
        _same("request", sorted(connection.execute("SELECT * FROM request").fetchall()), fold.requests_at(length))
        outbox = frozenset(row[0] for row in connection.execute("SELECT attempt_id FROM outbox"))
        if not outbox <= {row[0] for row in fold.requests_at(length)}:
            raise Broken("the outbox holds a request that the journal does not know")
        return length, outbox
    finally:
        connection.close()


Facts = dict[str, tuple[AttemptProgress, str]]


def simulator_facts(folder: Path, simulator: str) -> Facts:
    """Read an image's simulator: attempt -> progress and digest of its answer.

    Raises:
        Broken: When it is damaged.
    """
    path = folder / f"{simulator}.db"
    if not path.exists():
        return {}
    connection = open_image(path)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'attempt'").fetchone():
            return {}
        rows = connection.execute("SELECT attempt_id, progress, answer FROM attempt").fetchall()
    finally:
        connection.close()
    return {attempt: (AttemptProgress(progress), _answer_digest(answer)) for attempt, progress, answer in rows}


class Owed:
    """What the world has seen so far, and what an image must therefore hold.

    Args:
        fold: The whole campaign.
    """

    def __init__(self, fold: JournalFold) -> None:
        self.fold = fold
        self.journal_length = 0
        """How long the journal must be at least."""
        self.because = ""
        self.sent: set[str] = set()
        self.confirmed: set[str] = set()
        self.taken: set[str] = set()
        self.begun: set[str] = set()
        self.answers: dict[str, set[str]] = {}
        self._accepted = {
            e.attempt_id: n for n, e in enumerate(fold.events, 1) if isinstance(e, ResultAccepted | AttemptFailed)
        }
        self._late = {e.attempt_id: n for n, e in enumerate(fold.events, 1) if isinstance(e, LateResultKept)}
        self._issued = {e.attempt_id: n for n, e in enumerate(fold.events, 1) if isinstance(e, RequestIssued)}
        self._controls = {
            identity: n
            for n, e in enumerate(fold.events, 1)
            if (identity := getattr(e, "message_id", None)) is not None
        }

    def see(self, mark: dict[str, Any]) -> None:
        """Take the world's next mark.

        Raises:
            Broken: When the whole story does not hold what the world saw.
        """
        which = mark["which"]
        match mark["what"]:
            case "receipt" if mark["status"] in {"accepted", "refused"}:
                self._need(self._accepted.get(which), f"the receipt of {which}")
            case "receipt" if mark["status"] == "late" and which in self._late:
                self._need(self._late[which], f"the late receipt of {which}")
            case "request":
                self._need(self._issued.get(which), f"the request {which}")
                self.sent.add(which)
            case "confirmed":
                self.confirmed.add(which)
            case "taken" if mark["kind"] == "control":
                self._need(self._controls.get(which), f"the operator's wish {which}")
            case "taken":
                self.taken.add(which)
            case "began":
                if which in self.begun:
                    raise Broken(f"{which} was evaluated twice")
                self.begun.add(which)
            case "answer":
                self.answers.setdefault(which, set()).add(mark["digest"])

    def check_agent(self, length: int, outbox: Iterable[str]) -> None:
        """Compare with an image's campaign.

        Raises:
            Broken: When something is missing.
        """
        if length < self.journal_length:
            raise Broken(f"the journal ends at {length}; the world has seen {self.journal_length}: {self.because}")
        lost = (self.sent & self.fold.in_flight_at(length)) - self.confirmed - set(outbox)
        if lost:
            raise Broken(f"sent, not confirmed and not in the outbox: {sorted(lost)[:3]}")

    def check_simulator(self, facts: Facts) -> None:
        """Compare with an image's simulator.

        Raises:
            Broken: When something is missing.
        """
        nothing = (AttemptProgress.RECEIVED, "")
        for attempt in self.taken - facts.keys():
            raise Broken(f"the simulator let the broker forget request {attempt} and does not have it")
        for attempt in self.begun:
            if facts.get(attempt, nothing)[0] not in BEGUN:
                raise Broken(f"{attempt} was begun, and a restart would begin it again")
        for attempt, digests in self.answers.items():
            progress, digest = facts.get(attempt, nothing)
            if progress not in ANSWERED or {digest} != digests:
                raise Broken(f"the answer of {attempt} was sent and is not in the outbox")

    def _need(self, sequence: int | None, why: str) -> None:
        if sequence is None:
            raise Broken(f"{why} is nowhere in the journal")
        if sequence > self.journal_length:
            self.journal_length, self.because = sequence, why


def _same(table: str, found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    if found != expected:
        first = next((n for n, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), None)
        where = f"row {first}: {found[first]}, not {expected[first]}" if first is not None else ""
        raise Broken(f"{table}: {len(found)} rows, {len(expected)} by the journal's fold {where}")


def _answer_digest(payload: bytes) -> str:
    if not payload:
        return ""
    message = decode_payload(payload)
    assert isinstance(message, CandidateResult | CandidateFailure)
    return answer_digest(message)


def digest_of(parts: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the digest of named parts."""
    whole = hashlib.blake2b(digest_size=16)
    for name, part in parts:
        whole.update(f"{len(name)}|{name}|".encode() + part)
    return whole.digest()
