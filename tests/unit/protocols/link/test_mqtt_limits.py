"""The session keeps to what a broker says on connecting, finds out what it does not say, and says what it waits for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.mqtt import MqttSession
from protocols.link.transport import LinkDown, LinkLost, PublishRefused, Will
from tests.unit.protocols.link.mqtt_peer import (
    PATIENCE_S,
    V5,
    V311,
    Script,
    ended_by,
    next_link,
    running,
    scripted_peer,
)

MAXIMUM_PACKET_SIZE, RECEIVE_MAXIMUM, MAXIMUM_QOS, RETAIN_AVAILABLE = 0x27, 0x21, 0x24, 0x25
WILDCARDS_AVAILABLE, SHARED_AVAILABLE = 0x28, 0x2A


def number(identifier: int, value: int, size: int = 1) -> bytes:
    """A property of a CONNACK, as it goes over the wire."""
    return bytes([identifier]) + value.to_bytes(size, "big")


class Watched(MqttSession):
    """A session, and what it told for the log."""

    def __init__(self, settings: BrokerSettings, *subscriptions: str, **options: Any) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        super().__init__(
            settings,
            client_id="client",
            subscriptions=subscriptions,
            on_event=lambda name, **fields: self.told.append((name, fields)),
            **options,
        )

    def reasons(self) -> list[str]:
        return [fields["reason"] for name, fields in self.told if name == "link_down"]


async def test_a_message_larger_than_the_broker_said_that_it_takes_is_refused_before_it_is_sent() -> None:
    script = Script(properties=number(MAXIMUM_PACKET_SIZE, 60, 4))
    async with scripted_peer(script) as settings:
        session = Watched(settings)
        async with running(session):
            assert session.told[0][1]["limits"] == "packets of at most 60 bytes"
            await session.publish("lab/x", b"x" * 40)
            with pytest.raises(PublishRefused, match=r"larger than the broker takes, at most 60 bytes"):
                await session.publish("lab/y", b"x" * 60)
            await session.publish("lab/z", b"x" * 48)  # with its header exactly as many
    assert script.topics == ["lab/x", "lab/z"]


async def test_no_more_is_on_its_way_unconfirmed_than_the_broker_takes() -> None:
    script = Script(properties=number(RECEIVE_MAXIMUM, 3, 2), puback=None)
    async with scripted_peer(script) as settings:
        session = Watched(settings)
        async with running(session):
            sending = [asyncio.create_task(session.publish("lab/x", b"%d" % each)) for each in range(10)]
            await asyncio.gather(*sending, return_exceptions=True)
            assert len(script.topics) == 3


@pytest.mark.parametrize(
    ("properties", "lack"),
    [
        (number(MAXIMUM_QOS, 0), "confirms no messages"),
        (number(RETAIN_AVAILABLE, 0), "keeps no retained messages"),
        (number(WILDCARDS_AVAILABLE, 0), "takes no filter with"),
    ],
)
async def test_a_broker_that_cannot_do_what_we_need_is_named_before_anything_is_sent(
    properties: bytes, lack: str
) -> None:
    script = Script(properties=properties)
    async with scripted_peer(script) as settings:
        error = await ended_by(Watched(settings, "lab/+", will=Will("lab/status", b"gone")))
    assert lack in error.found
    assert error.action
    assert script.topics == []


async def test_a_broker_that_shares_nothing_is_asked_for_the_plain_filter_and_that_is_told() -> None:
    async with scripted_peer(Script(properties=number(SHARED_AVAILABLE, 0))) as settings:
        session = Watched(settings, "$share/lab/lab/x")
        async with running(session):
            assert session.told[0][0] == "nothing_shared"


@pytest.mark.parametrize(("code", "words"), [(149, "packet too large"), (154, "nothing is retained"), (155, "QoS")])
async def test_a_broker_that_refuses_our_greeting_for_its_limits_is_not_asked_for_another_password(
    code: int, words: str
) -> None:
    async with scripted_peer(Script(connack={V5: code})) as settings:
        error = await ended_by(Watched(settings))
    assert words in error.found
    assert "password" not in str(error)


async def test_a_client_id_that_is_refused_is_named() -> None:
    async with scripted_peer(Script(connack={V311: 2})) as settings:
        error = await ended_by(Watched(settings.model_copy(update={"version": MqttVersion.V311})))
    assert "refuses our client id 'client'" in error.found


async def test_a_broker_of_3_1_1_that_ends_the_connection_at_a_large_packet_is_found_out_the_second_time() -> None:
    script = Script(largest=60)
    async with scripted_peer(script) as settings:
        session = Watched(settings.model_copy(update={"version": MqttVersion.V311}))
        async with running(session):
            await session.publish("lab/x", b"x" * 20)
            for _ in range(2):
                with pytest.raises(LinkLost):
                    await session.publish("lab/x", b"x" * 100)
                await next_link(session)
            await session.publish("lab/x", b"x" * 20)
    first, second = session.reasons()
    assert first == "the connection ended"
    assert "twice when a packet of 111 bytes was sent, larger than any that it took (at most 31 bytes)" in second


@pytest.mark.parametrize("version", [MqttVersion.V5, MqttVersion.V311])
@pytest.mark.parametrize("answer", [None, -1])
async def test_a_server_that_does_not_answer_the_greeting_is_told_from_one_that_is_not_there(
    version: MqttVersion, answer: int | None
) -> None:
    script = Script(connack={V5: answer, V311: answer})
    async with scripted_peer(script) as settings:
        update = {"version": version, "first_connect_timeout_s": 0.5}
        error = await ended_by(Watched(settings.model_copy(update=update)))
    assert f"our greeting of MQTT {version.value}" in error.found
    assert ("takes connections and does not answer" in error.found) is (answer is None)
    assert "start it" not in error.action
    assert "hangs" in error.action


async def test_an_end_before_the_greeting_was_answered_is_noticed_at_once() -> None:
    """Aiomqtt alone waits as long as for an answer."""
    script = Script(connack={V5: -1, V311: -1})
    async with scripted_peer(script) as settings:
        patient = {"publish_timeout_s": 600.0, "version": MqttVersion.V5, "first_connect_timeout_s": 600.0}
        session = Watched(settings.model_copy(update=patient))
        task = asyncio.create_task(session.run())
        async with asyncio.timeout(PATIENCE_S):
            assert isinstance(await session.receive(), LinkDown)
            script.connack.clear()
            await next_link(session)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_broker_that_does_not_confirm_our_subscriptions_is_named_and_taken_when_it_does() -> None:
    script = Script(suback=None)
    async with scripted_peer(script) as settings:
        session = Watched(settings.model_copy(update={"version": MqttVersion.V5}), "lab/x")
        task = asyncio.create_task(session.run())
        async with asyncio.timeout(PATIENCE_S):
            down = await session.receive()
            assert isinstance(down, LinkDown)
            assert "does not answer our subscriptions" in down.reason
            script.suback = 1
            await next_link(session)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_broker_that_confirms_nothing_is_named_left_and_taken_back() -> None:
    script = Script(puback=None)
    async with scripted_peer(script) as settings:
        session = Watched(settings)
        async with running(session):
            while not session.reasons():
                with pytest.raises(LinkLost):
                    await session.publish("lab/x", b"1")
            assert "said nothing for" in session.reasons()[0]
            assert [name for name, _ in session.told].count("broker_silent") == 1
            script.puback = 0
            await next_link(session)
            await session.publish("lab/x", b"2")


async def test_a_broker_that_confirms_again_is_told() -> None:
    script = Script(puback=None)
    async with scripted_peer(script) as settings:
        session = Watched(settings)
        async with running(session):
            with pytest.raises(LinkLost):
                await session.publish("lab/x", b"1")
            script.puback = 0
            await session.publish("lab/x", b"2")
    assert [name for name, _ in session.told] == ["link_up", "broker_silent", "broker_speaks_again"]


async def test_pauses_begin_afresh_after_a_link_over_which_work_was_done_however_short_it_was() -> None:
    script, pauses = Script(), []
    async with scripted_peer(script) as settings:
        session = Watched(settings)
        async with running(session):
            for work in (b"", b"", b"work", b"", b"status"):
                if work:
                    await session.publish("lab/x", work, retain=work == b"status")
                script.disconnect_all(139)
                await next_link(session)
                pauses.append(session._failures)
    assert pauses == [1, 2, 1, 2, 3], "what is retained is no work: two that throw each other out say it every time"
