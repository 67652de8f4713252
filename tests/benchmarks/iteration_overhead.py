"""What one iteration costs beside acquisition and evaluation, against what it must cost.

    python -m tests.benchmarks.iteration_overhead [ITERATIONS] [BLOCKS]

Measured in one run, through Mosquitto on loopback, by turns in several blocks; the ratio that counts is the median of
the blocks':

- ours: a lab in another process publishes a result, the agent commits it with `synchronous=FULL`, takes the next in
  line (acquisition is not counted), commits the decision and its request in the same transaction and publishes the
  request; the lab notes when it has it.
- the floor: the same two MQTT hops through an echo in another process, and one bare commit of as many bytes by the
  `sqlite3` module with the same settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from agent.assembly import assemble_agent
from agent.opening import open_campaign
from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery
from scenarios.broker.broker import mosquitto_broker
from tests.benchmarks.processes.beside import process_beside, run_beside_lab
from tests.benchmarks.world import settings, start_of, synthetic_pool

CAMPAIGN, SIMULATOR = "bench", "lab-1"
HOPS, COMMIT, OURS = "two bare MQTT hops", "one bare FULL commit", "one iteration of ours"


async def iterations(broker: BrokerSettings, folder: Path, count: int) -> list[float]:
    """Run a campaign of `count` iterations against a lab process; return what the lab measured [s]."""
    pool, terms = synthetic_pool(count + 500), settings(count, policy="tests.benchmarks.world:NextInLine")
    with (
        open_campaign(
            folder,
            pool=pool,
            settings=terms,
            campaign=CAMPAIGN,
            recipients=(SIMULATOR,),
            start=start_of(pool, 140),
            resume=False,
        ) as files,
        assemble_agent(files, pool=pool, settings=terms, broker=broker, header={}) as agent,
    ):
        output = await run_beside_lab(agent, broker, terms)
    waits: list[float] = json.loads(output)
    return waits


async def bare_hops(broker: BrokerSettings, count: int) -> list[float]:
    """Return the time of two bare hops there and back through an echo process [s]."""
    echo = await process_beside("echo", broker, str(count))
    session = MqttSession(broker, client_id="floor", subscriptions=("floor/back",))
    link = asyncio.create_task(session.run())
    await session.receive()
    payload = b"x" * 400
    assert echo.stdout is not None
    await echo.stdout.readline()  # it has subscribed
    waits = []
    for _ in range(count):
        began = time.perf_counter()
        publishing = asyncio.create_task(session.publish("floor/there", payload))
        while not isinstance(item := await session.receive(), Delivery):
            pass
        waits.append(time.perf_counter() - began)
        session.acknowledge(item)
        await publishing
    await session.close()
    await link
    await echo.wait()
    return waits


def bare_commits(folder: Path, count: int) -> list[float]:
    """Return the time of one bare FULL commit of about what an iteration writes [s]."""
    waits = []
    with contextlib.closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=wal")
        connection.execute("PRAGMA synchronous=full")
        connection.execute("CREATE TABLE row (number INTEGER PRIMARY KEY, content BLOB)")
        for number in range(count):
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO row VALUES (?, ?)", (number, bytes(2_500)))
            connection.execute("COMMIT")
            waits.append(time.perf_counter() - began)
    return waits


async def block(count: int) -> dict[str, list[float]]:
    """Measure everything once [s]."""
    runs = Path("runs")
    runs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runs) as name:  # on the disk that runs are on, not in memory
        folder = Path(name)
        async with mosquitto_broker(folder / "mosquitto") as broker:
            return {
                COMMIT: bare_commits(folder, count),
                HOPS: await bare_hops(broker, count),
                OURS: await iterations(broker, folder / "run", count),
            }


def ratio_of(waits: dict[str, list[float]]) -> float:
    """Return the median of an iteration as a multiple of the floor's medians."""
    return float(np.median(waits[OURS]) / (np.median(waits[HOPS]) + np.median(waits[COMMIT])))


async def measure(count: int, blocks: int) -> None:
    """Measure and print."""
    found = [await block(count) for _ in range(blocks)]
    print(f"{blocks} blocks of {count} iterations, Mosquitto on loopback, synchronous=FULL [ms]")
    print(f"{'':26s}{'median':>9s}{'p95':>9s}{'p99':>9s}")
    for name in (HOPS, COMMIT, OURS):
        figures = np.percentile(np.concatenate([waits[name] for waits in found]) * 1e3, [50, 95, 99])
        print(f"{name:26s}" + "".join(f"{figure:9.2f}" for figure in figures))
    ratios = [ratio_of(waits) for waits in found]
    print("ratio to the floor (hops + commit), medians, by block: " + ", ".join(f"{ratio:.2f}" for ratio in ratios))
    print(f"median of the blocks: {np.median(ratios):.2f}")


if __name__ == "__main__":
    asyncio.run(measure(*(int(text) for text in [*sys.argv[1:], *("400", "5")[len(sys.argv) - 1 :]])))
