"""What a Dask cluster costs beside processes on this machine, and beside Dask alone.

    python -m tests.benchmarks.lab.cluster [--count 1000]

A scheduler and two workers of two threads are started here. By turns in one run: empty tasks by `distributed` alone,
all at once and one by one as a lab asks, and empty evaluations through our executor there and in children here. Then
how much of the ideal rate is left for longer ones, and how a simulator at full load answers and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from protocols.wire.codec import decode
from protocols.wire.messages import CandidateRequest, Capabilities, CapabilitiesRequest, Quantity
from simulators.executors.children import ChildExecutor
from simulators.executors.dask.dask_executor import DaskExecutor
from simulators.executors.executor import Executor
from simulators.settings import SimulatorSettings
from tests.support import sample_messages as messages
from tests.support.clusters.local_cluster import LocalCluster, local_cluster
from tests.support.lab import Lab, until

ROUNDS: Final = 3
IN_FLIGHT: Final = 64
WORKERS, THREADS = 2, 2
LENGTHS_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)
FULL_LOAD: Final = 200
PINGS: Final = 40

NAMED: Final = "tests.benchmarks.lab.cluster:Sleeping"


class Sleeping:
    """Takes as long as it is told.

    Args:
        seconds: That [s].
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:
        """Return an energy."""
        time.sleep(self._seconds)
        return (Quantity(name="energy", value=-1.5, unit="eV/atom"),)


def nothing(number: int) -> int:
    """Return what it is given: a task of Dask's."""
    return number


def settings_of(executor: str, seconds: float, concurrency: int) -> SimulatorSettings:
    """Return the settings of a lab that sleeps."""
    options = {"seconds": seconds}
    return SimulatorSettings(
        id="sim-1", evaluator=NAMED, options=options, concurrency=concurrency, executor=executor, resend_min_s=60.0
    )


async def rate(executor: Executor, count: int) -> float:
    """Return how many evaluations a second an executor makes."""
    await asyncio.gather(*(executor.evaluate(messages.request(f"w-{number}")) for number in range(2 * IN_FLIGHT)))
    began = time.perf_counter()
    await asyncio.gather(*(executor.evaluate(messages.request(f"a-{number}")) for number in range(count)))
    return count / (time.perf_counter() - began)


async def rate_of(executor: Executor, count: int) -> float:
    """The same, of an executor that is closed then."""
    try:
        return await rate(executor, count)
    finally:
        await executor.close()


async def rates_of_dask(cluster: LocalCluster, count: int) -> tuple[float, float]:
    """Return how many tasks a second `distributed` alone makes: all at once, and so many in flight."""
    import distributed

    async with distributed.Client(cluster.address, asynchronous=True, set_as_default=False) as client:
        began = time.perf_counter()
        await client.gather(client.map(nothing, range(count), pure=False))
        at_once = count / (time.perf_counter() - began)
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def one(number: int) -> None:
            async with slots:
                await client.submit(nothing, number, pure=False)

        began = time.perf_counter()
        await asyncio.gather(*map(one, range(count)))
        return at_once, count / (time.perf_counter() - began)


async def throughput(cluster: LocalCluster, count: int) -> None:
    """Print rates of empty evaluations, by turns."""
    found: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        at_once, one_by_one = await rates_of_dask(cluster, count)
        there = await rate_of(DaskExecutor(settings_of(cluster.executor, 0.0, IN_FLIGHT), _silent), count)
        here = await rate_of(ChildExecutor(settings_of("", 0.0, WORKERS * THREADS)), count)
        told = {
            "distributed alone, all at once": at_once,
            "distributed alone, one by one": one_by_one,
            "evaluations there": there,
            "evaluations in children here": here,
            "there / distributed at once": there / at_once,
            "there / distributed one by one": there / one_by_one,
        }
        for name, value in told.items():
            found.setdefault(name, []).append(value)
    print(f"{count} empty ones, {IN_FLIGHT} in flight, {WORKERS} workers of {THREADS} threads [1/s]")
    for name, values in found.items():
        print(f"  {name:34s}{statistics.median(values):9.2f}   ({', '.join(f'{each:.2f}' for each in values)})")


async def lengths(cluster: LocalCluster) -> None:
    """Print which share of the ideal rate is left, by how long an evaluation takes."""
    print(f"share of {WORKERS * THREADS} sleeping at once that is reached, by length of an evaluation: there, here")
    for seconds in LENGTHS_S:
        count = max(16, min(400, round(4.0 / seconds)))
        there = await rate_of(DaskExecutor(settings_of(cluster.executor, seconds, IN_FLIGHT), _silent), count)
        here = await rate_of(ChildExecutor(settings_of("", seconds, WORKERS * THREADS)), count)
        ideal = WORKERS * THREADS / seconds
        print(f"  {seconds * 1e3:6.0f} ms   {there / ideal:6.2f} {here / ideal:6.2f}")


async def full_load(cluster: LocalCluster) -> None:
    """Print how long a simulator under full load takes to say what it can do, and to end."""
    settings = settings_of(cluster.executor, 0.05, IN_FLIGHT)
    with tempfile.TemporaryDirectory() as name:
        lab = Lab(Path(name), evaluator=NAMED, options=settings.options, concurrency=IN_FLIGHT, resend_min_s=60.0)
        async with lab.agent():
            async with lab.simulator(DaskExecutor(settings, _silent)) as service:
                for number in range(FULL_LOAD):
                    await lab.ask(messages.request(f"a-{number}", candidate_id=f"c-{number}", deadline_s=600.0))
                await until(lambda: service.running == IN_FLIGHT and service.counts["evaluated"] > 0)
                took = [await _seconds_to_answer(lab, number) for number in range(PINGS)]
                load = (service.running, len(service.waiting))
                began = time.perf_counter()
            ended_s = time.perf_counter() - began
    print(f"a simulator with {IN_FLIGHT} evaluations in flight there ({load[0]} and {load[1]} waiting at the end):")
    print(f"  says what it can do within {max(took) * 1e3:.0f} ms (median {statistics.median(took) * 1e3:.0f})")
    print(f"  ends within {ended_s:.2f} s")


async def _seconds_to_answer(lab: Lab, number: int) -> float:
    """Ask what it can do; return how long the answer took [s]."""
    ping = CapabilitiesRequest(campaign=messages.CAMPAIGN, message_id=f"ping-{number}", sent_at=messages.SENT_AT)
    began, heard = time.perf_counter(), _answers(lab)
    await lab.tell(ping)
    await until(lambda: _answers(lab) > heard)
    return time.perf_counter() - began


def _answers(lab: Lab) -> int:
    """How often the simulator has said what it can do."""
    return sum(isinstance(decode(each.topic, each.payload), Capabilities) for _, each in lab.bus.log)


def _silent(*_: Any, **__: Any) -> None:
    """Log nothing."""


async def main(count: int) -> None:
    """Measure everything."""
    with local_cluster(workers=WORKERS, threads=THREADS) as cluster:
        await throughput(cluster, count)
        await lengths(cluster)
        await full_load(cluster)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000)
    sys.exit(asyncio.run(main(parser.parse_args().count)))
