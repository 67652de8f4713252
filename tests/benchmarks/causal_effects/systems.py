"""Error of total effects in systems with a hidden confounder: interventions chosen, at random, and passive rows alone.

    python -m tests.benchmarks.causal_effects.systems [--seeds 30] [--random-systems] [--no-confounder]

The system is that of the scenario `synthetic_scm`, with other disturbances for every seed; with `--random-systems` it
is another one every time: nine variables in random order, each pair an edge with probability 0.35 and a weight of 0.4
to 1.0 of either sign, and a confounder of one cause and the target. All arms are judged by the policy's own belief.

| column | what it is |
|---|---|
| error | root mean square over the standardised total effects, mean over seeds ± its standard error |
| t, p | of the paired difference from random interventions; p by sign flips |
| held | part of the 90 % intervals that hold the truth |
| cpu | processor time of all decisions of a campaign [s] |
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is loaded: small matrices lose by more

import numpy as np

from agent.acquisition.base import AcquisitionContext
from agent.acquisition.causal.causal import Causal
from agent.acquisition.causal.interventions import InterventionModel
from agent.campaign.context import pool_arrays
from agent.entropy.target_properties import TargetProperty
from scenarios.compare.statistics import paired_test
from scenarios.effects.truth import AgainstTruth
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.structural_bed import make_structural_bed
from simulators.structural_model import StructuralModel, StructuralModelSettings
from tests.benchmarks.causal_effects.beds import judged

BATCH: Final = 10
EDGE: Final = 0.35
"""Probability of an edge: twelve of the 36 pairs, as many as in the scenario."""

Chooses = Callable[[AcquisitionContext, int], list[int]]


@dataclass(frozen=True)
class Course:
    """Error, and share of intervals that hold the truth, at each number of labels; processor time [s]."""

    error: list[float]
    held: list[float]
    cpu_s: float


class System:
    """A system of equations, its pool and what is true of it."""

    def __init__(self, settings: StructuralModelSettings) -> None:
        model = StructuralModel(settings)
        self.pool, values = make_structural_bed(settings)
        bed = self.pool.interventions
        assert bed is not None
        self.arrays, self.target = pool_arrays(self.pool), bed.target
        self.names = [settings.target, *(name for name in settings.variables if name != settings.target)]
        self.values = np.column_stack([values[name] for name in self.names])
        self.rows = np.column_stack([values[name] for name in settings.variables])
        effects = model.total_effects * bed.passive.std(axis=0)
        self.truth = np.delete(effects, bed.target)
        self.model = InterventionModel(self.arrays)

    def context(self, observed: list[int], seed: int) -> AcquisitionContext:
        """Return what is known after these interventions."""
        known = np.array(sorted(observed), dtype=np.int64)
        return AcquisitionContext(
            pool=self.arrays,
            observed=known,
            values=self.values[known, 0],
            acquired=np.array(observed, dtype=np.int64),
            pending=np.empty(0, dtype=np.int64),
            available=np.setdiff1d(np.arange(len(self.pool)), known),
            decision=len(observed),
            seed=seed * 1_000_003 + len(observed),
            additional=self.values[known, 1:],
            targets=tuple(TargetProperty(name, weight=1.0 / len(self.names)) for name in self.names),
        )

    def judged(self, observed: list[int]) -> AgainstTruth:
        """Return how far off the effects are after these interventions."""
        known = np.array(sorted(observed), dtype=np.int64)
        return judged(self.model.belief(known, self.rows[known])[0], self.truth)


def chosen() -> Chooses:
    """Choose as the policy does."""
    policy = Causal(width=0.0)
    return lambda context, count: [choice.index for choice in policy.propose(context, count).choices]


def at_random(context: AcquisitionContext, count: int) -> list[int]:
    """Choose any."""
    drawn: list[int] = np.random.default_rng(context.seed).choice(context.available, count, replace=False).tolist()
    return drawn


def campaign(system: System, choose: Chooses, labels: list[int], seed: int) -> Course:
    """Play one campaign in batches."""
    course, observed, cpu = Course([], [], 0.0), list[int](), 0.0
    for count in labels:
        while len(observed) < count:
            began = time.process_time()
            observed += choose(system.context(observed, seed), min(BATCH, count - len(observed)))
            cpu += time.process_time() - began
        told = system.judged(observed)
        course.error.append(told.error)
        course.held.append(told.held)
    return Course(course.error, course.held, cpu)


def random_settings(base: StructuralModelSettings, seed: int) -> StructuralModelSettings:
    """Return another system of as many variables, with a confounder of one cause and the target."""
    rng = np.random.default_rng([seed, 7])
    others = [name for name in base.variables if name != base.target]
    order = [others[place] for place in rng.permutation(len(others))] + [base.target]
    edges = [
        (cause, effect, float(rng.choice([-1.0, 1.0]) * rng.uniform(0.4, 1.0)))
        for place, effect in enumerate(order)
        for cause in order[:place]
        if rng.random() < EDGE
    ]
    hidden = {str(rng.choice(others)): 1.0, base.target: 1.2}
    return base.model_copy(update={"edges": tuple(edges), "hidden": hidden})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--random-systems", action="store_true")
    parser.add_argument("--no-confounder", action="store_true")
    parser.add_argument("--labels", default="20,40,60,100")
    options = parser.parse_args()
    labels = [int(each) for each in options.labels.split(",")]
    base = load_scenario("synthetic_scm", Overrides()).settings.pool.structural_model
    assert base is not None
    if options.no_confounder:
        base = base.model_copy(update={"hidden": {}})
    found: dict[str, list[Course]] = {"at random": [], "chosen": [], "passive rows alone": []}
    for seed in range(options.seeds):
        settings = random_settings(base, seed) if options.random_systems else base
        if options.no_confounder:
            settings = settings.model_copy(update={"hidden": {}})
        system = System(settings.model_copy(update={"seed": seed}))
        for name, choose in (("at random", at_random), ("chosen", chosen())):
            found[name].append(campaign(system, choose, labels, seed))
        more = settings.model_copy(update={"seed": seed, "passive_rows": settings.passive_rows + labels[-1]})
        seen = System(more)
        # The effects of one deviation are those of the campaign's rows, whichever rows they are estimated from.
        told = seen.judged([])
        found["passive rows alone"].append(Course([told.error] * len(labels), [told.held] * len(labels), 0.0))
    print(f"{'random systems' if options.random_systems else 'synthetic_scm'}, {options.seeds} seeds; labels {labels}")
    for name, courses in found.items():
        show(name, courses, found["at random"])


def show(name: str, courses: list[Course], base: list[Course]) -> None:
    """Print the figures of an arm."""
    error, of_base = (np.array([each.error for each in these]) for these in (courses, base))
    held = np.array([each.held for each in courses])
    spread = error.std(axis=0, ddof=1) / np.sqrt(len(error))
    print(f"\n{name}")
    print("  error  " + "  ".join(f"{m:.3f}±{s:.3f}" for m, s in zip(error.mean(axis=0), spread, strict=True)))
    if courses is not base:
        off = error - of_base
        t = off.mean(axis=0) / (off.std(axis=0, ddof=1) / np.sqrt(len(off)))
        p = [paired_test(list(a), list(b), lower_is_better=True).p for a, b in zip(error.T, of_base.T, strict=True)]
        print("  t (p)  " + "  ".join(f"{one:+.1f} ({other:.4f})" for one, other in zip(t, p, strict=True)))
    print("  held   " + "  ".join(f"{value:11.2f}" for value in held.mean(axis=0)))
    print(f"  cpu {np.mean([each.cpu_s for each in courses]):.2f} s")


if __name__ == "__main__":
    main()
