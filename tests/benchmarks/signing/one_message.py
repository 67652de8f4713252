"""What a signature costs the processor on one message's way out and in, for both forms; no broker, no loop."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.link.properties import properties_of
from protocols.link.transport import Delivery
from protocols.signing.envelope import as_properties, wrap
from protocols.signing.key_file import new_key
from protocols.signing.key_ring import KeyRing
from protocols.signing.signature import sign
from protocols.signing.transport import judged
from tests.benchmarks.signing.blocks import LAB


def one_message(size: int = 700, count: int = 5_000) -> None:
    """Print what a signature costs the processor on a message's way out and in, for both forms."""
    ring, bare = KeyRing(new_key(), {LAB: new_key()}), Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    topic, payload = f"entropilot/v1/bench/result/{LAB}", json.dumps({"x": "y" * (size - 9)}).encode()
    signatures = sign(ring, topic, payload)
    sent = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    sent.UserProperty = list(as_properties(signatures))
    beside = Delivery(topic, payload, False, 1, None, properties_of(sent))
    around = Delivery(topic, wrap(payload, signatures), False, 1, None)

    def send_beside() -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = list(as_properties(sign(ring, topic, payload)))
        properties.pack()  # type: ignore[no-untyped-call]

    def read(properties: Properties) -> None:
        Properties(PacketTypes.PUBLISH).unpack(packed[properties])  # type: ignore[no-untyped-call]

    def hear_beside() -> None:
        read(sent)
        judged(beside, ring)

    packed = {each: each.pack() for each in (sent, bare)}  # type: ignore[no-untyped-call]
    ways = {
        "out, beside": (send_beside, bare.pack),
        "in, beside": (hear_beside, lambda: read(bare)),
        "out, envelope": (lambda: wrap(payload, sign(ring, topic, payload)), lambda: None),
        "in, envelope": (lambda: judged(around, ring), lambda: None),
    }
    for way, (signed, unsigned) in ways.items():
        took = [min(_processor_us(each, count) for _ in range(5)) for each in (signed, unsigned)]
        print(f"a message of {size} byte {way}: {took[0] - took[1]:.0f} µs of processor more", flush=True)


def _processor_us(work: Callable[[], object], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - began) / count * 1e6
