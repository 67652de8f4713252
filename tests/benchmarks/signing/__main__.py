"""What signatures, and receipts that name the journal's end, cost the loop: short blocks by turns, in one run.

    python -m tests.benchmarks.signing [ROUNDS]

A round is a block of each kind, one after the other in one campaign, in an order that changes from round to round. What
is compared is within a round, for a shared machine's load changes from minute to minute; told are the median of the
rounds and its 95 % interval (of order statistics: no shape is assumed). The processor's time is that of the agent's
process, which the load changes less. Over MQTT 3.1.1 the payload is in an envelope.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import quantile_test

from protocols.link.broker_settings import MqttVersion
from scenarios.broker.broker import mosquitto_broker
from tests.benchmarks.signing.blocks import BARE, SIGNED, TELLING, Round, Took, play
from tests.benchmarks.signing.one_message import one_message

BAR = 0.05
"""What signing and receipts may cost of the loop's throughput."""

COMPARED = ((TELLING, BARE), (SIGNED, TELLING), (SIGNED, BARE))
"""What row and digest cost, what signatures cost, and both together, which is held against the bar."""


async def measure(rounds: int) -> None:
    """Print what each costs, for both versions of MQTT."""
    runs = Path("runs")
    runs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runs) as name:
        async with mosquitto_broker(Path(name) / "mosquitto") as started:
            for version in (MqttVersion.V5, MqttVersion.V311):
                broker = started.model_copy(update={"version": version})
                tell(version, await play(Path(name) / version.name.lower(), broker, rounds))


def tell(version: MqttVersion, rounds: Sequence[Round]) -> None:
    """Print the rates, and what each costs more than what it is compared with."""
    print(f"\nMQTT {version.value}, {len(rounds)} rounds, load {os.getloadavg()[0]:.1f}")
    for kind in (BARE, TELLING, SIGNED):
        rate = 1 / np.median([each[kind].wall_s for each in rounds])
        processor_ms = 1e3 * np.median([each[kind].processor_s for each in rounds])
        print(f"{kind:10s}{rate:6.0f} iterations/s, {processor_ms:.2f} ms of processor each")
    for dearer, cheaper in COMPARED:
        wall = _cost(rounds, dearer, cheaper, lambda took: took.wall_s)
        processor = _cost(rounds, dearer, cheaper, lambda took: took.processor_s)
        print(f"{dearer} beside {cheaper}: {wall} of the time, {processor} of the processor's", flush=True)
    print(f"the bar for '{SIGNED} beside {BARE}' is {BAR:.0%}", flush=True)


def _cost(rounds: Sequence[Round], dearer: str, cheaper: str, of: Callable[[Took], float]) -> str:
    shares = np.array([of(each[dearer]) / of(each[cheaper]) - 1 for each in rounds])
    low, high = quantile_test(shares, p=0.5).confidence_interval(0.95)
    return f"{np.median(shares):+.1%} [{low:+.1%}, {high:+.1%}]"


if __name__ == "__main__":
    one_message()
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
