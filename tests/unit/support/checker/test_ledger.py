"""A ledger holds every line that was written before its writer was killed, and says what passed the two ports."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from protocols.link.transport import Delivery, Incoming, LinkLost
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import CandidateFailure, CandidateRequest, FailureReason, ReceiptStatus, ResultReceipt
from tests.support.campaigns import NOW, PROPERTY, quantity
from tests.support.checker.ledger import (
    Entry,
    Ledger,
    LedgeredExecutor,
    LedgeredTransport,
    quantities_digest,
    read_ledger,
)
from tests.support.evaluators import HeldExecutor, UnmakableExecutor

HEAD: dict[str, Any] = {"campaign": "demo", "message_id": "m", "sent_at": NOW}
REQUEST = CandidateRequest(
    **HEAD,
    attempt_id="a1",
    candidate_id="c1",
    decision=0,
    attempt=1,
    family="f",
    properties=(PROPERTY,),
    deadline_s=9.0,
)
FAILURE = CandidateFailure(
    **HEAD, attempt_id="a1", candidate_id="c1", simulator="simulator-1", reason=FailureReason.CRASHED
)


class OneWay:
    """A link that gives one message and takes what is published, or loses it."""

    def __init__(self, incoming: Incoming | None = None, *, loses: bool = False) -> None:
        self._incoming = incoming
        self._loses = loses

    async def run(self) -> None:
        return

    async def receive(self) -> Incoming:
        assert self._incoming is not None
        return self._incoming

    def acknowledge(self, delivery: Delivery) -> None:
        return

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if self._loses:
            raise LinkLost

    async def close(self) -> None:
        return


def whats(ledger: Ledger) -> list[str]:
    return [entry.what for entry in ledger.entries]


def test_a_ledger_is_read_back_and_a_torn_last_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    first = Ledger(path, "simulator-1")
    first.note("asked", "a1", candidate="c1")
    first.close()
    second = Ledger(path, "simulator-1")
    second.note("began", "a1", candidate="c1")
    second.close()
    with path.open("ab") as file:
        file.write(b'{"lab": "simulator-1", "li')
    assert list(read_ledger(path)) == [
        Entry("simulator-1", 1, "asked", "a1", "c1"),
        Entry("simulator-1", 2, "began", "a1", "c1"),
    ]


def test_a_ledger_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(read_ledger(tmp_path / "none")) == []


async def test_requests_receipts_and_answers_are_noted_and_a_lost_answer_has_no_end() -> None:
    ledger = Ledger(None, "simulator-1")
    payload = encode(REQUEST)
    request = Delivery(topic_of(REQUEST, recipient="any"), payload, retain=False, qos=1, ack_token=None)
    await LedgeredTransport(OneWay(request), ledger).receive()
    await LedgeredTransport(OneWay(), ledger).publish(topic_of(FAILURE), encode(FAILURE))
    with pytest.raises(LinkLost):
        await LedgeredTransport(OneWay(loses=True), ledger).publish(topic_of(FAILURE), encode(FAILURE))
    for simulator in ("simulator-1", "simulator-2"):
        receipt = ResultReceipt(**HEAD, attempt_id="a1", simulator=simulator, status=ReceiptStatus.ACCEPTED)
        came = Delivery(topic_of(receipt), encode(receipt), retain=False, qos=1, ack_token=None)
        await LedgeredTransport(OneWay(came), ledger).receive()
    garbage = Delivery("entropilot/v1/demo/request/any", b"{", retain=False, qos=1, ack_token=None)
    assert await LedgeredTransport(OneWay(garbage), ledger).receive() == garbage
    assert whats(ledger) == ["asked", "sending", "sent", "sending", "receipt"]
    assert ledger.entries[-1].status == "accepted"


async def test_an_evaluation_has_a_begin_and_an_end_unless_it_was_killed() -> None:
    ledger, held = Ledger(None, "simulator-1"), HeldExecutor()
    executor = LedgeredExecutor(held, ledger)
    killed = asyncio.create_task(executor.evaluate(REQUEST))
    await asyncio.sleep(0)
    killed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await killed
    assert whats(ledger) == ["began"]
    ended = asyncio.create_task(executor.evaluate(REQUEST))
    await asyncio.sleep(0)
    held.release("a1")
    assert ledger.entries[-1].what == "began"
    digest = quantities_digest((await ended).quantities)
    assert ledger.entries[-1] == Entry("simulator-1", 1, "evaluated", "a1", "c1", digest)
    with pytest.raises(Exception, match="cannot be made"):
        await LedgeredExecutor(UnmakableExecutor(), ledger).evaluate(REQUEST)
    assert ledger.entries[-1].what == "failed"


def test_the_digest_is_of_name_value_and_unit() -> None:
    digests = {
        quantities_digest((each,))
        for each in (quantity(1.0), quantity(1.5), quantity(1.0, unit="eV"), quantity(1.0, name="other"))
    }
    assert len(digests) == 4
