"""The ledger: what a lab was asked, evaluated, sent and got receipts for, written down outside the system.

A campaign's own database cannot bear witness for itself. So a lab that is under test notes what passes its two ports,
the link and the executor, in a file of JSON lines that no part of the system reads or writes, and a checker compares
that file with the database afterwards (as Jepsen does with histories). One line:

    {"lab": "simulator-1", "life": 2, "what": "evaluated", "attempt": …, "candidate": …, "digest": …}

| what | when it is written | what it then proves |
|---|---|---|
| asked | a request came over the link | nothing yet: it may come again |
| began | an evaluation began | the attempt was begun; a second one is a double evaluation |
| evaluated | an evaluation ended with quantities | `digest` is of the quantities |
| failed | an evaluation ended without | |
| sending | an answer is about to be published | from here on its outcome is unknown |
| sent | the broker confirmed it | the broker had it, no more |
| receipt | a receipt came over the link | `status`: the agent says that it is committed, `message`: of which answer |

A line is written with one `write` call before what it announces goes on, so a killed lab loses none that matters. An
operation whose end is not in the ledger has an unknown outcome: a class of its own, neither done nor undone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocols.errors import MessageError
from protocols.link.transport import Delivery, Incoming, Transport
from protocols.wire.codec import decode
from protocols.wire.messages import CandidateFailure, CandidateRequest, CandidateResult, Quantity, ResultReceipt
from simulators.evaluator import Measurement
from simulators.executors.executor import Executor


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger."""

    lab: str
    life: int
    """Which start of the lab: 1, 2, …"""
    what: str
    attempt: str
    candidate: str = ""
    digest: str = ""
    """Of an answer's content: quantities or reason, never its time of sending."""
    status: str = ""
    """Of a receipt."""
    message: str = ""
    """Id of an answer, or of the message that a receipt is of."""


class Ledger:
    """Appends to a lab's ledger.

    Args:
        path: The file; one per lab. None keeps the entries in memory only.
        lab: Its simulator id.
    """

    def __init__(self, path: Path | None, lab: str) -> None:
        self.lab = lab
        self.entries: list[Entry] = [] if path is None else list(read_ledger(path))
        self.life = 1 + max((entry.life for entry in self.entries), default=0)
        self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, what: str, attempt: str, **fields: str) -> None:
        """Write one line; fields as of an entry."""
        entry = Entry(self.lab, self.life, what, attempt, **fields)
        self.entries.append(entry)
        if self._file is not None:
            row = {name: getattr(entry, name) for name in Entry.__slots__}
            os.write(self._file, (json.dumps(row) + "\n").encode())

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read_ledger(path: Path) -> Iterator[Entry]:
    """Read a ledger; a torn last line (a killed lab) is passed over."""
    if not path.exists():
        return
    *whole, _torn = path.read_bytes().split(b"\n")
    for line in whole:
        yield Entry(**json.loads(line))


class LedgeredTransport:
    """A lab's link that notes requests, answers and receipts."""

    def __init__(self, inner: Transport, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger

    async def run(self) -> None:
        await self._inner.run()

    async def receive(self) -> Incoming:
        item = await self._inner.receive()
        if isinstance(item, Delivery):
            self._note_delivery(item)
        return item

    def acknowledge(self, delivery: Delivery) -> None:
        self._inner.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        message = decode(topic, payload)
        if not isinstance(message, CandidateResult | CandidateFailure):
            await self._inner.publish(topic, payload, retain=retain)
            return
        identity = {"candidate": message.candidate_id, "digest": answer_digest(message), "message": message.message_id}
        self._ledger.note("sending", message.attempt_id, **identity)
        await self._inner.publish(topic, payload, retain=retain)
        self._ledger.note("sent", message.attempt_id, **identity)

    async def close(self) -> None:
        await self._inner.close()

    def _note_delivery(self, delivery: Delivery) -> None:
        try:
            message = decode(delivery.topic, delivery.payload)
        except MessageError:
            return  # a fault of the link; the lab refuses it as well
        if isinstance(message, CandidateRequest):
            self._ledger.note("asked", message.attempt_id, candidate=message.candidate_id)
        elif isinstance(message, ResultReceipt) and message.simulator == self._ledger.lab:
            self._ledger.note("receipt", message.attempt_id, status=message.status.value, message=message.answers or "")


class LedgeredExecutor:
    """A lab's executor that notes what was evaluated."""

    def __init__(self, inner: Executor, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        identity: dict[str, Any] = {"candidate": request.candidate_id}
        self._ledger.note("began", request.attempt_id, **identity)
        try:
            measured = await self._inner.evaluate(request)
        except Exception:
            self._ledger.note("failed", request.attempt_id, **identity)
            raise
        self._ledger.note("evaluated", request.attempt_id, digest=quantities_digest(measured.quantities), **identity)
        return measured

    async def close(self) -> None:
        await self._inner.close()


def answer_digest(message: CandidateResult | CandidateFailure) -> str:
    """Return the digest of what an answer says."""
    if isinstance(message, CandidateResult):
        return quantities_digest(message.quantities)
    return hashlib.sha256(f"failure|{message.reason.value}".encode()).hexdigest()[:16]


def quantities_digest(quantities: tuple[Quantity, ...]) -> str:
    """Return the digest of quantities: name, value and unit, in order."""
    content = json.dumps([[q.name, q.value, q.unit] for q in quantities])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
