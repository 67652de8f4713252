"""A lab as fast as a lab can be: it answers each request at once, and notes when. Runs as a process of its own.

    python -m tests.benchmarks.processes.lab URL CAMPAIGN SIMULATOR PROPERTY UNIT COUNT [KEYS]

With a file of keys it signs the answer to what its agent has signed. The broker's account and the version of MQTT are
in its environment. It prints one JSON list: for each iteration, seconds from publishing a result to receiving the next
request.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery
from protocols.signing.settings import SigningSettings
from protocols.signing.signature import require_signature
from protocols.signing.transport import SignedTransport, Signing
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import CandidateRequest, CandidateResult, Quantity
from protocols.wire.topics import simulator_subscriptions
from scenarios.broker.url import broker_at


async def play(
    *,
    broker: BrokerSettings,
    campaign: str,
    simulator: str,
    name: str,
    unit: str,
    count: int,
    signing: Signing,
) -> list[float]:
    """Answer `count` requests; return the seconds between each answer and the next request."""
    link_itself = MqttSession(
        broker,
        client_id=f"lab-{campaign}-{simulator}",
        subscriptions=simulator_subscriptions(simulator, campaign=campaign, shared=True),
    )
    session = SignedTransport(link_itself, signing)
    link = asyncio.create_task(session.run())
    sent: dict[int, float] = {}
    waits: list[float] = []
    publishing: set[asyncio.Task[None]] = set()
    answered = 0
    while answered < count:
        item = await session.receive()
        now = time.perf_counter()
        if not isinstance(item, Delivery):
            continue
        session.acknowledge(item)
        require_signature(item, always=False)
        message = decode(item.topic, item.payload)
        if not isinstance(message, CandidateRequest):
            continue
        if message.decision - 1 in sent:
            waits.append(now - sent.pop(message.decision - 1))
        result = CandidateResult(
            campaign=campaign,
            message_id=uuid4().hex,
            sent_at=datetime.now(UTC),
            attempt_id=message.attempt_id,
            candidate_id=message.candidate_id,
            simulator=simulator,
            quantities=(Quantity(name=name, value=value_of(message.candidate_id), unit=unit),),
            duration_s=0.0,
        )
        topic, payload = topic_of(result), encode(result)
        sent[message.decision] = time.perf_counter()
        task = asyncio.create_task((session if item.signed_by else link_itself).publish(topic, payload))
        publishing.add(task)
        task.add_done_callback(publishing.discard)
        await asyncio.sleep(0)  # it goes out before we look at the next message: a lab's own work is not the agent's
        answered += 1
    await asyncio.gather(*publishing)
    await session.close()
    await link
    return waits


def value_of(candidate_id: str) -> float:
    """Return a value that looks measured, from the id alone."""
    return int(hashlib.sha256(candidate_id.encode()).hexdigest()[:8], 16) / 2**32


if __name__ == "__main__":
    words = dict(zip(("campaign", "simulator", "name", "unit"), sys.argv[2:6], strict=True))
    keys = sys.argv[7] if len(sys.argv) > 7 else ""
    waited = asyncio.run(
        play(
            **words,
            broker=broker_at(sys.argv[1]),
            count=int(sys.argv[6]),
            signing=SigningSettings(keys=keys or None).signing(),
        )
    )
    print(json.dumps(waited))
