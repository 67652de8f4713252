"""A history is a fold: continued, begun again or read at once, the same rows give the same history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.acquisition.base import AcquisitionContext
from agent.acquisition.family_history import FamilyHistory, Histories
from agent.entropy.measure import M_SPACING, PUBLISHED, EntropyMeasure
from agent.surrogate.growing import GrowthSettings
from agent.surrogate.standardise import measure_columns

MEMBERS = 30
FEATURES = np.random.default_rng(0).normal(size=(2 * MEMBERS, 2))
COLUMNS = measure_columns(FEATURES)
MEASURE = EntropyMeasure(M_SPACING, 1e-3)
NONE = np.zeros(2 * MEMBERS)
"""Uncertainties of values that came without one."""


def fresh(measure: EntropyMeasure = MEASURE) -> FamilyHistory:
    places = np.arange(2 * MEMBERS) // 2
    members = np.arange(0, 2 * MEMBERS, 2)
    return FamilyHistory(FEATURES, members, places, columns=COLUMNS, measure=measure, growth=GrowthSettings())


def state(history: FamilyHistory) -> tuple[object, ...]:
    """All that a decision reads of a history, to the bit."""
    surrogate = history.surrogate()
    predicted = None if surrogate is None else tuple(array.tolist() for array in surrogate.predict())
    return history.sample.tolist(), history.no_gain_count, len(history), predicted


def misses_by_hand(values: list[float], started: int) -> int:
    """Latest acquisitions in a row whose value did not raise the entropy that was there before it."""
    no_gain_count = 0
    for k in range(started, len(values)):
        added = MEASURE.added(np.sort(np.array(values[:k])))
        gained = added is None or added.gain(np.array([values[k]]))[0] > 1e-9
        no_gain_count = 0 if gained else no_gain_count + 1
    return no_gain_count


values_ = st.integers(-3, 3).map(float) | st.floats(-5.0, 5.0).map(lambda v: round(v, 3))


@given(st.lists(values_, max_size=14), st.data())
@settings(max_examples=60, derandomize=True)
def test_a_history_continued_in_any_steps_is_the_one_folded_at_once(values: list[float], data: st.DataObject) -> None:
    rows = np.arange(0, 2 * len(values), 2)[::-1].copy()
    started = data.draw(st.integers(0, len(values)))
    lived, all_values = fresh(), np.array(values)
    for stop in sorted(data.draw(st.sets(st.integers(started, len(values))))):
        lived.follow(rows[:stop], all_values[:stop], NONE[:stop], started)
        if data.draw(st.booleans()):
            lived.surrogate()
    lived.follow(rows, all_values, NONE[: len(rows)], started)
    again = fresh()
    again.follow(rows, all_values, NONE[: len(rows)], started)
    assert state(lived) == state(again)
    assert lived.sample.tolist() == sorted(values)
    assert lived.no_gain_count == misses_by_hand(values, started)


@given(st.lists(st.tuples(st.lists(st.integers(0, MEMBERS - 1), unique=True, max_size=10), st.integers(0, 9))))
@settings(max_examples=60, derandomize=True)
def test_a_history_follows_any_other_rows_too(contexts: list[tuple[list[int], int]]) -> None:
    """Another campaign, rows taken back, a start set that grew: it is folded again where it does not continue."""
    lived = fresh()
    for members, started in contexts:
        rows = 2 * np.array(members, dtype=np.int64)
        values = np.sin(rows + len(members) % 2)
        lived.follow(rows, values, NONE[: len(rows)], min(started, len(rows)))
        again = fresh()
        again.follow(rows, values, NONE[: len(rows)], min(started, len(rows)))
        assert state(lived) == state(again)


def test_an_acquisition_that_gains_nothing_is_a_miss_and_one_that_gains_ends_the_row() -> None:
    start = np.linspace(-1.0, 1.0, 20)
    acquired = np.array([0.0, 0.0, 0.0, 5.0, 0.0])
    history, values = fresh(), np.concatenate((start, acquired))
    counts = []
    for k in range(20, 26):
        history.follow(np.arange(0, 2 * k, 2), values[:k], NONE[:k], 20)
        counts.append(history.no_gain_count)
    assert counts == [0, 1, 2, 3, 0, 1]


def test_values_of_the_start_set_are_no_misses() -> None:
    history = fresh()
    history.follow(np.arange(0, 24, 2), np.zeros(12), NONE[:12], 12)
    assert history.no_gain_count == 0


def test_growth_from_too_few_values_for_an_entropy_is_no_miss() -> None:
    """The published estimator needs five."""
    history = fresh(EntropyMeasure(PUBLISHED))
    history.follow(np.arange(0, 10, 2), np.array([0.0, 1.0, 2.0, 3.0, 1.5]), NONE[:5], 0)
    assert history.no_gain_count == 0


def test_a_step_of_the_window_is_no_miss() -> None:
    """From 12 to 13 values the window grows from 3 to 4, and h of most samples falls by that alone."""
    x = np.sort(np.random.default_rng(3).normal(size=12))
    added = MEASURE.added(x)
    assert added is not None
    assert MEASURE.entropy(x) != pytest.approx(added.before, abs=1e-3)
    history = fresh()
    history.follow(np.arange(0, 26, 2), np.append(x, x[-1] + 1.0), NONE[:13], 12)
    assert history.no_gain_count == 0


def test_there_is_a_surrogate_from_four_values_on() -> None:
    history = fresh()
    history.follow(np.arange(0, 6, 2), np.arange(3.0), NONE[:3], 3)
    assert history.surrogate() is None
    history.follow(np.arange(0, 8, 2), np.arange(4.0), NONE[:4], 3)
    assert history.surrogate() is not None


def histories_of(world: Any) -> Histories:
    return Histories(world.pool, world.context().measure, measure_columns(world.pool.features), GrowthSettings())


def followed(histories: Histories, context: AcquisitionContext) -> list[FamilyHistory]:
    return histories.follow(context, context.values, context.target_uncertainties[0])


def test_an_observation_by_hand_becomes_part_of_the_start_and_all_is_folded_anew(biased: Callable) -> None:
    """It is in the middle of the canonical order, before what was acquired."""
    world = biased(0)
    manually, *acquired = np.setdiff1d(np.arange(200, 300), world.start)[:5]
    histories = histories_of(world)
    before = followed(histories, world.context(acquired=np.array(acquired)))[1]
    surrogate = before.surrogate()
    observed = np.union1d(world.start, [manually])
    after = followed(histories, world.context(observed=observed, acquired=np.array(acquired)))[1]
    assert after.surrogate() is not surrogate
    again = histories_of(world)
    assert state(after) == state(followed(again, world.context(observed=observed, acquired=np.array(acquired)))[1])
    assert manually in after.members
    assert world.truth[manually] in after.sample


def test_families_are_folded_each_by_its_own_rows(biased: Callable) -> None:
    world = biased(1)
    acquired = np.setdiff1d(np.arange(0, 480, 41), world.start)[[8, 2, 5, 0, 7, 3]]  # any order of families
    histories = histories_of(world)
    for k in range(len(acquired) + 1):
        found = followed(histories, world.context(acquired=acquired[:k]))
    for code, history in enumerate(found):
        known = np.concatenate((world.start, acquired))
        known = known[world.pool.family_codes[known] == code]
        assert history.members.tolist() == np.flatnonzero(world.pool.family_codes == code).tolist()
        assert history.places[history.members].tolist() == list(range(len(history.members)))
        assert history.sample.tolist() == np.sort(world.truth[known]).tolist()
        assert len(history) == len(known)
