"""What a signature costs the processor on one message's way out and in, for both forms; no broker, no loop."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.link.client import packed_bytes, with_user_properties
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
    ring = KeyRing(new_key(), {LAB: new_key()})
    topic, payload = f"entropilot/v1/bench/result/{LAB}", json.dumps({"x": "y" * (size - 9)}).encode()
    signatures = sign(ring, topic, payload)
    properties = with_user_properties(PacketTypes.PUBLISH, as_properties(signatures))
    assert properties is not None
    beside = Delivery(topic, payload, False, 1, None, properties_of(properties))
    around = Delivery(topic, wrap(payload, signatures), False, 1, None)
    packed, nothing = properties.pack(), b"\0"  # type: ignore[no-untyped-call]

    def send_beside() -> None:
        packed_bytes(with_user_properties(PacketTypes.PUBLISH, as_properties(sign(ring, topic, payload))))

    def read(raw: bytes) -> None:
        read, _ = Properties(PacketTypes.PUBLISH).unpack(raw)  # type: ignore[no-untyped-call]
        properties_of(read)

    def hear_beside() -> None:
        read(packed)
        judged(beside, ring)

    ways: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "out, beside": (send_beside, lambda: packed_bytes(None)),
        "in, beside": (hear_beside, lambda: read(nothing)),
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
