"""The beds that policies are held against each other on: benzenes of ../shared, or whatever a scenario names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray
from agent.acquisition.causal.causal import DEFAULT_SHARE
from agent.acquisition.causal.meters import effects_of
from agent.campaign.context import pool_arrays
from agent.causal.belief import Belief
from protocols.errors import SettingsError
from scenarios.effects.truth import AgainstTruth, against_truth
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import build_world
from tests.support.samples.closures import BENZENES, Bed, benzenes

HALF: Final = 7
"""Groups of a half of the benzenes, the bare ring's among them."""


@dataclass(frozen=True)
class Task:
    """A bed, and what is asked of it.

    Attributes:
        bed: Designs, features and truth.
        name: For the title.
        unit: Of property, threshold and widths.
        estimate: Label-free feature that estimates the property.
        threshold: What the property should exceed [unit].
        effects_width: Half-width at which "effects first" goes over to action [unit]; None for the policy's own.
        told_width: Half-width that labels are counted to [unit].
    """

    bed: Bed
    name: str
    unit: str
    estimate: str
    threshold: float
    effects_width: float | None
    told_width: float


def task_of_benzenes(truth: str, estimate: str) -> Task:
    """Return the substituted benzenes with one reading of their dipole moments.

    Raises:
        SystemExit: When they are not there.
    """
    if not BENZENES.exists():
        raise SystemExit(f"error: {BENZENES} is not there. The benzenes lie beside the repository, in ../shared/data.")
    return Task(benzenes(truth), f"benzenes, {truth}", "D", estimate, 5.0, None, 0.4)


def half_of(task: Task, truth: str, seed: int) -> Bed:
    """Return the benzenes of some groups, drawn by the seed."""
    designs = task.bed.pool.designs
    assert designs is not None
    others = sorted(set(designs.groups) - {designs.groups[designs.origin]})
    drawn = np.random.default_rng(1_000 + seed).choice(others, size=HALF - 1, replace=False)
    return benzenes(truth, [designs.groups[designs.origin], *drawn.tolist()])


def task_of_scenario(name: str, assignments: Sequence[str]) -> Task:
    """Return what a scenario with a table of designs asks of its policy `causal`.

    Raises:
        SettingsError: When it names no such table, or does not know the value of every candidate.
    """
    scenario = load_scenario(name, Overrides(assignments=assignments)).settings
    world = build_world(scenario)
    if world.pool.designs is None or not world.all_known:
        raise SettingsError(f"The scenario {name} has no table of designs with a value of every candidate")
    options, width = scenario.campaign.policy_options, DEFAULT_SHARE * float(world.values.std())
    return Task(
        bed=Bed(pool_arrays(world.pool), world.values),
        name=" ".join((name, *assignments)),
        unit=scenario.campaign.unit,
        estimate=str(options.get("estimate", "")),
        threshold=float(str(options["threshold"])),
        effects_width=float(str(options.get("width", width))),
        told_width=float(str(options.get("width", width))),
    )


def judged(belief: Belief, true_effects: FloatArray) -> AgainstTruth:
    """Return how far off the effects are, and how many intervals hold the truth, as a run tells it.

    Args:
        belief: What is believed.
        true_effects: In the order of its queries, shape (q,) [unit].
    """
    told = against_truth(effects_of(belief), dict(zip(belief.query_names, true_effects.tolist(), strict=True)))
    assert told is not None
    return told
