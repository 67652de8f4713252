"""Bias and deviation of every entropy estimator on known distributions: `python -m tests.benchmarks.estimators`."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from agent.entropy.measure import ESTIMATORS, EntropyMeasure

SAMPLES = 2_000
"""Samples of one figure: the bias is then known to a fortieth of the deviation."""

SIZES = (1, 2, 4, 5, 10, 11, 20, 50, 200, 1000, 1001)
RESOLUTION = 1e-3

Draw = Callable[[np.random.Generator, int], np.ndarray]
DISTRIBUTIONS: dict[str, tuple[Draw, float]] = {
    "uniform": (lambda rng, n: rng.random(n), 0.0),
    "normal": (lambda rng, n: rng.normal(size=n), 0.5 * math.log(2 * math.pi * math.e)),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
}
"""Name -> how to draw, and the true entropy [nat]."""


def figure(estimator: str, draw: Draw, truth: float, n: int) -> str:
    """Return bias ± deviation over many samples."""
    rng = np.random.default_rng(n)
    measure = EntropyMeasure(estimator, RESOLUTION)
    samples = SAMPLES if n < 500 else SAMPLES // 10
    found = [measure.entropy(np.sort(draw(rng, n))) for _ in range(samples)]
    if any(h is None for h in found):
        return "undefined"
    errors = np.array(found, dtype=float) - truth
    return f"{errors.mean():+.3f} ± {errors.std():.3f}".replace("-", "−")


def main() -> None:
    print(f"bias ± deviation [nat], resolution {RESOLUTION}\n")
    print("| | n | " + " | ".join(ESTIMATORS) + " |")
    print("|---" * (len(ESTIMATORS) + 2) + "|")
    for name, (draw, truth) in DISTRIBUTIONS.items():
        for n in SIZES:
            row = (figure(estimator, draw, truth, n) for estimator in ESTIMATORS)
            print(f"| {name} | {n} | " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
