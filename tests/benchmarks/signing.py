"""What signatures cost the loop: signed and unsigned campaigns in turn, on one broker, in one run.

    python -m tests.benchmarks.signing [ITERATIONS] [REPETITIONS]

As `loop_throughput`: a lab without latency in another process, random policy, eight requests in flight, Mosquitto on
loopback, recording and log on. Each pair of campaigns gives one quotient; the median of them is what is told, for the
machine's load changes from minute to minute, and beside it that of the agent's processor time, which the load changes
less. Over MQTT 3.1.1 the payload is in an envelope.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from agent.assembly import assemble_agent, open_campaign
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.signing.key_file import new_key, write_keys
from protocols.signing.key_ring import KeyRing
from protocols.signing.signature import judge, sign
from protocols.signing.transport import UNSIGNED, Signing
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


def one_message(size: int = 700, count: int = 20_000) -> None:
    """Print what signing and judging one message take."""
    ring = KeyRing(new_key(), {LAB: new_key()})
    topic, payload = f"entropilot/v1/bench/result/{LAB}", b"x" * size
    began = time.perf_counter()
    for _ in range(count):
        judge(ring, topic, payload, sign(ring, topic, payload))
    print(f"sign and judge {size} byte: {(time.perf_counter() - began) / count * 1e6:.1f} µs")


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    one_message()
    asyncio.run(measure(words[0] if words else 2_000, words[1] if len(words) > 1 else 5))
