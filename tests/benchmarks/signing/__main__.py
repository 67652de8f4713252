"""What signatures cost the loop: signed and unsigned campaigns in turn, on one broker, in one run.

    python -m tests.benchmarks.signing [ITERATIONS] [REPETITIONS]

As `loop_throughput`: a lab without latency in another process, random policy, eight requests in flight, Mosquitto on
loopback, recording and log on. Each pair of campaigns gives one quotient; the median of them is what is told, for the
machine's load changes from minute to minute, and beside it that of the agent's processor time, which the load changes
less. Over MQTT 3.1.1 the payload is in an envelope.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.assembly import assemble_agent, open_campaign
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.properties import properties_of
from protocols.link.transport import Delivery
from protocols.signing.envelope import as_properties, wrap
from protocols.signing.key_file import new_key, write_keys
from protocols.signing.key_ring import KeyRing
from protocols.signing.signature import sign
from protocols.signing.transport import UNSIGNED, Signing, judged
from scenarios.broker.broker import mosquitto_broker
from tests.benchmarks.world import settings, start_of, synthetic_pool

PARALLEL = 8
LAB = "lab-1"


async def cost(folder: Path, broker: BrokerSettings, signing: Signing, count: int) -> tuple[float, float]:
    """Run one campaign; return seconds an iteration, and those of the agent's processor."""
    pool, terms = synthetic_pool(count + 500), settings(count, parallel=PARALLEL)
    terms = terms.model_copy(update={"require_signatures": signing.has_keys})
    name = folder.name
    own = folder.with_suffix(".keys")
    if signing.has_keys:
        write_keys(own, signing.ring.part_of(LAB))
    with (
        open_campaign(
            folder, pool=pool, settings=terms, campaign=name, recipients=(LAB,), start=start_of(pool, 140), resume=False
        ) as files,
        assemble_agent(files, pool=pool, settings=terms, broker=broker, header={}, signing=signing) as agent,
    ):
        lab = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.benchmarks.processes.lab",
            broker.url, name, LAB, terms.property, terms.unit, str(count),
            str(own) if signing.has_keys else "", broker.version.value,
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        running = asyncio.create_task(agent.run())
        while len(agent.campaign.acquired) == 0:  # noqa: ASYNC110 - the lab's start is not counted
            await asyncio.sleep(0.005)
        left, began, worked = count - len(agent.campaign.acquired), time.perf_counter(), time.process_time()
        await running
        took = (time.perf_counter() - began) / left, (time.process_time() - worked) / left
        await lab.wait()
    return took


async def measure(count: int, repetitions: int) -> None:
    """Print the rates of each pair, and the median of what signing costs, for both versions of MQTT."""
    signing = Signing(KeyRing(new_key(), {LAB: new_key()}))
    runs = Path("runs")
    runs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runs) as name:
        async with mosquitto_broker(Path(name) / "mosquitto") as started:
            for version in (MqttVersion.V5, MqttVersion.V311):
                broker = started.model_copy(update={"version": version})
                dearer: list[tuple[float, float]] = []
                for number in range(repetitions):
                    ways = [("unsigned", UNSIGNED), ("signed", signing)]
                    took = {
                        way: await cost(Path(name) / f"{way}-{number}-{version.name.lower()}", broker, how, count)
                        for way, how in (ways if number % 2 == 0 else reversed(ways))
                    }
                    dearer.append((share(took, 0), share(took, 1)))
                    told = (
                        f"{way} {1 / took[way][0]:.0f}/s ({took[way][1] * 1e3:.2f} ms of processor)" for way in took
                    )
                    print(f"MQTT {version.value}: {'; '.join(told)}", flush=True)
                wall, worked = (statistics.median(each[place] for each in dearer) for place in (0, 1))
                print(f"MQTT {version.value}: signing costs {wall:+.1%} of the time, {worked:+.1%} of the processor's")


def share(took: dict[str, tuple[float, float]], place: int) -> float:
    """Return by how much a signed iteration takes longer, as a part of an unsigned one."""
    return took["signed"][place] / took["unsigned"][place] - 1


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


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    one_message()
    asyncio.run(measure(words[0] if words else 2_000, words[1] if len(words) > 1 else 5))
