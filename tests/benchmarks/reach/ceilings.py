"""How well the ceilings of families are told: `python -m tests.benchmarks.reach.ceilings [--seeds 3] [--tables …]`.

Before a campaign and after 100 acquisitions of `gap_gain`, against the truth: the whole of a family thinned to what is
known and 50 more. `now` says how far off a family's present entropy would be as a guess of its ceiling.

Three seeds each, all candidates [nat]:

| | families | true ceiling above now | bias | mae | corr | band holds | now: mae | seconds |
|---|---|---|---|---|---|---|---|---|
| emt_alloys, at the start | 21 | 0.824 | +0.023 | 0.070 | 0.820 | 0.71 | 0.824 | 1.11 |
| emt_alloys, after 100 | 21 | 0.155 | +0.024 | 0.027 | 0.988 | 0.86 | 0.155 | 1.88 |
| oqmd8, at the start | 21 | 0.825 | +0.037 | 0.091 | 0.978 | 0.62 | 0.825 | 2.89 |
| oqmd8, after 100 | 21 | 0.149 | +0.023 | 0.034 | 0.996 | 0.90 | 0.149 | 2.56 |

At the start the band is too narrow: it knows what the model does not know, and not how wrong the model is.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray
from agent.acquisition.ceilings import Known, ceilings
from agent.campaign.context import pool_arrays
from agent.entropy.attainable import attainable_entropies
from agent.entropy.measure import EntropyMeasure, default_resolution
from agent.entropy.target_properties import TargetProperty
from scenarios.run.offline import play_offline
from scenarios.settings.model import Scenario
from scenarios.world.world import World, build_world, start_set
from tests.benchmarks.published_tables import DATA
from tests.benchmarks.real_tables.tables import MAKERS

FURTHER = 50
"""Values that a family may get."""

ACQUIRED = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", default="emt_alloys,oqmd8")
    parser.add_argument("--out", type=Path, default=Path("runs/ceilings"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    print("| | families | true ceiling above now | bias | mae | corr | band holds | now: mae | seconds |")
    for name in asked.tables.split(","):
        try:
            scenario = MAKERS[name](DATA, asked.out)
        except FileNotFoundError as error:
            print(f"note: {name} is passed over: {error}", file=sys.stderr)
            continue
        world = build_world(scenario)
        starts = [start_of(scenario, world, seed) for seed in range(asked.seeds)]
        report(f"{name}, at the start", world, starts)
        report(f"{name}, after {ACQUIRED}", world, [after(scenario, world, s, n) for n, s in enumerate(starts)])


def start_of(scenario: Scenario, world: World, seed: int) -> IndexArray:
    campaign = scenario.campaign.model_copy(update={"seed": seed})
    return start_set(scenario.model_copy(update={"campaign": campaign}), world.pool, world.values)


def after(scenario: Scenario, world: World, start: IndexArray, seed: int) -> IndexArray:
    """Return what is known after a campaign."""
    asked = {"policy": "gap_gain", "policy_options": {}, "budget": ACQUIRED, "seed": seed}
    played = play_offline(world.pool, world.values, start.tolist(), scenario.campaign.model_copy(update=asked))
    return np.union1d(start, played.acquired)


def report(what: str, world: World, knowns: list[IndexArray]) -> None:
    began = time.perf_counter()
    found = np.array([row for seed, known in enumerate(knowns) for row in rows(world, known, seed)])
    seconds = (time.perf_counter() - began) / len(knowns)
    now, told, low, high, truth = found.T
    error, guess = told - truth, now - truth
    holds = ((low <= truth) & (truth <= high)).mean()
    figures = f"{error.mean():+.3f} | {np.abs(error).mean():.3f} | {np.corrcoef(told, truth)[0, 1]:.3f} | {holds:.2f}"
    above = (truth - now).mean()
    print(
        f"| {what} | {len(found)} | {above:.3f} | {figures} | {np.abs(guess).mean():.3f} | {seconds:.2f} |", flush=True
    )


def rows(world: World, known: IndexArray, seed: int) -> list[tuple[float, ...]]:
    """Return now, ceiling, both ends of its band and the truth for every family."""
    pool = pool_arrays(world.pool)
    measure = EntropyMeasure("m_spacing", default_resolution(world.values[known]))
    remaining = np.setdiff1d(np.arange(len(world.pool)), known)
    before = Known(pool, known, world.values[known][:, None], remaining, (TargetProperty(measure=measure),))
    made: list[tuple[float, ...]] = []
    for code, ceiling in enumerate(ceilings(before, FURTHER, seed=seed)):
        figures = (ceiling.now, ceiling.at_most, ceiling.low, ceiling.high)
        truth = attainable_entropies(*_values(world, known, remaining, code), FURTHER, measure)[0]
        if all(each is not None for each in figures):
            made.append((*(float(each) for each in figures if each is not None), float(truth)))
    return made


def _values(world: World, known: IndexArray, remaining: IndexArray, code: int) -> tuple[FloatArray, FloatArray]:
    codes = world.pool.family_codes
    return world.values[known[codes[known] == code]], world.values[remaining[codes[remaining] == code]][None]


if __name__ == "__main__":
    main()
