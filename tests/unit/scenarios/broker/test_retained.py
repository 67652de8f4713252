"""Of what comes from a broker only what is retained counts, without the signatures around it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from protocols.link.broker_settings import BrokerSettings
from protocols.link.transport import Delivery, Incoming, LinkDown
from protocols.signing.envelope import wrap
from scenarios.broker import retained
from scenarios.broker.retained import retained_on

BROKER = BrokerSettings(url="mqtt://127.0.0.1:1")
STATE, STATUS = "entropilot/v1/lab/campaign", "entropilot/v1/lab/status/agent"


def said(topic: str, payload: bytes, *, retain: bool = True) -> Delivery:
    return Delivery(topic, payload, retain, 1, None)


class Session:
    """A link that brings something, and then nothing."""

    def __init__(self, items: Sequence[Incoming]) -> None:
        self._items = list(items)
        self.acknowledged = 0

    async def receive(self) -> Incoming:
        if not self._items:
            await asyncio.Event().wait()
        return self._items.pop(0)

    def acknowledge(self, _delivery: Delivery) -> None:
        self.acknowledged += 1


def found(monkeypatch: pytest.MonkeyPatch, *items: Incoming, also_live: bool = False) -> dict[str, bytes]:
    session = Session(items)

    @contextlib.asynccontextmanager
    async def linked(*_: object) -> AsyncIterator[Session]:
        yield session

    monkeypatch.setattr(retained, "linked", linked)
    monkeypatch.setattr(retained, "QUIET_S", 0.05)
    heard = retained_on(BROKER, ("#",), also_live=also_live)
    assert session.acknowledged == sum(isinstance(each, Delivery) for each in items)
    return heard


def test_the_last_that_is_retained_on_a_topic_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    items = (said(STATE, b"1"), LinkDown("cut"), said(STATE, b"2"), said(STATUS, b"live", retain=False))
    assert found(monkeypatch, *items) == {STATE: b"2"}


def test_what_is_removed_meanwhile_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, said(STATE, b"1"), said(STATE, b"", retain=False)) == {}


def test_what_is_said_live_counts_where_it_is_to_be_retained(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [said(topic, b"live", retain=False) for topic in (STATUS, "entropilot/v1/lab/control/ann", "other")]
    assert found(monkeypatch, *items, also_live=True) == {STATUS: b"live"}


def test_a_payload_comes_out_of_its_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, said(STATE, wrap(b'{"a":1}', {"agent": "0" * 64}))) == {STATE: b'{"a":1}'}
