"""The ceiling of each family, and which of them cannot be helped."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.acquisition import ceilings as module
from agent.acquisition.base import PoolArrays
from agent.acquisition.ceilings import Known, ceilings
from agent.entropy.attainable import attainable_entropies
from agent.entropy.ceiling import Ceiling, level_of
from agent.entropy.measure import EntropyMeasure
from agent.entropy.target_properties import TargetProperty

FloatArray = NDArray[np.float64]
MEASURE = EntropyMeasure("m_spacing", 1e-3)
FAMILIES = ("narrow", "poor", "wide")
NARROW, POOR, WIDE = range(3)


def world(each: int = 80) -> tuple[PoolArrays, FloatArray]:
    """Three families of one smooth property: of the narrow one all are much alike, of the others they are not."""
    rng = np.random.default_rng(0)
    features = rng.uniform(-2.0, 2.0, (3 * each, 2))
    codes = np.repeat(np.arange(3), each)
    features[codes == NARROW] *= 0.05
    values = features[:, 0] + 0.2 * np.sin(3.0 * features[:, 1])
    ids = tuple(f"{index:05d}" for index in range(3 * each))
    return PoolArrays(ids, features, codes, FAMILIES), values


def known(pool: PoolArrays, values: FloatArray, seed: int = 0) -> Known:
    """Twenty values of each family; of the poor one the lowest."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(pool.family_codes == code) for code in range(3)]
    lowest = members[POOR][np.argsort(values[members[POOR]])][:20]
    start = np.sort(
        np.concatenate((rng.choice(members[NARROW], 20, False), lowest, rng.choice(members[WIDE], 20, False)))
    )
    remaining = np.setdiff1d(np.arange(len(values)), start)
    return Known(pool, start, values[start][:, None], remaining, (TargetProperty(measure=MEASURE),))


def test_they_foretell_what_the_family_could_have() -> None:
    pool, values = world()
    before = known(pool, values)
    for code, found in enumerate(ceilings(before, 60)):
        mine = before.values[pool.family_codes[before.observed] == code, 0]
        rest = values[before.remaining[pool.family_codes[before.remaining] == code]]
        truth = attainable_entropies(mine, rest[None], 60, MEASURE)[0]
        assert found.at_most == pytest.approx(truth, abs=0.15)
        assert found.low is not None
        assert found.high is not None
        assert found.low - 0.05 < truth < found.high + 0.05


def test_a_family_whose_values_are_all_alike_cannot_be_helped_and_one_that_lacks_its_half_can() -> None:
    pool, values = world()
    found = ceilings(known(pool, values), 60)
    level = level_of(found)
    assert level is not None
    assert [each.family for each in found if each.is_hopeless(level)] == ["narrow"]


def test_the_same_seed_gives_the_same_and_another_one_nearly_so() -> None:
    before = known(*world())
    one, again, other = ceilings(before, 40, seed=1), ceilings(before, 40, seed=1), ceilings(before, 40, seed=2)
    assert one == again
    assert one != other
    for first, second in zip(one, other, strict=True):
        assert first.at_most == pytest.approx(second.at_most, abs=0.1)


def test_none_is_below_what_a_family_has_and_more_values_never_lower_it() -> None:
    before = known(*world())
    for few, many in zip(ceilings(before, 20), ceilings(before, 50), strict=True):
        assert few.now is not None
        assert few.at_most is not None
        assert many.at_most is not None
        assert few.now <= few.at_most <= many.at_most + 1e-9


def test_a_family_without_candidates_stays_where_it_is() -> None:
    pool, values = world()
    before = known(pool, values)
    rest = before.remaining[pool.family_codes[before.remaining] != WIDE]
    found = ceilings(dataclasses.replace(before, remaining=rest), 40)[WIDE]
    assert found == Ceiling("wide", found.now, found.now, found.now, found.now, 0)


def test_a_family_without_values_has_the_ceiling_of_what_may_come() -> None:
    pool, values = world()
    before = known(pool, values)
    there = pool.family_codes[before.observed] != WIDE
    found = ceilings(dataclasses.replace(before, observed=before.observed[there], values=before.values[there]), 40)[
        WIDE
    ]
    assert found.now is None
    assert found.at_most == pytest.approx(math.log(4.0), abs=0.4)
    nothing = dataclasses.replace(before, observed=before.observed[there], values=before.values[there])
    rest = nothing.remaining[pool.family_codes[nothing.remaining] != WIDE]
    assert ceilings(dataclasses.replace(nothing, remaining=rest), 40)[WIDE].at_most is None


@pytest.mark.parametrize("values", [[1.0, 2.0, 3.0], [5.0] * 20])
def test_three_values_or_equal_ones_tell_nothing(values: list[float]) -> None:
    pool, _ = world()
    column = np.array(values)[:, None]
    observed, rest = np.arange(len(values)), np.arange(len(values), 240)
    found = ceilings(Known(pool, observed, column, rest, (TargetProperty(measure=MEASURE),)), 10)
    assert [each.at_most for each in found] == [None] * 3
    assert not any(each.is_hopeless(10.0) for each in found)


def test_features_that_no_process_can_be_fitted_to_tell_nothing_and_end_nothing() -> None:
    pool, values = world()
    endless = np.where(np.arange(240)[:, None] == 100, np.inf, pool.features)
    found = ceilings(dataclasses.replace(known(pool, values), pool=dataclasses.replace(pool, features=endless)), 40)
    assert [each.at_most for each in found] == [None] * 3
    assert all(each.now is not None for each in found)


def test_without_features_a_family_is_what_its_values_say() -> None:
    pool, values = world()
    bare = dataclasses.replace(pool, features=np.ones((240, 1)))
    found = ceilings(dataclasses.replace(known(pool, values), pool=bare), 40)
    assert all(each.at_most is not None and math.isfinite(each.at_most) for each in found)


def test_of_a_large_family_so_many_are_drawn_that_both_of_its_ends_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    before = known(*world(each=300))
    whole = ceilings(before, 60)
    monkeypatch.setattr(module, "MOST_DRAWN", 100)
    # Of the narrow family the noise is all that differs, and of fewer draws its tails reach less far.
    for one, other, error in zip(whole, ceilings(before, 60), (0.25, 0.1, 0.1), strict=True):
        assert one.at_most == pytest.approx(other.at_most, abs=error)


def test_several_properties_add_up_by_their_weights() -> None:
    before = known(*world())
    twice = dataclasses.replace(
        before,
        values=np.repeat(before.values, 2, axis=1),
        targets=(
            TargetProperty("one", MEASURE, scale=1.0, weight=0.25),
            TargetProperty("other", MEASURE, scale=math.e, weight=0.75),
        ),
    )
    for one, both in zip(ceilings(before, 40), ceilings(twice, 40), strict=True):
        assert one.at_most is not None
        assert one.now is not None
        assert both.now == pytest.approx(one.now - 0.75)
        assert both.at_most == pytest.approx(one.at_most - 0.75, abs=0.1)


@pytest.mark.parametrize(
    ("now", "high", "falls_short", "hopeless"),
    [
        (-0.5, 0.0, False, False),  # it can come to the level
        (-0.5, -0.04, False, False),  # within the tolerance
        (-2.0, -0.2, True, False),  # it stays behind, and can be helped a lot
        (-0.5, -0.45, True, True),
        (None, -0.45, True, False),  # nobody knows what it lacks
        (-0.5, None, False, False),
    ],
)
def test_who_falls_short_and_who_cannot_be_helped(
    now: float | None,
    high: float | None,
    falls_short: bool,
    hopeless: bool,
) -> None:
    ceiling = Ceiling("any", now, high, high, high, 5)
    assert (ceiling.falls_short(0.0), ceiling.is_hopeless(0.0)) == (falls_short, hopeless)
