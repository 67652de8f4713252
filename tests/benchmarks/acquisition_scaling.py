"""What one decision of `etal` costs between refits, by candidates and by labelled rows; and where the time goes.

    python -m tests.benchmarks.acquisition_scaling [--quick] [--json FILE]

Candidates have 64 features in single precision, in a memory-mapped file. A decision takes in the row that came last,
predicts every candidate of the poorest family and chooses; the one before has been answered. One family is the worst
case (all candidates are asked about); of seven, the poorest is. Every case runs in a process of its own, on one thread,
and is the median of several decisions, none of which fits hyper-parameters again.

| part | what it is |
|---|---|
| prediction | a row appended to the surrogate, means and deviations of all candidates |
| in flight | requests in flight appended without their values, means in each of 16 cases |
| gain | expected gain of each; in each case |
| bookkeeping | all else: what is new and of which family, who is available, the best two |

Processor time is what an idle machine would need. Exponents are slopes between neighbouring sizes on logarithmic axes:
1 in candidates at large sizes, at most 2 in rows.

Measured on one core of an AMD EPYC with AVX-512, shared with others [ms of processor]:

| candidates, with 1,000 rows | 1,000 | 10,000 | 100,000 | 1,000,000 |
|---|---|---|---|---|
| one family | 2.7 | 7.8 | 25 | 215 (4.5 GiB); streamed 2,690 (0.7 GiB) |
| seven families | 1.9 | 2.1 | 5.0 | 27 |
| one family, seven requests in flight | 19 | 47 | 197 | 2,550 |

| rows, with 10,000 candidates | 100 | 300 | 1,000 | 3,000 | 10,000 |
|---|---|---|---|---|---|
| one family | 2.3 | 3.5 | 6.3 | 18 | 49 |
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from agent.acquisition import etal
from agent.acquisition import family_forecast as forecast
from agent.acquisition.base import AcquisitionContext, PoolArrays
from agent.entropy.measure import M_SPACING, EntropyMeasure, default_resolution
from agent.surrogate.growing import GrowingGP
from agent.surrogate.pending_conditioned import PendingConditioned

FEATURES: Final = 64
DECISIONS: Final = 5
"""Decisions of one median; the schedule fits again after five rows at least."""

FIT_ROWS: Final = 200
"""Rows that hyper-parameters are fitted on: the fit is no part of what is measured."""

PARTS: Final = ("prediction", "in flight", "gain", "bookkeeping")


@dataclass(frozen=True)
class Case:
    """One measurement."""

    candidates: int
    rows: int
    families: int = 1
    in_flight: int = 0
    memory_mib: int = 1_024
    label: str = ""


@dataclass(frozen=True)
class Target:
    """What one decision must reach."""

    case: Case
    seconds: float
    gib: float


CANDIDATES: Final = (1_000, 10_000, 100_000, 1_000_000)
ROWS: Final = (100, 300, 1_000, 3_000, 10_000)
BY_CANDIDATES: Final = [Case(m, 1_000, memory_mib=6_000) for m in CANDIDATES]
BY_FAMILIES: Final = [Case(m, 1_000, families=7, memory_mib=6_000) for m in CANDIDATES]
BY_IN_FLIGHT: Final = [Case(m, 1_000, in_flight=7, memory_mib=6_000) for m in CANDIDATES]
BY_ROWS: Final = [Case(10_000, n) for n in ROWS]
TARGETS: Final = (
    Target(Case(100_000, 1_000, label="100,000 × 1,000"), 0.150, 6.0),
    Target(Case(1_000_000, 1_000, memory_mib=6_000, label="1,000,000 × 1,000, kept"), 2.0, 6.0),
    Target(Case(1_000_000, 1_000, label="1,000,000 × 1,000, default memory: streamed"), math.inf, 6.0),
)


def features_in(folder: Path, candidates: int) -> np.ndarray[Any, Any]:
    """Write a feature matrix block by block, and map it."""
    path = folder / "features.f32"
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, candidates, 100_000):
            count = min(100_000, candidates - start)
            file.write(rng.standard_normal((count, FEATURES), dtype=np.float32).tobytes())
    return np.memmap(path, dtype=np.float32, mode="r", shape=(candidates, FEATURES))


class Clock:
    """Processor time by part, of one decision after the other."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = dict.fromkeys(PARTS, 0.0)

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            began = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                self.parts[part] += time.process_time() - began

        return call


@contextmanager
def watched() -> Iterator[Clock]:
    """Time the parts of decisions."""
    clock = Clock()
    places: list[tuple[Any, str, str]] = [
        (GrowingGP, "append", "prediction"),
        (GrowingGP, "predict", "prediction"),
        (PendingConditioned, "extend", "in flight"),
        (PendingConditioned, "predict", "in flight"),
        (forecast, "mean_expected_gain", "gain"),
    ]
    originals = [getattr(owner, name) for owner, name, _ in places]
    for (owner, name, part), original in zip(places, originals, strict=True):
        setattr(owner, name, clock.timed(part, original))
    try:
        yield clock
    finally:
        for (owner, name, _), original in zip(places, originals, strict=True):
            setattr(owner, name, original)


def contexts(case: Case, features: np.ndarray[Any, Any]) -> Iterator[AcquisitionContext]:
    """Yield the contexts of a campaign that starts with so many rows in each family, one row more each time.

    Families differ in offset and spread, so that the first stays the poorest.
    """
    rng = np.random.default_rng(1)
    n = case.candidates + case.rows
    codes = np.arange(n) % case.families
    names = tuple(f"family {code}" for code in range(case.families))
    weights = rng.normal(size=FEATURES) / math.sqrt(FEATURES)
    values = np.concatenate([features[at : at + 100_000] @ weights for at in range(0, n, 100_000)])
    values = (values + rng.normal(scale=0.3, size=n)) * (1.0 + codes)
    labelled = np.sort(rng.choice(n, case.rows, replace=False))
    pool = PoolArrays((), features, codes, names)
    measure = EntropyMeasure(M_SPACING, default_resolution(values[labelled]))
    order = rng.permutation(np.setdiff1d(np.flatnonzero(codes == 0), labelled))
    for count in range(DECISIONS + 1):
        acquired = order[:count]
        observed, pending = np.union1d(labelled, acquired), np.sort(order[count : count + case.in_flight])
        available = np.setdiff1d(np.arange(n), np.union1d(observed, pending))
        yield AcquisitionContext(
            pool, observed, values[observed], acquired, pending, available, decision=count, seed=count, measure=measure
        )


def measured(case: Case) -> dict[str, Any]:
    """Run one case in this process."""
    policy = etal.EntropyTargeted(
        max_fit_rows=FIT_ROWS, max_training_rows=20_000, memory_mib=case.memory_mib, lengthscales="one"
    )
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1), watched() as clock:
        features = features_in(Path(folder), case.candidates + case.rows)
        walls, processors, parts = [], [], []
        first = 0.0
        for context in contexts(case, features):
            clock.parts = dict.fromkeys(PARTS, 0.0)
            wall, processor = time.perf_counter(), time.process_time()
            proposal = policy.propose(context, 1)
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            first = first or processor
            walls.append(wall)
            processors.append(processor)
            parts.append({**clock.parts, "bookkeeping": processor - sum(clock.parts.values())})
            assert proposal.target_family == "family 0"
        assert policy._kept is not None
        surrogate = policy._kept[2][0]._families[0].surrogate()
        assert surrogate is not None
        usual = [k for k in range(1, len(walls)) if k <= DECISIONS - (surrogate.n_fits - 1)]
        assert surrogate.n_fits == 1 or len(usual) >= 3, "the schedule fits again in between"
    return {
        "wall": statistics.median(walls[k] for k in usual),
        "processor": statistics.median(processors[k] for k in usual),
        "first": first,
        "rss_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20),
        "parts": {part: statistics.median(parts[k][part] for k in usual) for part in PARTS},
        "kept": type(surrogate.columns).__name__ == "KeptColumns",
    }


def in_own_process(case: Case) -> dict[str, Any]:
    """Run one case in a process of its own, for the sake of its peak memory."""
    command = [sys.executable, "-m", "tests.benchmarks.acquisition_scaling", "--case", json.dumps(asdict(case))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def show(title: str, cases: list[Case], size: Callable[[Case], int]) -> list[dict[str, Any]]:
    """Measure and print a table; return its rows."""
    print(f"\n{title}\n\n| candidates | rows | processor [ms] | exponent | wall [ms] | "
          f"{' | '.join(f'{part} [ms]' for part in PARTS)} | V | first decision [s] | peak RSS [GiB] |")  # fmt: skip
    print("|" + "---|" * (8 + len(PARTS)))
    rows: list[dict[str, Any]] = []
    for case in cases:
        found = in_own_process(case)
        exponent = ""
        if rows:
            before, smaller = rows[-1]["processor"], rows[-1]["size"]
            exponent = f"{math.log(found['processor'] / before) / math.log(size(case) / smaller):.2f}"
        rows.append({**asdict(case), **found, "size": size(case), "exponent": exponent})
        parts = " | ".join(f"{found['parts'][part] * 1e3:.2f}" for part in PARTS)
        print(f"| {case.candidates:,} | {case.rows:,} | {found['processor'] * 1e3:.2f} | {exponent} | "
              f"{found['wall'] * 1e3:.2f} | {parts} | {'kept' if found['kept'] else 'streamed'} | "
              f"{found['first']:.1f} | {found['rss_gib']:.2f} |", flush=True)  # fmt: skip
    return rows


def main(*, quick: bool) -> dict[str, Any]:
    """Measure and print everything."""
    most_candidates, most_rows = (10_000, 1_000) if quick else (1_000_000, 10_000)
    report: dict[str, Any] = {}
    for title, cases, size in (
        ("By candidates, one family", BY_CANDIDATES, lambda case: case.candidates),
        ("By candidates, seven families", BY_FAMILIES, lambda case: case.candidates),
        ("By candidates, one family, seven requests in flight", BY_IN_FLIGHT, lambda case: case.candidates),
        ("By labelled rows, one family", BY_ROWS, lambda case: case.rows),
    ):
        small = [case for case in cases if case.candidates <= most_candidates and case.rows <= most_rows]
        report[title] = show(title, small, size)
    if not quick:
        print("\nTargets\n")
        report["targets"] = []
        for target in TARGETS:
            found = in_own_process(target.case)
            reached = found["processor"] < target.seconds and found["rss_gib"] < target.gib
            wanted = "" if math.isinf(target.seconds) else f" (to reach: {target.seconds:g} s)"
            times = f"{found['processor']:.3f} s of processor, {found['wall']:.3f} s of wall{wanted}"
            memory = f"{found['rss_gib']:.2f} GiB (to reach: {target.gib:g})"
            print(f"- {target.case.label}: {times}, {memory}: {'reached' if reached else 'MISSED'}", flush=True)
            report["targets"].append({**asdict(target.case), **found, "reached": reached})
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="up to 10,000 candidates and 1,000 rows")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(measured(Case(**json.loads(asked.case)))))
        sys.exit()
    figures = main(quick=asked.quick)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
