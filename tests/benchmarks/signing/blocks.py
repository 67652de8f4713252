"""One short campaign of a kind, and what an iteration of it took; its beginning and its end are not counted.

As `loop_throughput`: a lab without latency in another process, random policy, eight requests in flight, Mosquitto on
loopback, recording and log on.
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from pathlib import Path

from agent.assembly import assemble_agent, open_campaign
from agent.runtime.transaction import Transaction
from protocols.link.broker_settings import BrokerSettings
from protocols.signing.key_file import write_keys
from protocols.signing.transport import UNSIGNED, Signing
from tests.benchmarks.processes.beside import run_beside_lab
from tests.benchmarks.world import settings, start_of, synthetic_pool

PARALLEL = 8
LAB = "lab-1"
WARM_UP = 40
"""Observations before the clock starts: the lab comes, the pipeline fills."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the campaigns of one kind are run.

    Attributes:
        signing: The keys.
        bare_receipts: Whether receipts lack row and digest of the journal, as in 0.1.0.
    """

    signing: Signing = UNSIGNED
    bare_receipts: bool = False


@dataclass(frozen=True, slots=True)
class Took:
    """What an iteration took.

    Attributes:
        wall_s: On the clock [s].
        processor_s: Of the agent's process, all its threads [s].
    """

    wall_s: float
    processor_s: float


class Stopwatch:
    """Notes the time of the first observation after the warm-up, and of the last; called after each commit."""

    def __init__(self) -> None:
        self._notes: list[tuple[int, float, float]] = []

    def __call__(self, step: Transaction) -> None:
        if step.bias and step.bias[-1].observation >= WARM_UP:
            note = (step.bias[-1].observation, time.perf_counter(), time.process_time())
            self._notes[1:] = [note]  # the first one stays

    def took(self) -> Took:
        """Return what an iteration took between the two."""
        (first, wall, processor), (last, wall_end, processor_end) = self._notes
        return Took((wall_end - wall) / (last - first), (processor_end - processor) / (last - first))


async def block(folder: Path, broker: BrokerSettings, kind: Kind, count: int) -> Took:
    """Run one campaign of `count` observations."""
    pool, terms, signing = synthetic_pool(count + 500), settings(count, parallel=PARALLEL), kind.signing
    terms = terms.model_copy(update={"require_signatures": signing.has_keys})
    name, own, watch = folder.name, folder.with_suffix(".keys"), Stopwatch()
    if signing.has_keys:
        write_keys(own, signing.ring.part_of(LAB))
    with (
        open_campaign(
            folder, pool=pool, settings=terms, campaign=name, recipients=(LAB,), start=start_of(pool, 140), resume=False
        ) as files,
        assemble_agent(
            files, pool=pool, settings=terms, broker=broker, header={}, signing=signing, on_commit=watch
        ) as agent,
    ):
        if kind.bare_receipts:
            agent.outbound._head = lambda: None
        gc.collect()
        await run_beside_lab(agent, broker, terms, str(own) if signing.has_keys else "")
    return watch.took()
