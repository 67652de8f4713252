"""What signatures, and receipts that name the journal's end, cost the loop: short campaigns in turn, in one run.

    python -m tests.benchmarks.signing [ITERATIONS] [ROUNDS]

A round is one campaign of each kind, one after the other on one broker, in an order that changes from round to round:
unsigned with the bare receipts of 0.1.0, unsigned with row and digest in the receipts, and signed. What is compared is
within a round, for a shared machine's load changes from minute to minute; told are the median of the rounds and its
95 % interval (of order statistics: no shape is assumed). The processor's time is that of the agent's process. Over
MQTT 3.1.1 the payload is in an envelope.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import quantile_test

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.signing.key_file import new_key
from protocols.signing.key_ring import KeyRing
from protocols.signing.transport import Signing
from scenarios.broker.broker import mosquitto_broker
from tests.benchmarks.signing.blocks import LAB, Kind, Took, block
from tests.benchmarks.signing.one_message import one_message

BAR = 0.05
"""What signing and receipts may cost of the loop's throughput."""

KINDS = {
    "bare": Kind(bare_receipts=True),
    "receipts": Kind(),
    "signed": Kind(Signing(KeyRing(new_key(), {LAB: new_key()}))),
}
COMPARED = (("receipts", "bare"), ("signed", "receipts"), ("signed", "bare"))
"""What row and digest cost, what signatures cost, and both together, which is held against the bar."""

Round = dict[str, Took]


async def measure(count: int, rounds: int) -> None:
    """Print what each costs, for both versions of MQTT."""
    runs = Path("runs")
    runs.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=runs) as name:
        async with mosquitto_broker(Path(name) / "mosquitto") as started:
            for version in (MqttVersion.V5, MqttVersion.V311):
                broker = started.model_copy(update={"version": version})
                tell(version, await played(Path(name), broker, count, rounds))


async def played(folder: Path, broker: BrokerSettings, count: int, rounds: int) -> list[Round]:
    """Play the rounds; each order of the kinds comes equally often."""
    orders = list(itertools.permutations(KINDS))
    version = broker.version.name.lower()
    return [
        {
            kind: await block(folder / f"{kind}-{number}-{version}", broker, KINDS[kind], count)
            for kind in orders[number % len(orders)]
        }
        for number in range(rounds)
    ]


def tell(version: MqttVersion, rounds: Sequence[Round]) -> None:
    """Print the rates, and what each costs more than what it is compared with."""
    print(f"\nMQTT {version.value}, {len(rounds)} rounds, load {os.getloadavg()[0]:.1f}")
    for kind in KINDS:
        rate = 1 / np.median([each[kind].wall_s for each in rounds])
        processor_ms = 1e3 * np.median([each[kind].processor_s for each in rounds])
        print(f"{kind:10s}{rate:6.0f} iterations/s, {processor_ms:.2f} ms of processor each")
    for dearer, cheaper in COMPARED:
        wall = _cost(rounds, dearer, cheaper, lambda took: took.wall_s)
        processor = _cost(rounds, dearer, cheaper, lambda took: took.processor_s)
        print(f"{dearer} beside {cheaper}: {wall} of the time, {processor} of the processor's", flush=True)
    print(f"the bar for 'signed beside bare' is {BAR:.0%}", flush=True)


def _cost(rounds: Sequence[Round], dearer: str, cheaper: str, of: Callable[[Took], float]) -> str:
    shares = np.array([of(each[dearer]) / of(each[cheaper]) - 1 for each in rounds])
    low, high = quantile_test(shares, p=0.5).confidence_interval(0.95)
    return f"{np.median(shares):+.1%} [{low:+.1%}, {high:+.1%}]"


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    one_message()
    asyncio.run(measure(words[0] if words else 400, words[1] if len(words) > 1 else 30))
