"""Disturbs a campaign from the side: repeats the labs' results and sends messages that are none. A process of its own.

    python -m tests.endurance.parts.heckler URL CAMPAIGN [--copies 2] [--bad 0.02] [--seed 1]

Every result is sent again so many times, each after up to `LATEST_S`; beside that a share of messages that are torn,
flipped, oversize, of another campaign or of another version.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import random
import sys
from collections import OrderedDict
from typing import Final

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkLost
from protocols.wire.limits import MAX_PAYLOAD_BYTES
from protocols.wire.topics import PREFIX

LATEST_S: Final = 2.0
"""A copy comes at most so late [s]."""

REMEMBERED: Final = 10_000
"""Results that are known as seen, so that a copy is not copied."""

MAX_PENDING: Final = 1_000
"""Copies on their way at once; beyond it a result is not copied."""


def spoiled(payload: bytes, campaign: str, dice: random.Random) -> bytes:
    """Return a message that is none of ours."""
    match dice.randrange(6):
        case 0:
            return payload[: dice.randrange(len(payload))]
        case 1:
            at = dice.randrange(len(payload))
            return payload[:at] + bytes([payload[at] ^ 0xFF]) + payload[at + 1 :]
        case 2:
            return payload.replace(f'"{campaign}"'.encode(), b'"another"')
        case 3:
            return payload.replace(b'"version":1', b'"version":7')
        case 4:
            return b"x" * (MAX_PAYLOAD_BYTES + 1)
        case _:
            return dice.randbytes(dice.randrange(1, 200))


async def heckle(url: str, campaign: str, *, copies: int, bad: float, seed: int) -> None:
    """Disturb until killed."""
    dice = random.Random(seed)
    settings = BrokerSettings(url=url, version=MqttVersion.V5, reconnect_min_s=0.1, reconnect_max_s=1.0)
    topic = f"{PREFIX}/{campaign}/result/+"
    session = MqttSession(settings, client_id=f"heckler-{seed}", subscriptions=(topic,))
    seen: OrderedDict[bytes, None] = OrderedDict()
    pending: set[asyncio.Task[None]] = set()

    async def send(topic: str, payload: bytes, late_s: float) -> None:
        await asyncio.sleep(late_s)
        with contextlib.suppress(LinkLost):  # a copy more or less
            await session.publish(topic, payload)

    async with asyncio.TaskGroup() as group:
        group.create_task(session.run())
        while True:
            item = await session.receive()
            if not isinstance(item, Delivery):
                continue
            session.acknowledge(item)
            digest = hashlib.sha256(item.payload).digest()
            if digest in seen or len(pending) > MAX_PENDING:
                continue
            seen[digest] = None
            if len(seen) > REMEMBERED:
                seen.popitem(last=False)
            sendings = [item.payload] * copies
            if dice.random() < bad:
                sendings.append(spoiled(item.payload, campaign, dice))
            for payload in sendings:
                seen[hashlib.sha256(payload).digest()] = None
                task = group.create_task(send(item.topic, payload, dice.uniform(0.0, LATEST_S)))
                pending.add(task)
                task.add_done_callback(pending.discard)


def main(arguments: list[str]) -> int:
    """Run it until it is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("campaign")
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--bad", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    work = heckle(asked.url, asked.campaign, copies=asked.copies, bad=asked.bad, seed=asked.seed)
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(work)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
