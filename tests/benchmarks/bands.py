"""How often each kind of band holds the true entropy, and how wide it is: `python -m tests.benchmarks.bands [SAMPLES]`.

Each is a band of 90 %; the width is that of the band over that of the entropy itself (from its 5 % to its 95 % point
over the samples). What `agent.entropy.bands` has chosen stands last.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np
from scipy.special import digamma

from agent.entropy.bands import entropy_band
from agent.entropy.measure import ESTIMATORS, M_SPACING, EntropyMeasure
from agent.entropy.spacing import log_width, window
from tests.benchmarks.estimators import DISTRIBUTIONS, RESOLUTION

SIZES = (5, 10, 20, 50, 100, 200)
RESAMPLES = 200
ENDS = (5, 95)
LEVEL = 0.9

Made = Callable[[np.ndarray, float, np.random.Generator], tuple[float, float]]
"""Sample in ascending order, its entropy and a generator -> the band."""


def entropies(x: np.ndarray) -> np.ndarray:
    """The m-spacing entropy of each row of a matrix, each ascending."""
    n = x.shape[-1]
    i = np.arange(n)
    low, high = np.maximum(i - window(n), 0), np.minimum(i + window(n), n - 1)
    return (log_width(x[..., high] - x[..., low], RESOLUTION) - digamma(high - low)).mean(axis=-1) + digamma(n + 1)


def bootstrap(x: np.ndarray, h: float, rng: np.random.Generator) -> tuple[float, float]:
    drawn = x[rng.integers(0, len(x), (RESAMPLES, len(x)))]
    return tuple(np.percentile(entropies(np.sort(drawn, axis=1)), ENDS))


def smoothed(x: np.ndarray, h: float, rng: np.random.Generator) -> tuple[float, float]:
    quartiles = np.quantile(x, (0.25, 0.75))
    bandwidth = 0.9 * min(x.std(ddof=1), (quartiles[1] - quartiles[0]) / 1.34) * len(x) ** -0.2
    drawn = x[rng.integers(0, len(x), (RESAMPLES, len(x)))] + bandwidth * rng.normal(size=(RESAMPLES, len(x)))
    return _around(h, entropies(np.sort(drawn, axis=1)), 1.0)


def halves(x: np.ndarray, h: float, rng: np.random.Generator, factor: float = 1.0) -> tuple[float, float]:
    n, m = len(x), len(x) // 2
    kept = np.sort(np.argsort(rng.random((RESAMPLES, n)), axis=1)[:, :m], axis=1)
    return _around(h, entropies(x[kept]), math.sqrt(m / (n - m)) * factor)


def shrunk_halves(x: np.ndarray, h: float, rng: np.random.Generator) -> tuple[float, float]:
    return halves(x, h, rng, math.sqrt(0.5))


def jackknife(x: np.ndarray, h: float, rng: np.random.Generator) -> tuple[float, float]:
    band = entropy_band(x, EntropyMeasure(M_SPACING, RESOLUTION))
    assert band is not None
    return band


def _around(h: float, resampled: np.ndarray, factor: float) -> tuple[float, float]:
    low, high = np.percentile((resampled - resampled.mean()) * factor, ENDS)
    return h + low, h + high


KINDS: dict[str, Made] = {
    "bootstrap": bootstrap,
    "smoothed bootstrap": smoothed,
    "half-samples": halves,
    "half-samples, √(m/n)": shrunk_halves,
    "jackknife": jackknife,
}


def told(bands: np.ndarray, found: np.ndarray, truth: float) -> str:
    """Return how often the bands hold the truth, and their width over that of what was found."""
    low, high = bands.T
    width = (high - low).mean() / np.ptp(np.percentile(found, ENDS))
    return f"{np.mean((low <= truth) & (truth <= high)):.2f}, {width:.2f}"


def main(samples: int) -> None:
    print(f"share of {samples} samples whose band of {LEVEL:.0%} holds the truth, and its width over that of h\n")
    print("| | n | " + " | ".join(KINDS) + " |\n|" + "---|" * (len(KINDS) + 2))
    for name, (draw, truth) in DISTRIBUTIONS.items():
        for n in SIZES:
            rng = np.random.default_rng(n)
            drawn = [np.sort(draw(rng, n)) for _ in range(samples)]
            found = entropies(np.array(drawn))
            bands = (np.array([made(*each, rng) for each in zip(drawn, found, strict=True)]) for made in KINDS.values())
            row = [told(each, found, truth) for each in bands]
            print(f"| {name} | {n} | " + " | ".join(row) + " |", flush=True)
    print("\nthe jackknife's band of every estimator\n")
    print("| | n | " + " | ".join(ESTIMATORS) + " |\n|" + "---|" * (len(ESTIMATORS) + 2))
    for name, (draw, truth) in DISTRIBUTIONS.items():
        for n in SIZES:
            rng = np.random.default_rng(n)
            drawn = [np.sort(draw(rng, n)) for _ in range(min(samples, 500))]
            row = []
            for estimator in ESTIMATORS:
                measure = EntropyMeasure(estimator, RESOLUTION)
                found = np.array([measure.entropy(x) for x in drawn], dtype=float)
                row.append(told(np.array([entropy_band(x, measure) for x in drawn]), found, truth))
            print(f"| {name} | {n} | " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
