"""Policies over causes decide alike in any unit: electronvolts or kilojoules, debye or coulomb metres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.acquisition.base import Policy
from agent.acquisition.causal.causal import Causal
from agent.acquisition.causal.exploiting import ExpectedImprovement, ProbabilityOfExceeding
from agent.acquisition.causal.meters import DesignMeter
from agent.acquisition.causal.target_mean import TargetMean
from agent.causal.designs.design_model import DesignModel
from agent.pool.earlier_log import EarlierLog
from tests.support.samples.closures import Bed, made_up_bed, play

EXAMPLES = 15
LABELS = 14
"""Enough for a start, effects, and action at the wider of the widths."""

Made = Callable[[float], Policy]
"""Makes a policy, its options in a unit that is so many times smaller."""

POLICIES: dict[str, Made] = {
    "features, stated width": lambda unit: Causal(width=0.9 * unit, threshold=4.0 * unit, start=3),
    "features, default width": lambda unit: Causal(threshold=4.0 * unit, start=6),
    "features, from nothing": lambda unit: Causal(width=5.0 * unit, threshold=3.0 * unit, start=0),
    "features, effects alone": lambda unit: Causal(width=2.5 * unit, start=1),
    "vectors, stated width": lambda unit: Causal(
        width=0.6 * unit, threshold=4.0 * unit, estimate="guess", model="vectors"
    ),
    "vectors, default width": lambda unit: Causal(threshold=4.0 * unit, estimate="guess", model="vectors"),
    "exceeding": lambda unit: ProbabilityOfExceeding(threshold=4.0 * unit, model="features", start=4),
    "improving": lambda unit: ExpectedImprovement(model="features", start=4),
    "target": lambda unit: TargetMean(target=4.0 * unit, model="features", start=4),
}

units = st.sampled_from([1e-6, 1e-3, 1.0 / 1024.0, 96.485, 1000.0, 1e6])


def in_unit(bed: Bed, unit: float) -> Bed:
    """The bed with its property, the estimate of it and its log in a unit that is so many times smaller."""
    features = bed.pool.features * np.array([unit, 1.0])
    log = bed.pool.log
    told = None if log is None else replace(log, values=log.values * unit)
    return Bed(replace(bed.pool, features=features, log=told), bed.truth * unit)


def with_log(bed: Bed, seed: int) -> Bed:
    """The bed with an earlier log of a third of its designs, all off alike."""
    designs = bed.pool.designs
    assert designs is not None
    rows = np.random.default_rng(seed).permutation(len(designs.codes))[: len(designs.codes) // 3]
    values = bed.truth[designs.candidate[rows]] + 0.7
    return replace(bed, pool=replace(bed.pool, log=EarlierLog(designs.codes[rows], values)))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(sorted(POLICIES)), units, st.integers(0, 50), st.booleans())
@example("features, effects alone", 1e-6, 3, True)  # a log, and no value yet
def test_the_same_values_in_another_unit_give_the_same_decisions(
    name: str, unit: float, seed: int, logged: bool
) -> None:
    bed = made_up_bed(seed=seed)
    if logged:
        bed = with_log(bed, seed)
    told = play(bed, POLICIES[name](1.0), LABELS, campaign_seed=seed, batch=2)
    assert play(in_unit(bed, unit), POLICIES[name](unit), LABELS, campaign_seed=seed, batch=2) == told


@settings(max_examples=EXAMPLES, deadline=None)
@given(units, st.integers(0, 50), st.sampled_from(["features", "vectors"]))
def test_what_a_meter_tells_is_in_the_unit_of_the_values(unit: float, seed: int, model: str) -> None:
    bed = made_up_bed(seed=seed)
    rows = np.random.default_rng(seed).permutation(len(bed.truth))[:12].tolist()
    told, other = metered(bed, rows, model), metered(in_unit(bed, unit), rows, model)
    for one, another in zip(told, other, strict=True):
        for a, b in zip(one, another, strict=True):
            assert (a is None) == (b is None)
            assert a is None or b is None or np.isclose(b, a * unit, rtol=1e-6)
    assert (told[0][0] is None) == (model == "features"), "one value does not tell how large differences are"


def metered(bed: Bed, rows: list[int], model: str) -> list[tuple[float | None, ...]]:
    """What a meter tells after each of these values."""
    pool, told = bed.pool, []
    assert pool.designs is not None
    made = DesignModel(pool.designs, pool.features, pool.feature_names, estimate="guess", model=model)
    meter = DesignMeter(made, None)
    for index in rows:
        meter.add(index, float(bed.truth[index]))
        told.append(meter.values())
    return told
