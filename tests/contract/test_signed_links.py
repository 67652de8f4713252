"""Signatures arrive over every link: in memory, over the embedded broker, over Mosquitto with MQTT 5 and 3.1.1."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from protocols.link.broker_settings import MqttVersion
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkUp, Transport, Will
from protocols.signing.envelope import ENVELOPE_MARK, SIGNATURE_PROPERTY, wrap
from protocols.signing.signature import sign, signature
from protocols.signing.transport import UNSIGNED, SignedTransport, Signing
from protocols.wire.limits import MAX_PAYLOAD_BYTES
from tests.contract.test_transport import connected, mosquitto, next_of
from tests.support.samples.keys import RING, SIGNING, key_of
from tests.support.transport_worlds import MosquittoWorld, World

BASE = "entropilot/v1/demo"
RESULT = f"{BASE}/result/furnace"
STATUS = f"{BASE}/status/furnace"
LAB = SIGNING.part_of("furnace")


async def heard_by(*listeners: Transport) -> list[Delivery]:
    """Return the next message of each listener, acknowledged."""
    found = []
    for each in listeners:
        found.append(await next_of(Delivery, each))
        each.acknowledge(found[-1])
    return found


def told(delivery: Delivery) -> tuple[bytes, str, str]:
    return delivery.payload, delivery.signed_by, delivery.signature_fault


async def test_each_part_hears_who_signed_what_it_is_told(world: World) -> None:
    agent = SignedTransport(world.transport("agent", f"{BASE}/result/+", f"{BASE}/control/+"), SIGNING)
    lab = SignedTransport(world.transport("lab", f"{BASE}/request/furnace", f"{BASE}/receipt/furnace"), LAB)
    alice = SignedTransport(world.transport("alice"), SIGNING.part_of("alice"))
    ways = (
        (agent, f"{BASE}/request/furnace", lab, "agent"),
        (lab, RESULT, agent, "furnace"),
        (agent, f"{BASE}/receipt/furnace", lab, "agent"),
        (alice, f"{BASE}/control/alice", agent, "alice"),
    )
    async with connected(agent, lab, alice):
        for sender, topic, receiver, signer in ways:
            for payload in (b'{"a": "\\"\xc3\xa4"}', b"\xff\x00 no text", b'"' * MAX_PAYLOAD_BYTES):
                await sender.publish(topic, payload)
                (heard,) = await heard_by(receiver)
                assert told(heard) == (payload, signer, "")


async def test_what_is_unsigned_forged_moved_or_of_another_key_is_brought_as_such(world: World) -> None:
    agent = SignedTransport(world.transport("agent", f"{BASE}/result/+"), SIGNING)
    stranger = world.transport("stranger")
    other = SIGNING.part_of("simulator-1")
    payload = b"{}"
    of_another = {"furnace": signature(key_of("simulator-1"), RESULT, payload)}
    moved = sign(RING, RESULT.replace("demo", "demo2"), payload)
    async with connected(agent, stranger):
        await stranger.publish(RESULT, payload)
        (heard,) = await heard_by(agent)
        assert told(heard) == (payload, "", "")
        for forged in (of_another, moved, {"simulator-1": of_another["furnace"]}):
            await stranger.publish(RESULT, wrap(payload, forged))
            (heard,) = await heard_by(agent)
            assert (heard.signed_by, bool(heard.signature_fault)) == ("", True)
        signed = SignedTransport(stranger, other)
        await signed.publish(RESULT, payload)  # it has no key of the furnace, so that this goes out unsigned
        (heard,) = await heard_by(agent)
        assert told(heard) == (payload, "", "")


async def test_a_signed_status_is_kept_with_its_signature_and_so_is_a_last_will(world: World) -> None:
    listener = SignedTransport(world.transport("listener", f"{BASE}/status/+"), SIGNING)
    link = world.transport("lab", will=LAB.will(Will(STATUS, b"gone")))
    lab = SignedTransport(link, LAB)
    async with connected(listener, lab):
        await lab.publish(STATUS, b"there", retain=True)
        (heard,) = await heard_by(listener)
        assert told(heard) == (b"there", "furnace", "")
        late = SignedTransport(world.transport("late", f"{BASE}/status/+"), SIGNING)
        async with connected(late):
            (heard,) = await heard_by(late)
            assert (told(heard), heard.retain) == ((b"there", "furnace", ""), True)
        world.cut(link)
        (heard,) = await heard_by(listener)
        assert told(heard) == (b"gone", "furnace", "")


async def test_each_connection_has_a_last_will_of_its_own(world: World) -> None:
    numbers = itertools.count(1)
    mourner = SignedTransport(world.transport("mourner", STATUS), SIGNING)
    link = world.transport("lab", will=lambda: LAB.will(Will(STATUS, f"gone {next(numbers)}".encode())))
    async with connected(mourner, link):
        for number in (1, 2, 3):
            world.cut(link)
            (heard,) = await heard_by(mourner)
            assert told(heard) == (f"gone {number}".encode(), "furnace", "")
            await next_of(LinkUp, link)


@pytest.fixture(params=[pytest.param("5 and 3.1.1", marks=mosquitto)])
async def both(tmp_path: Path) -> AsyncIterator[tuple[MosquittoWorld, MosquittoWorld]]:
    """One Mosquitto, and clients of both versions."""
    newer = MosquittoWorld(tmp_path, MqttVersion.V5)
    older = MosquittoWorld(tmp_path, MqttVersion.V311)
    older.port = newer.port
    await newer.start()
    yield newer, older
    await newer.stop()


@asynccontextmanager
async def watched(world: World) -> AsyncIterator[MqttSession]:
    """Hear what travels as it is."""
    wire = world.transport("wire", RESULT)
    assert isinstance(wire, MqttSession)
    async with connected(wire):
        yield wire


async def test_over_mqtt_5_the_payload_is_what_it_was_and_over_3_1_1_a_string_in_an_envelope(
    both: tuple[MosquittoWorld, MosquittoWorld],
) -> None:
    newer, older = both
    payload = b'{"value": 1.5}'
    digits = sign(RING, RESULT, payload)["furnace"]
    v5, v311 = SignedTransport(newer.transport("five"), LAB), SignedTransport(older.transport("three"), LAB)
    async with watched(newer) as wire, connected(v5, v311):
        await v5.publish(RESULT, payload)
        (heard,) = await heard_by(wire)
        assert heard.payload == payload
        assert heard.properties["user_properties"] == [[SIGNATURE_PROPERTY, f"furnace {digits}"]]
        await v311.publish(RESULT, payload)
        (heard,) = await heard_by(wire)
        assert "user_properties" not in heard.properties
        envelope = {ENVELOPE_MARK: 1, "signatures": {"furnace": digits}, "payload": payload.decode()}
        assert json.loads(heard.payload) == envelope


async def test_parts_of_both_versions_understand_each_other_where_envelopes_are_asked_for(
    both: tuple[MosquittoWorld, MosquittoWorld],
) -> None:
    newer, older = both
    asked, by_itself = Signing(LAB.ring, envelope=True), LAB
    listeners = [
        SignedTransport(newer.transport("agent-5", RESULT), SIGNING),
        SignedTransport(older.transport("agent-3", RESULT), SIGNING),
    ]
    sender = SignedTransport(newer.transport("asked"), asked)
    plain = SignedTransport(newer.transport("plain"), by_itself)
    async with connected(*listeners, sender, plain):
        await sender.publish(RESULT, b"{}")
        assert [told(each) for each in await heard_by(*listeners)] == [(b"{}", "furnace", "")] * 2
        await plain.publish(RESULT, b"{}")
        heard = [told(each) for each in await heard_by(*listeners)]
        assert heard == [(b"{}", "furnace", ""), (b"{}", "", "")], "MQTT 3.1.1 carries no properties"


async def test_who_has_no_keys_reads_what_others_sign(world: World) -> None:
    listener = SignedTransport(world.transport("listener", RESULT), UNSIGNED)
    lab = SignedTransport(world.transport("lab"), LAB)
    async with connected(listener, lab):
        await lab.publish(RESULT, b"{}")
        (heard,) = await heard_by(listener)
        assert told(heard) == (b"{}", "", "")
