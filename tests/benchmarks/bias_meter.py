"""How long one observation takes in the bias meter, at 3,000 values in each of seven families: below a millisecond.

python -m tests.benchmarks.bias_meter
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from agent.entropy.bias import BiasMeter

FAMILIES = 7
VALUES = 3_000
OBSERVATIONS = 200


def main() -> None:
    rng = np.random.default_rng(0)
    codes, values = np.repeat(np.arange(FAMILIES), VALUES), rng.normal(size=FAMILIES * VALUES)
    meter = BiasMeter(tuple("abcdefg"), codes, values)
    seconds = []
    for number in range(OBSERVATIONS):
        began = time.perf_counter()
        meter.add(number % FAMILIES, float(rng.normal()))
        meter.point()
        seconds.append(time.perf_counter() - began)
    print(
        f"an observation: {1e3 * min(seconds):.3f} ms at best, {1e3 * statistics.median(seconds):.3f} ms at the median"
    )


if __name__ == "__main__":
    main()
