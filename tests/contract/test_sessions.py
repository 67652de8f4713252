"""What a client leaves on a real Mosquitto: its session and what it retained, or nothing, as it says when it leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.mqtt import MqttSession
from protocols.link.sessions import SessionEnd, end_session
from protocols.link.transport import Delivery, LinkDown, LinkUp, PublishRefused, Reply, Will
from scenarios.broker.broker import LOOPBACK
from tests.endurance.stage import require_mosquitto
from tests.support.transport_worlds import PASSWORD, USER, MosquittoWorld

pytestmark = pytest.mark.system

PATIENCE_S = 20.0
STATUS = "entropilot/v1/c/status/x"
VERSIONS = pytest.mark.parametrize("version", [MqttVersion.V5, MqttVersion.V311])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MosquittoWorld]:
    require_mosquitto()
    made = MosquittoWorld(tmp_path, MqttVersion.V5)
    await made.start()
    yield made
    await made.stop()


def settings_of(world: MosquittoWorld, version: MqttVersion) -> BrokerSettings:
    return BrokerSettings(
        url=f"mqtt://{USER}@{LOOPBACK}:{world.port}", password=SecretStr(PASSWORD), version=version,
        reconnect_min_s=0.02, reconnect_max_s=0.05,
    )  # fmt: skip


@contextlib.asynccontextmanager
async def part(settings: BrokerSettings, ending: SessionEnd) -> AsyncIterator[tuple[MqttSession, bool]]:
    """A part with a kept session and a retained status; whether the broker knew it."""
    session = MqttSession(
        settings, client_id="x", subscriptions=("lab/x", STATUS), will=Will(STATUS, b"gone"), ending=lambda: ending
    )
    task = asyncio.create_task(session.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            up = await session.receive()
            assert isinstance(up, LinkUp)
            yield session, up.session_present
            await session.close()
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def iter_queue(session: MqttSession) -> list[object]:
    """What a session has received that nobody has asked for."""
    return [session._incoming.get_nowait() for _ in range(session._incoming.qsize())]


async def heard_on(settings: BrokerSettings, topic: str) -> list[bytes]:
    """What a broker retains on a topic."""
    listener = MqttSession(settings, client_id="listener", subscriptions=(topic,), listens_only=True)
    task = asyncio.create_task(listener.run())
    heard = []
    with contextlib.suppress(TimeoutError):
        while True:
            item = await asyncio.wait_for(listener.receive(), 0.5)
            if isinstance(item, Delivery):
                heard.append(item.payload)
                listener.acknowledge(item)
    await listener.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return heard


@VERSIONS
@pytest.mark.parametrize("ending", list(SessionEnd))
async def test_a_part_leaves_what_it_says(world: MosquittoWorld, version: MqttVersion, ending: SessionEnd) -> None:
    settings = settings_of(world, version)
    async with part(settings, ending) as (session, was_known):
        assert not was_known
        await session.publish(STATUS, b"online", retain=True)
        await session.publish(STATUS, b"offline", retain=True)
    heard = [item for item in iter_queue(session) if isinstance(item, Delivery)]
    assert [item.payload for item in heard] == [b"online", b"offline"], "not that it was removed"
    kept = [] if ending is SessionEnd.CLEARED else [b"offline"]
    assert await heard_on(settings, STATUS) == kept, "and never the last will"
    async with part(settings, SessionEnd.ENDED) as (_, was_known):
        assert was_known is (ending is SessionEnd.KEPT)


async def test_what_a_lab_is_asked_for_says_where_the_answer_is_wanted_and_may_go_unconfirmed(
    world: MosquittoWorld,
) -> None:
    settings = settings_of(world, MqttVersion.V5)
    async with part(settings, SessionEnd.ENDED) as (session, _):
        await session.publish("lab/x", b"ask", reply=Reply("lab/answer", b"a1"), user_properties=(("k", "v"),))
        await session.publish("lab/x", b"point", qos=0)
        first, second = [
            item for item in (await session.receive(), await session.receive()) if isinstance(item, Delivery)
        ]
        assert first.properties == {
            "response_topic": "lab/answer", "correlation_data": "YTE=", "user_properties": [["k", "v"]]
        }  # fmt: skip
        assert (second.payload, second.qos, second.properties) == (b"point", 0, {})


async def test_what_is_not_ours_to_remove_stays_with_the_broker(world: MosquittoWorld) -> None:
    settings = settings_of(world, MqttVersion.V5)
    session = MqttSession(
        settings, client_id="x", subscriptions=(), ending=lambda: SessionEnd.CLEARED,
        clears=lambda topic: topic.startswith("entropilot/"),
    )  # fmt: skip
    task = asyncio.create_task(session.run())
    async with asyncio.timeout(PATIENCE_S):
        assert isinstance(await session.receive(), LinkUp)
        for topic in (STATUS, "lab/setpoint"):
            await session.publish(topic, b"1", retain=True)
        await session.close()
        await task
    assert (await heard_on(settings, STATUS), await heard_on(settings, "lab/setpoint")) == ([], [b"1"])


@VERSIONS
async def test_a_session_of_a_client_that_never_comes_back_can_be_ended(
    world: MosquittoWorld, version: MqttVersion
) -> None:
    settings = settings_of(world, version)
    async with part(settings, SessionEnd.KEPT):
        pass
    other = MqttVersion.V5 if version is MqttVersion.V311 else MqttVersion.V311
    await end_session(settings_of(world, other), "x", other)  # whichever version it was begun with
    async with part(settings, SessionEnd.ENDED) as (_, was_known):
        assert not was_known


@VERSIONS
async def test_a_session_that_cannot_be_ended_is_told_why(world: MosquittoWorld, version: MqttVersion) -> None:
    wrong = settings_of(world, version).model_copy(update={"password": SecretStr("wrong")})
    with pytest.raises(BrokerError, match=r"not authorised|bad user name"):
        await end_session(wrong, "x", version)
    await world.stop()
    with pytest.raises(BrokerError, match="refused"):
        await end_session(settings_of(world, version), "x", version)
    await world.start()


@VERSIONS
async def test_a_real_brokers_largest_packet_is_named(world: MosquittoWorld, version: MqttVersion) -> None:
    """Over MQTT 5 it says so; over 3.1.1 it ends the connection, which is found out the second time."""
    await world.stop()
    world.further = ("max_packet_size 400",)
    await world.start()
    told: list[str] = []
    session = MqttSession(
        settings_of(world, version),
        client_id="x",
        subscriptions=("lab/x",),
        on_event=lambda _name, **fields: told.append(str(fields)),
    )
    task = asyncio.create_task(session.run())
    async with asyncio.timeout(PATIENCE_S):
        assert isinstance(await session.receive(), LinkUp)
        await session.publish("lab/x", b"x" * 300)
        if version is MqttVersion.V5:
            assert "packets of at most 400 bytes" in told[0]
            with pytest.raises(PublishRefused, match="at most 400 bytes"):
                await session.publish("lab/x", b"x" * 500)
        else:
            downs = 0
            while downs < 2:
                with contextlib.suppress(Exception):
                    await session.publish("lab/x", b"x" * 500)
                while not session._incoming.empty():
                    downs += isinstance(await session.receive(), LinkDown)
                await asyncio.sleep(0.02)
            assert any("twice when a packet of 512 bytes was sent" in each for each in told)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
