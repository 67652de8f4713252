"""Several properties at once: the weighted mean of their standardised entropies."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext
from agent.acquisition.etal import EntropyTargeted
from agent.entropy.bias import BiasMeter, measure_bias
from agent.entropy.measure import M_SPACING, PUBLISHED, EntropyMeasure, default_scale
from agent.entropy.target_properties import TargetProperty, combined_entropy
from protocols.errors import InvariantViolation

MEASURE = EntropyMeasure(M_SPACING, 1e-3)
X = np.sort(np.random.default_rng(0).normal(size=40))


def test_one_property_has_its_entropy_in_its_own_unit_to_the_last_bit() -> None:
    assert combined_entropy(
        (TargetProperty(measure=MEASURE),), [TargetProperty(measure=MEASURE).entropy(X)]
    ) == MEASURE.entropy(X)


def test_an_entropy_in_units_of_the_scale_does_not_depend_on_the_unit() -> None:
    in_mev = TargetProperty("energy", EntropyMeasure(M_SPACING, 1.0), scale=1000.0 * default_scale(X))
    assert in_mev.entropy(1000.0 * X) == pytest.approx(TargetProperty("energy", MEASURE, default_scale(X)).entropy(X))


def test_weights_share_the_entropy_and_an_undefined_part_leaves_it_undefined() -> None:
    targets = (TargetProperty("a", MEASURE, weight=0.75), TargetProperty("b", MEASURE, weight=0.25))
    assert combined_entropy(targets, [1.0, 3.0]) == pytest.approx(1.5)
    assert combined_entropy(targets, [1.0, None]) is None
    assert TargetProperty("a", EntropyMeasure(PUBLISHED)).entropy(X[:3]) is None


def test_the_scale_of_nothing_and_of_equal_values_is_one() -> None:
    assert default_scale(np.empty(0)) == default_scale(np.ones(5)) == 1.0
    assert default_scale(X) == pytest.approx(np.std(X), rel=0.3)
    assert default_scale(np.append(X, 1e6)) == pytest.approx(np.std(X), rel=0.3)


def test_a_meter_of_several_properties_equals_the_measure_of_the_same_table() -> None:
    rng = np.random.default_rng(1)
    codes, values = np.arange(30) % 3, rng.normal(size=(30, 2)) * (1.0, 50.0)
    targets = (TargetProperty("a", MEASURE, 1.0, 0.5), TargetProperty("b", MEASURE, 50.0, 0.5))
    meter = BiasMeter("xyz", measure=targets)
    for code, row in zip(codes, values, strict=True):
        meter.add(int(code), *row)
    point = meter.point()
    assert point == measure_bias("xyz", codes, values, targets)
    of_x = [np.sort(column[codes == 0]) for column in values.T]
    of_a, of_b = (MEASURE.entropy(column) for column in of_x)
    assert of_a is not None
    assert of_b is not None
    assert point.entropies[0] == pytest.approx(0.5 * of_a + 0.5 * (of_b - math.log(50.0)))
    with pytest.raises(InvariantViolation, match="1 values of 2 properties"):
        meter.add(0, 1.0)


def context_of(world: object, targets: tuple[TargetProperty, ...], additional: np.ndarray) -> AcquisitionContext:
    one = world.context()  # type: ignore[attr-defined]
    return AcquisitionContext(
        one.pool, one.observed, one.values, one.acquired, one.pending, one.available, one.decision, one.seed,
        targets[0].measure, additional[one.observed], targets,
    )  # fmt: skip


def test_expected_gains_of_several_properties_add_up_by_weight(biased: Callable) -> None:
    """A property counted twice, by halves, is the property: the same choice with the same gain."""
    world = biased(2)
    single = EntropyTargeted().propose(context_of(world, (TargetProperty("a", MEASURE),), np.empty((480, 0))), 1)
    halves = (TargetProperty("a", MEASURE, weight=0.5), TargetProperty("b", MEASURE, weight=0.5))
    twice = EntropyTargeted().propose(context_of(world, halves, world.truth[:, None]), 1)
    assert twice.choices[0].index == single.choices[0].index
    assert twice.choices[0].score == pytest.approx(single.choices[0].score)
    assert twice.details["predicted_mean of b"] == pytest.approx(single.details["predicted_mean"])


def test_the_family_that_is_poor_in_the_heavier_property_is_enriched(biased: Callable) -> None:
    """Cubic has one value of the second property; by the first alone, tetragonal is the poorest."""
    world = biased(2)
    additional = np.where(world.pool.family_codes == 0, 0.5, np.random.default_rng(0).normal(size=480))[:, None]

    def target(weight: float) -> str | None:
        targets = (TargetProperty("a", MEASURE, weight=1.0 - weight), TargetProperty("b", MEASURE, weight=weight))
        return EntropyTargeted().propose(context_of(world, targets, additional), 1).target_family

    assert target(0.01) == "tetragonal"
    assert target(0.9) == "cubic"
