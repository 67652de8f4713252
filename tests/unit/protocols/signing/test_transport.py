"""What one part signs another hears as signed, over links of either kind; what is forged is brought with its fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from protocols.link.transport import Delivery, Incoming, LinkUp, PropertyTransport, UserProperties, Will
from protocols.signing.envelope import SIGNATURE_PROPERTY, unwrap, wrap
from protocols.signing.signature import sign
from protocols.signing.transport import UNSIGNED, SignedTransport, Signing, judged
from tests.support.memory_bus import MemoryBus
from tests.support.samples.keys import RING, SIGNING

RESULT = "entropilot/v1/demo/result/furnace"
CONTROL = "entropilot/v1/demo/control/alice"
PAYLOAD = b'{"value": 1.5}'


class Carrier:
    """A link that carries properties, or not any more; it keeps what is sent, and brings it back."""

    def __init__(self, *, carries_properties: bool = True) -> None:
        self.carries_properties = carries_properties
        self.sent: list[tuple[str, bytes, bool, UserProperties]] = []
        self.acknowledged: list[Delivery] = []
        self.closed = False
        self.ran = False

    async def run(self) -> None:
        self.ran = True

    async def receive(self) -> Incoming:
        if not self.sent:
            return LinkUp(session_present=False)
        topic, payload, retain, properties = self.sent.pop(0)
        told: dict[str, Any] = {"user_properties": [list(pair) for pair in properties]} if properties else {}
        return Delivery(topic, payload, retain, 1, "token", told)

    def acknowledge(self, delivery: Delivery) -> None:
        self.acknowledged.append(delivery)

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, user_properties: UserProperties = ()
    ) -> None:
        self.sent.append((topic, payload, retain, user_properties))

    async def close(self) -> None:
        self.closed = True


def furnace(link: Carrier, **options: bool) -> SignedTransport:
    return SignedTransport(link, Signing(RING.part_of("furnace"), **options))


@asynccontextmanager
async def on_the_bus() -> AsyncIterator[tuple[SignedTransport, SignedTransport]]:
    """An instrument and the agent that hears it, over a link without properties."""
    bus = MemoryBus()
    lab = SignedTransport(bus.transport("lab"), SIGNING.part_of("furnace"))
    agent = SignedTransport(bus.transport("agent", (RESULT,)), SIGNING)
    running = [asyncio.create_task(each.run()) for each in (lab, agent)]
    for each in (lab, agent):
        assert isinstance(await each.receive(), LinkUp)
    yield lab, agent
    await asyncio.gather(lab.close(), agent.close())
    await asyncio.gather(*running)


async def test_over_mqtt_5_signatures_stand_beside_a_payload_that_stays_as_it_is() -> None:
    link = Carrier()
    assert isinstance(link, PropertyTransport)
    await furnace(link).publish(RESULT, PAYLOAD, retain=True)
    digits = sign(RING, RESULT, PAYLOAD)["furnace"]
    assert link.sent == [(RESULT, PAYLOAD, True, ((SIGNATURE_PROPERTY, f"furnace {digits}"),))]


@pytest.mark.parametrize("link", [Carrier(carries_properties=False), Carrier()])
async def test_where_no_properties_travel_or_are_wanted_the_payload_is_in_an_envelope(link: Carrier) -> None:
    await furnace(link, envelope=link.carries_properties).publish(RESULT, PAYLOAD)
    ((topic, payload, retain, properties),) = link.sent
    assert (topic, retain, properties) == (RESULT, False, ())
    assert unwrap(payload) == (PAYLOAD, sign(RING, RESULT, PAYLOAD))


@pytest.mark.parametrize("carries", [True, False])
async def test_whoever_has_the_keys_hears_who_signed_and_the_payload_as_it_was(carries: bool) -> None:
    link = Carrier(carries_properties=carries)
    await furnace(link).publish(RESULT, PAYLOAD)
    heard = await SignedTransport(link, SIGNING).receive()
    assert isinstance(heard, Delivery)
    assert (heard.payload, heard.signed_by, heard.signature_fault) == (PAYLOAD, "furnace", "")
    SignedTransport(link, SIGNING).acknowledge(heard)
    assert link.acknowledged[0].ack_token == "token"


async def test_who_has_no_keys_hears_the_payload_all_the_same() -> None:
    link = Carrier(carries_properties=False)
    await furnace(link).publish(RESULT, PAYLOAD)
    heard = await SignedTransport(link, UNSIGNED).receive()
    assert isinstance(heard, Delivery)
    assert (heard.payload, heard.signed_by, heard.signature_fault) == (PAYLOAD, "", "")


async def test_without_a_key_for_a_topic_a_message_goes_out_as_it_is() -> None:
    link = Carrier()
    await furnace(link).publish(CONTROL, PAYLOAD)
    await SignedTransport(link, UNSIGNED).publish(RESULT, PAYLOAD, retain=True)
    assert link.sent == [(CONTROL, PAYLOAD, False, ()), (RESULT, PAYLOAD, True, ())]


async def test_the_rest_of_a_link_is_as_it_was() -> None:
    link = Carrier()
    signed = furnace(link)
    await signed.run()
    assert await signed.receive() == LinkUp(session_present=False)
    await signed.close()
    assert (link.ran, link.closed) == (True, True)


async def test_a_link_in_memory_carries_envelopes() -> None:
    async with on_the_bus() as (lab, agent):
        await lab.publish(RESULT, PAYLOAD)
        heard = await agent.receive()
    assert isinstance(heard, Delivery)
    assert (heard.payload, heard.signed_by) == (PAYLOAD, "furnace")


def arrived(payload: bytes, properties: dict[str, Any] | None = None) -> Delivery:
    return Delivery(RESULT, payload, retain=False, qos=1, ack_token=None, properties=properties or {})


@pytest.mark.parametrize(
    ("delivery", "payload", "word"),
    [
        (arrived(wrap(PAYLOAD, {"furnace": "0" * 64})), PAYLOAD, "another key"),
        (arrived(PAYLOAD, {"user_properties": [[SIGNATURE_PROPERTY, "furnace " + "0" * 64]]}), PAYLOAD, "another key"),
        (arrived(PAYLOAD, {"user_properties": [[SIGNATURE_PROPERTY, "x"]]}), PAYLOAD, "a user property"),
        (arrived(b'{"entropilot_signed": 3}'), b'{"entropilot_signed": 3}', "version '3'"),
    ],
)
def test_what_does_not_hold_is_brought_with_the_reason(delivery: Delivery, payload: bytes, word: str) -> None:
    heard = judged(delivery, RING)
    assert (heard.payload, heard.signed_by) == (payload, "")
    assert word in heard.signature_fault


def test_an_unsigned_message_is_brought_as_it_came() -> None:
    delivery = arrived(PAYLOAD)
    assert judged(delivery, RING) is delivery


def test_a_last_will_is_signed_for_links_of_either_kind() -> None:
    topic = "entropilot/v1/demo/status/furnace"
    digits = sign(RING, topic, PAYLOAD)["furnace"]
    will = SIGNING.part_of("furnace").will(Will(topic, PAYLOAD))
    assert (will.payload, will.user_properties) == (PAYLOAD, ((SIGNATURE_PROPERTY, f"furnace {digits}"),))
    assert unwrap(will.without_properties) == (PAYLOAD, {"furnace": digits})
    always = Signing(RING, envelope=True).will(Will(topic, PAYLOAD))
    assert always == Will(topic, will.without_properties)
    assert UNSIGNED.will(Will(topic, PAYLOAD)) == Will(topic, PAYLOAD)
    assert Will(topic, PAYLOAD).without_properties == PAYLOAD
