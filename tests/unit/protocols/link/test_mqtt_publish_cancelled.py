"""A publish that is cancelled ends, whatever else happens in the same turn of the loop: a goodbye has a bound."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession

NUMBER = 7


class Connected:
    """What the session uses of a connected client: it takes every publish and confirms none."""

    def __init__(self) -> None:
        self._client = self

    def publish(self, *_message: Any, **_options: Any) -> SimpleNamespace:
        return SimpleNamespace(rc=0, mid=NUMBER)


async def _publishing() -> tuple[MqttSession, asyncio.Task[None]]:
    session = MqttSession(BrokerSettings(url="mqtt://127.0.0.1:1"), client_id="tester", subscriptions=())
    session._client = Connected()  # type: ignore[assignment]
    publishing = asyncio.create_task(session.publish("a/b", b"{}"))
    await asyncio.sleep(0)
    return session, publishing


async def test_a_publish_is_cancelled_though_its_answer_comes_in_the_same_turn() -> None:
    session, publishing = await _publishing()
    session._unconfirmed.take(NUMBER, 0)
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing


async def test_a_time_limit_around_a_publish_holds_though_its_answer_comes_in_the_same_turn() -> None:
    session, publishing = await _publishing()
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing

    async def limited() -> str:
        try:
            async with asyncio.timeout(3600) as limit:
                entered.set_result(limit)
                await session.publish("a/b", b"{}")
                return "went on without a limit"
        except TimeoutError:
            return "ended"

    loop = asyncio.get_running_loop()
    entered: asyncio.Future[asyncio.Timeout] = loop.create_future()
    goodbye = asyncio.create_task(limited())
    limit = await entered
    await asyncio.sleep(0)
    limit.reschedule(loop.time())
    session._unconfirmed.take(NUMBER, 0)
    assert await goodbye == "ended"
