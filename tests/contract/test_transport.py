"""What every transport keeps: the one in memory, and the MQTT session on each broker that we ship or recommend.

What a broker cannot do is a capability of its world (`tests.support.transport_worlds`). Where the lack can be seen, it
is asserted too, so that a broker that learns it is noticed; where it cannot be asked, the test says so.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest

from protocols.errors import BrokerError
from protocols.link.broker_settings import MqttVersion
from protocols.link.transport import Delivery, LinkDown, LinkLost, LinkUp, PublishRefused, Transport, Will
from protocols.wire.limits import MAX_PAYLOAD_BYTES, RECEIVE_MAXIMUM
from scenarios.broker.broker import find_mosquitto
from tests.support.transport_worlds import REFUSED, EmbeddedWorld, MemoryWorld, MosquittoWorld, World

PATIENCE_S = 20.0
"""How long a loaded machine may take for what usually takes milliseconds."""

END = b"the end"

Item = TypeVar("Item", Delivery, LinkUp, LinkDown)


def has_mosquitto() -> bool:
    try:
        find_mosquitto()
    except BrokerError:
        return False
    return True


mosquitto = [pytest.mark.system, pytest.mark.skipif(not has_mosquitto(), reason="Mosquitto is not installed here")]


@pytest.fixture(
    params=[
        "memory",
        pytest.param("embedded", marks=pytest.mark.system),
        pytest.param("mosquitto, MQTT 5", marks=mosquitto),
        pytest.param("mosquitto, MQTT 3.1.1", marks=mosquitto),
    ]
)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    made: World
    if request.param == "memory":
        made = MemoryWorld()
    elif request.param == "embedded":
        made = EmbeddedWorld()
    else:
        made = MosquittoWorld(tmp_path, MqttVersion.V5 if request.param.endswith(" 5") else MqttVersion.V311)
    await made.start()
    yield made
    await made.stop()


async def next_of(kind: type[Item], transport: Transport) -> Item:
    """Return the next item of a kind, passing over the others."""
    async with asyncio.timeout(PATIENCE_S):
        while not isinstance(item := await transport.receive(), kind):
            pass
    return item


async def until_the_end(transport: Transport, *, acknowledge: bool = True) -> list[bytes]:
    """Return the payloads that come before the end marker."""
    payloads = []
    while (delivery := await next_of(Delivery, transport)).payload != END:
        payloads.append(delivery.payload)
        if acknowledge:
            transport.acknowledge(delivery)
    if acknowledge:
        transport.acknowledge(delivery)
    return payloads


@contextlib.asynccontextmanager
async def connected(*transports: Transport) -> AsyncIterator[None]:
    """Run transports from their first link on; end them in order."""
    tasks = [asyncio.create_task(transport.run()) for transport in transports]
    try:
        for transport in transports:
            await next_of(LinkUp, transport)
        yield
        for task in tasks:
            assert not task.done(), f"a transport ended by itself: {task.exception()!r}"
    finally:
        for transport in transports:
            await transport.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ended_by(transport: Transport) -> BrokerError:
    """Run a transport until the broker ends it."""
    with pytest.raises(BrokerError) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await transport.run()
    return caught.value


# --- messages -------------------------------------------------------------------------------------------------------


async def test_a_message_reaches_those_whose_filter_takes_its_topic_and_nobody_else(world: World) -> None:
    exact, one_level, rest = (
        world.transport("exact", "lab/a/result"),
        world.transport("level", "lab/+/result"),
        world.transport("rest", "lab/#"),
    )
    sender, other = world.transport("sender"), world.transport("other", "elsewhere/#")
    async with connected(exact, one_level, rest, sender, other):
        for topic in ("lab/a/result", "lab/b/result", "lab/a/result/deep", "elsewhere/a/result"):
            await sender.publish(topic, topic.encode())
        await sender.publish("lab/a/result", END)
        assert await until_the_end(exact) == [b"lab/a/result"]
        assert await until_the_end(one_level) == [b"lab/a/result", b"lab/b/result"]
        assert await until_the_end(rest) == [b"lab/a/result", b"lab/b/result", b"lab/a/result/deep"]


async def test_a_delivery_carries_topic_bytes_and_quality_and_says_that_it_is_live(world: World) -> None:
    receiver, sender = world.transport("receiver", "lab/x"), world.transport("sender")
    async with connected(receiver, sender):
        for payload in (b"\x00\xff\xfe not text", b"", b"x" * MAX_PAYLOAD_BYTES):
            await sender.publish("lab/x", payload)
            delivery = await next_of(Delivery, receiver)
            receiver.acknowledge(delivery)
            assert (delivery.topic, delivery.payload) == ("lab/x", payload)
            assert (delivery.qos, delivery.retain) == (1, False)


async def test_a_client_hears_itself_and_its_link_comes_before_its_messages(world: World) -> None:
    client = world.transport("client", "lab/x")
    running = asyncio.create_task(client.run())
    async with asyncio.timeout(PATIENCE_S):
        assert await client.receive() == LinkUp(session_present=False)
        await client.publish("lab/x", b"me")
        assert isinstance(item := await client.receive(), Delivery)
        assert item.payload == b"me"
        await client.close()
        await running


async def test_a_confirmed_message_is_with_the_broker(world: World) -> None:
    """A publish returns after the broker's word: whoever asks later gets the message."""
    sender, late = world.transport("sender"), world.transport("late", "lab/+")
    async with connected(sender):
        await sender.publish("lab/x", b"kept", retain=True)
    async with connected(late):
        delivery = await next_of(Delivery, late)
        assert (delivery.payload, delivery.retain) == (b"kept", True)


async def test_a_retained_message_is_live_for_those_who_listen_and_the_last_one_stays_until_cleared(
    world: World,
) -> None:
    listener, sender = world.transport("listener", "lab/#"), world.transport("sender")
    async with connected(listener, sender):
        for payload in (b"old", b"new"):
            await sender.publish("lab/status", payload, retain=True)
            delivery = await next_of(Delivery, listener)
            assert (delivery.payload, delivery.retain) == (payload, False)
            listener.acknowledge(delivery)
        late = world.transport("late", "lab/#")
        async with connected(late):
            assert (await next_of(Delivery, late)).payload == b"new"
        await sender.publish("lab/status", b"", retain=True)
        later = world.transport("later", "lab/#")
        async with connected(later):
            await sender.publish("lab/x", END)
            assert await until_the_end(later) == []


async def test_a_message_that_nobody_listens_to_counts_as_lost_where_the_broker_says_so(world: World) -> None:
    """Its sender repeats it; a retained one waits for those who come later."""
    listener, sender = world.transport("listener", "lab/x"), world.transport("sender")
    lost = False
    async with connected(listener, sender):
        await sender.publish("lab/x", b"to the listener")
        await sender.publish("lab/status", b"for later", retain=True)
        try:
            await sender.publish("lab/y", b"to nobody")
        except LinkLost:
            lost = True
        assert lost is world.can.tells_nobody_listens
        await sender.publish("lab/x", b"the link still works")


async def test_messages_sent_while_a_client_is_away_wait_for_it(world: World) -> None:
    sender = world.transport("sender")
    async with connected(world.transport("receiver", "lab/x")):
        pass
    async with connected(sender):
        await sender.publish("lab/x", b"while you were away")
        receiver = world.transport("receiver", "lab/x")
        async with connected(receiver):
            await sender.publish("lab/x", END)
            assert await until_the_end(receiver) == [b"while you were away"]


async def test_a_shared_subscription_gives_each_message_to_one_member(world: World) -> None:
    members = [world.transport(f"member-{number}", "$share/lab/work/#", "end") for number in range(2)]
    sender = world.transport("sender")
    async with connected(*members, sender):
        for number in range(10):
            await sender.publish("work/x", b"%d" % number)
        await sender.publish("end", END)
        shares = [await until_the_end(member) for member in members]
        assert sorted(shares[0] + shares[1]) == sorted(b"%d" % number for number in range(10))
        assert all(shares)


# --- the last will --------------------------------------------------------------------------------------------------


async def test_the_last_will_is_sent_and_retained_when_a_client_vanishes(world: World) -> None:
    mourner = world.transport("mourner", "status/+")
    client = world.transport("client", will=Will("status/client", b"gone"))
    async with connected(mourner, client):
        world.cut(client)
        delivery = await next_of(Delivery, mourner)
        assert (delivery.topic, delivery.payload) == ("status/client", b"gone")
    late = world.transport("late", "status/+")
    async with connected(late):
        delivery = await next_of(Delivery, late)
        assert (delivery.payload, delivery.retain) == (b"gone", True)


async def test_a_client_that_says_goodbye_leaves_no_last_will(world: World) -> None:
    mourner, sender = world.transport("mourner", "status/+"), world.transport("sender")
    client = world.transport("client", will=Will("status/client", b"gone"))
    async with connected(mourner, sender):
        running = asyncio.create_task(client.run())
        await next_of(LinkUp, client)
        await client.close()
        async with asyncio.timeout(PATIENCE_S):
            await running
        await sender.publish("status/sender", END)
        assert await until_the_end(mourner) == []


# --- the link -------------------------------------------------------------------------------------------------------


async def test_a_cut_link_is_told_and_mends_itself(world: World) -> None:
    client, sender = world.transport("client", "lab/x"), world.transport("sender")
    async with connected(client, sender):
        for number in range(3):
            world.cut(client)
            async with asyncio.timeout(PATIENCE_S):
                assert isinstance(await client.receive(), LinkDown)
                assert isinstance(await client.receive(), LinkUp)
            await sender.publish("lab/x", b"%d" % number)
            payload = None
            while payload != b"%d" % number:  # an earlier one may come again: its acknowledgement was cut off
                delivery = await next_of(Delivery, client)
                client.acknowledge(delivery)
                payload = delivery.payload


async def test_a_publish_without_a_link_has_an_unknown_outcome(world: World) -> None:
    client = world.transport("client")
    with pytest.raises(LinkLost):
        await client.publish("lab/x", b"before the first link")
    async with connected(client):
        await world.stop()
        await next_of(LinkDown, client)
        with pytest.raises(LinkLost):
            await client.publish("lab/x", b"between two links")


async def test_a_broker_that_comes_back_without_memory_is_subscribed_to_again(world: World) -> None:
    client, sender = world.transport("client", "lab/+", "other/#"), world.transport("sender")
    async with connected(client, sender):
        await world.stop()
        await next_of(LinkDown, client)
        await next_of(LinkDown, sender)
        await world.start()
        assert await next_of(LinkUp, client) == LinkUp(session_present=False)
        await next_of(LinkUp, sender)
        await sender.publish("lab/x", b"first filter")
        await sender.publish("other/deep/x", END)
        assert await until_the_end(client) == [b"first filter"]


# --- acknowledgement ------------------------------------------------------------------------------------------------


async def cut_and_wait(world: World, transport: Transport) -> None:
    world.cut(transport)
    await next_of(LinkDown, transport)
    await next_of(LinkUp, transport)


async def test_what_was_acknowledged_never_comes_again(world: World) -> None:
    client, sender = world.transport("client", "lab/x"), world.transport("sender")
    async with connected(client, sender):
        await sender.publish("lab/x", b"taken")
        client.acknowledge(await next_of(Delivery, client))
        await sender.publish("lab/x", END)  # the acknowledgement is with the broker when this comes back
        assert await until_the_end(client) == []
        await cut_and_wait(world, client)
        await sender.publish("lab/x", END)
        assert await until_the_end(client) == []


async def test_what_was_not_acknowledged_comes_again_in_order(world: World) -> None:
    client, sender = world.transport("client", "lab/x"), world.transport("sender")
    async with connected(client, sender):
        for payload in (b"1", b"2", b"3"):
            await sender.publish("lab/x", payload)
        held = [await next_of(Delivery, client) for _ in range(3)]
        assert not any(each.redelivered for each in held)
        client.acknowledge(held[1])
        await sender.publish("lab/x", b"4")
        await next_of(Delivery, client)
        await cut_and_wait(world, client)
        again = await next_of(Delivery, client)
        assert (again.payload, again.redelivered) == (b"1", True)
        await sender.publish("lab/x", END)
        assert await until_the_end(client) == [b"3", b"4"]


async def test_an_acknowledgement_for_an_earlier_connection_is_ignored(world: World) -> None:
    client, sender = world.transport("client", "lab/x"), world.transport("sender")
    async with connected(client, sender):
        await sender.publish("lab/x", b"1")
        stale = await next_of(Delivery, client)
        await cut_and_wait(world, client)
        assert (await next_of(Delivery, client)).payload == b"1"
        client.acknowledge(stale)
        await sender.publish("lab/x", END)  # anything that the client sent is with the broker when this comes back
        assert await until_the_end(client, acknowledge=False) == []
        await cut_and_wait(world, client)
        assert (await next_of(Delivery, client)).payload == b"1"


async def test_acknowledging_twice_or_after_the_link_has_gone_does_no_harm(world: World) -> None:
    client, sender = world.transport("client", "lab/x"), world.transport("sender")
    async with connected(client, sender):
        await sender.publish("lab/x", b"1")
        delivery = await next_of(Delivery, client)
        client.acknowledge(delivery)
        client.acknowledge(delivery)
        await sender.publish("lab/x", b"2")
        unacknowledged = await next_of(Delivery, client)
        assert unacknowledged.payload == b"2"
        await world.stop()
        await next_of(LinkDown, client)
        client.acknowledge(unacknowledged)
        await world.start()
        await next_of(LinkUp, client)


async def test_a_slow_receiver_loses_nothing_and_holds_no_more_than_it_said(world: World) -> None:
    count = 3 * RECEIVE_MAXIMUM
    receiver, sender = world.transport("receiver", "lab/x"), world.transport("sender")
    async with connected(receiver, sender):
        for number in range(count):
            await sender.publish("lab/x", b"%d" % number)
        assert world.held(receiver) <= RECEIVE_MAXIMUM + 1
        for number in range(count):
            delivery = await next_of(Delivery, receiver)
            assert delivery.payload == b"%d" % number
            receiver.acknowledge(delivery)


# --- refusals -------------------------------------------------------------------------------------------------------


async def test_nobody_there_is_told_within_the_patience_for_a_first_connection(world: World) -> None:
    await world.stop()
    began = asyncio.get_running_loop().time()
    error = await ended_by(world.transport("client", first_connect_timeout_s=0.3))
    assert asyncio.get_running_loop().time() - began < 0.3 + 2.0
    assert "No " in error.found
    assert error.expected
    assert error.action


async def test_a_wrong_password_ends_the_transport_at_once(world: World) -> None:
    error = await ended_by(world.transport("client", password="wrong"))
    assert "refuses us" in error.found
    assert "password" in error.expected
    assert "wrong" not in str(error)


async def test_a_message_that_the_access_list_denies_is_refused_where_the_broker_says_so(world: World) -> None:
    listener, sender = world.transport("listener", f"{REFUSED}#", "lab/x"), world.transport("sender")
    refused: PublishRefused | None = None
    async with connected(listener, sender):
        try:
            await sender.publish(f"{REFUSED}x", b"forbidden")
        except PublishRefused as error:
            refused = error
        assert (refused is not None) is world.can.tells_refused_publish
        if refused is not None:
            assert refused.topic == f"{REFUSED}x"
            assert "not authorised" in refused.reason
        await sender.publish("lab/x", b"the link still works")


async def test_a_client_whose_id_is_taken_over_ends_where_the_broker_says_so(world: World) -> None:
    """Else the two would throw each other out for ever."""
    if not world.can.tells_takeover:
        pytest.skip("this broker closes the link without a word: capability `tells_takeover`; see test_mqtt.py")
    first, second = world.transport("twin"), world.transport("twin")
    running = asyncio.create_task(first.run())
    await next_of(LinkUp, first)
    async with connected(second):
        with pytest.raises(BrokerError, match="took the id 'twin'"):
            async with asyncio.timeout(PATIENCE_S):
                await running
