"""A kept process is the fold of its rows; and `uncertainty`, which stands on one, can be resumed anywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.grown_surrogate import GrownSurrogate, canonical_order
from agent.acquisition.uncertainty import ROWS_TO_GROW_FROM, Uncertainty
from agent.surrogate.gaussian_process import fit
from agent.surrogate.growing import GrowthSettings
from agent.surrogate.standardise import measure_columns
from tests.support.biased_worlds import World

FEATURES = np.random.default_rng(0).normal(size=(60, 3))
VALUES = np.sin(FEATURES[:, 0]) + 0.3 * FEATURES[:, 1]
STEPS = 26


def fresh() -> GrownSurrogate:
    columns = measure_columns(FEATURES)
    return GrownSurrogate(FEATURES, np.arange(60), columns, GrowthSettings(), least_rows=5)


NONE = np.zeros(60)
"""Uncertainties of values that came without one."""


def predicted(
    surrogate: GrownSurrogate, rows: np.ndarray, started: int, stds: np.ndarray = NONE
) -> list[list[float]] | None:
    process = surrogate.follow(rows, VALUES[rows], stds[rows], started)
    return None if process is None else [array.tolist() for array in process.predict()]


@pytest.mark.parametrize("started", [0, 3, 12])
def test_grown_in_any_steps_it_is_the_one_made_at_once(started: int) -> None:
    rows, lived = np.random.default_rng(1).permutation(60)[:40], fresh()
    for stop in (started, 13, 14, 20, 33, 40):
        assert predicted(lived, rows[:stop], started) == predicted(fresh(), rows[:stop], started)


def test_other_rows_other_values_or_another_start_set_are_made_again() -> None:
    rows, lived = np.arange(30), fresh()
    predicted(lived, rows, 10)
    for others, started in ((rows[::-1].copy(), 10), (rows, 12), (rows[:20], 10), (rows, 10)):
        assert predicted(lived, others, started) == predicted(fresh(), others, started)
    known = lived.follow(rows, VALUES[rows], NONE[rows], 10)
    changed = lived.follow(rows, VALUES[rows] + 1.0, NONE[rows], 10)
    assert known is not None
    assert changed is not None
    assert changed.centre == pytest.approx(known.centre + 1.0)


@pytest.mark.parametrize("started", [0, 12])
def test_uncertainties_that_came_with_the_values_are_part_of_the_fold(started: int) -> None:
    rows, lived = np.random.default_rng(1).permutation(60)[:40], fresh()
    stds = np.where(np.arange(60) % 3, 0.0, 0.7)
    for stop in (started, 13, 20, 40):
        assert predicted(lived, rows[:stop], started, stds) == predicted(fresh(), rows[:stop], started, stds)
    without = predicted(fresh(), rows, started)
    assert predicted(lived, rows, started) == without
    assert predicted(lived, rows, started, stds) != without


def test_too_few_rows_make_none() -> None:
    assert predicted(fresh(), np.arange(4), 4) is None
    assert predicted(fresh(), np.arange(5), 0) is not None


def test_the_start_set_comes_first_and_then_what_was_acquired_in_its_order(biased: Callable) -> None:
    world: World = biased(0)
    acquired = np.setdiff1d(np.arange(480), world.start)[[7, 2, 300, 11]]
    context = world.context(acquired=acquired)
    order, started = canonical_order(context)
    assert context.observed[order].tolist() == [*np.sort(world.start), *acquired]
    assert started == len(world.start)


def campaign(world: World, in_flight: int) -> list[AcquisitionContext]:
    policy, requested, found = Uncertainty(), list[int](), list[AcquisitionContext]()
    for step in range(STEPS):
        answered = np.array(requested[: max(0, len(requested) - in_flight)], dtype=np.int64)
        pending = np.sort(np.array(requested[len(answered) :], dtype=np.int64))
        found.append(world.context(acquired=answered, pending=pending, seed=step))
        requested.append(policy.propose(found[-1], 1).choices[0].index)
    return found


@pytest.mark.parametrize("in_flight", [0, 3])
@pytest.mark.parametrize("has_start", [True, False])
def test_uncertainty_resumed_at_any_step_proposes_what_it_would_have(
    biased: Callable, in_flight: int, has_start: bool
) -> None:
    """To the bit, figures included; without a start set also where the process begins to grow."""
    world: World = biased(2)
    if not has_start:
        world = World(world.pool, world.truth, np.empty(0, dtype=np.int64))
    steps, lived = campaign(world, in_flight), Uncertainty()
    proposals: list[Proposal] = [lived.propose(context, 2) for context in steps]
    for k in (0, 1, 5, ROWS_TO_GROW_FROM, ROWS_TO_GROW_FROM + in_flight, 19, 25):
        assert Uncertainty().propose(steps[k], 2) == proposals[k]


def test_uncertainty_chooses_what_a_whole_fit_finds_uncertain(biased: Callable) -> None:
    """The first decision is that of a process fitted on all rows at once, with what is in flight among its rows."""
    world: World = biased(4)
    pending = np.setdiff1d(np.arange(480), world.start)[[5, 200, 400]]
    context = world.context(pending=pending)
    X = measure_columns(world.pool.features).apply(world.pool.features)
    whole = fit(X[context.observed], context.values).with_fantasies(X[pending])
    _, std = whole.predict(X[context.available])
    proposal = Uncertainty().propose(context, 1)
    assert proposal.choices[0].score == pytest.approx(std.max(), rel=1e-4)
    assert std[np.searchsorted(context.available, proposal.choices[0].index)] == pytest.approx(std.max(), rel=1e-4)
