"""How many iterations a second the loop sustains, and whether its memory stays constant.

    python -m tests.benchmarks.loop_throughput [ITERATIONS]

An oracle without latency in another process, random policy, eight requests in flight, Mosquitto on loopback,
`synchronous=FULL`, recording and log on.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import psutil

from agent.assembly import assemble_agent
from agent.opening import open_campaign
from agent.runtime.transaction import Transaction
from scenarios.broker.broker import mosquitto_broker
from tests.benchmarks.processes.beside import run_beside_lab
from tests.benchmarks.world import settings, start_of, synthetic_pool

PARALLEL = 8
MEBIBYTE = 1 << 20


async def measure(count: int, every: int) -> None:
    """Run and print a row every so many iterations."""
    runs = Path("runs")
    runs.mkdir(exist_ok=True)
    pool, terms = synthetic_pool(count + 500), settings(count, parallel=PARALLEL)
    process = psutil.Process()
    rows: list[tuple[int, float, float]] = []

    def note(step: Transaction) -> None:
        for bias in step.bias:
            if bias.observation % every == 0 and bias.observation:
                rows.append((bias.observation, time.perf_counter(), process.memory_info().rss / MEBIBYTE))
                print(
                    f"{bias.observation:8d}{every / (rows[-1][1] - rows[-2][1]):12.0f}{rows[-1][2]:12.1f}", flush=True
                )

    with tempfile.TemporaryDirectory(dir=runs) as name:
        async with mosquitto_broker(Path(name) / "mosquitto") as broker:
            with (
                open_campaign(
                    Path(name) / "run",
                    pool=pool,
                    settings=terms,
                    campaign="bench",
                    recipients=("lab-1",),
                    start=start_of(pool, 140),
                    resume=False,
                ) as files,
                assemble_agent(files, pool=pool, settings=terms, broker=broker, header={}, on_commit=note) as agent,
            ):
                print(f"{'step':>8s}{'iterations/s':>14s}{'RSS [MiB]':>12s}")
                rows.append((0, time.perf_counter(), process.memory_info().rss / MEBIBYTE))
                await run_beside_lab(agent, broker, terms)
    (_, began, _), (last, ended, memory) = rows[0], rows[-1]
    print(f"{last / (ended - began):.0f} iterations/s over {last}; RSS {rows[1][2]:.1f} -> {memory:.1f} MiB")


if __name__ == "__main__":
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    asyncio.run(measure(total, max(1, total // 10)))
