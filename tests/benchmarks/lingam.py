"""A whole fit (order and weights) beside causal-learn's and lingam's, by turns in one run; one BLAS thread.

    python -m tests.benchmarks.lingam [--repeats 3] [--shapes 801x10,20000x10,20000x20] [--errors]

| column | what it is |
|---|---|
| ours, others | median time of a fit [ms] |
| × | time of the other as a multiple of ours: the median over pairs of fits of the same rows |
| same order | share of the sets in which the causal order is the same |
| weights differ by | largest difference of a weight in those sets |

The bar: at least eight times faster than causal-learn on 20,000 × 10. `lingam` is left out where it cannot be imported
(it asks for an older SciPy); its present weights are of another rule, so its orders are what can be compared.

`--errors` measures instead how far single precision moves D and √M, relative to the longest combination of variables:
what `SINGLE_ERROR` of `agent/causal/graph/likelihood_ratio.py` has to be above.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from agent.causal.graph import likelihood_ratio
from agent.causal.graph.lingam import fit_graph
from agent.causal.graph.variables import Variables, standardise
from tests.support.samples.causal import BINARY, CAUCHY, EXPONENTIAL, LAPLACE, STUDENT, UNIFORM, random_system

Fit = Callable[[Variables], tuple[list[int], np.ndarray]]

NOISES: Final = {
    "uniform": UNIFORM,
    "Laplace": LAPLACE,
    "exponential": EXPONENTIAL,
    "Student (3)": STUDENT,
    "binary": BINARY,
    "Cauchy": CAUCHY,
}


def ours(variables: Variables) -> tuple[list[int], np.ndarray]:
    """Fit with this project."""
    graph = fit_graph(variables)
    return list(graph.order), graph.weights


def of_package(name: str) -> Fit | None:
    """Return the fit of another package; None where it cannot be imported."""
    try:
        model: Any = importlib.import_module(name).DirectLiNGAM
    except ImportError:
        return None

    def fit(variables: Variables) -> tuple[list[int], np.ndarray]:
        made = model()
        made.fit(np.array(variables.values))
        return [int(place) for place in made.causal_order_], made.adjacency_matrix_

    return fit


def timed(fit: Fit, variables: Variables) -> tuple[float, list[int], np.ndarray]:
    """Return the time of a fit [ms] and what it found."""
    began = time.perf_counter()
    order, weights = fit(variables)
    return 1e3 * (time.perf_counter() - began), order, weights


def compare(shapes: list[tuple[int, int]], repeats: int) -> None:
    """Print a row for each shape and each other package."""
    others = {"causal-learn": of_package("causallearn.search.FCMBased.lingam"), "lingam": of_package("lingam")}
    print("| rows × variables | other | ours [ms] | other [ms] | × | same order | weights differ by |")
    print("|---|---|---|---|---|---|---|")
    for n, d in shapes:
        sets = [random_system(seed, n, d)[0] for seed in range(repeats)]
        ours(sets[0])
        for name, other in others.items():
            if other is None:
                print(f"| {n:,} × {d} | {name} | cannot be imported | | | | |")
                continue
            pairs = [(timed(ours, each), timed(other, each)) for each in sets]
            times = np.array([(mine[0], theirs[0]) for mine, theirs in pairs])
            same = [mine[1] == theirs[1] for mine, theirs in pairs]
            differ = max(np.abs(a[2] - b[2]).max() for (a, b), is_same in zip(pairs, same, strict=True) if is_same)
            a, b = np.median(times, axis=0)
            ratio = np.median(times[:, 1] / times[:, 0])
            print(
                f"| {n:,} × {d} | {name} | {a:.1f} | {b:.0f} | {ratio:.1f} | {np.mean(same):.2f} | {differ:.0e} |",
                flush=True,
            )


def measure_errors(repeats: int) -> None:
    """Print the largest error in single precision, for each kind of noise and number of rows."""
    rows = (21, 200, 1_000, 5_000, 20_000)
    print("| noise | " + " | ".join(f"{n:,} rows" for n in rows) + " |\n" + "|---" * (1 + len(rows)) + "|")
    for name, noise in NOISES.items():
        cells = []
        for n in rows:
            errors = [error_of(random_system(seed, n, 10, noise)[0]) for seed in range(repeats)]
            cells.append(f"{max(errors):.1e}")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print(f"allowed for: {likelihood_ratio.SINGLE_ERROR:.0e}")


def error_of(variables: Variables) -> float:
    """Return the largest error of D of a pair or √M of a variable, relative to the longest combination."""
    columns = standardise(variables)
    d = len(columns.Z)
    single, double = (
        likelihood_ratio._Pairs(Z, np.eye(d), columns.correlations, (1.0, 1.0), np.full(d, np.nan))
        for Z in (columns.Z.astype(np.float32), columns.Z)
    )
    for pairs in (single, double):
        pairs.nearest(range(d), np.zeros(d), np.inf)  # looks at all
    errors = (np.abs(single._D - double._D).max(), np.abs(single.roots() - double.roots()).max())
    return float(max(errors)) / single.longest


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--shapes", default="801x10,20000x10,20000x20")
    parser.add_argument("--errors", action="store_true")
    asked = parser.parse_args()
    with threadpool_limits(1):
        if asked.errors:
            measure_errors(asked.repeats)
            return
        compare([(int(n), int(d)) for n, d in (shape.split("x") for shape in asked.shapes.split(","))], asked.repeats)


if __name__ == "__main__":
    main()
