"""Outliers come as often, and go as far, as they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from protocols.wire.limits import MAX_ABS_VALUE
from simulators.instrument.outliers import Outliers, OutlierSettings
from tests.support import sample_messages as messages

COUNT = 8000


def errors(instrument: str = "xrd", name: str = "energy", **settings: Any) -> np.ndarray:
    outliers = Outliers(OutlierSettings(**({"rate": 0.1, "size": 2.0} | settings)), instrument)
    asked = (messages.request(candidate_id=f"c-{number}") for number in range(COUNT))
    return np.array([outliers.error(name, request) for request in asked])


def test_a_share_of_the_measurements_is_off_and_the_others_are_exact() -> None:
    drawn = errors(distribution="fixed")
    # Four standard errors of a share of 8,000.
    assert (drawn != 0).mean() == pytest.approx(0.1, abs=4 * (0.1 * 0.9 / COUNT) ** 0.5)
    assert set(drawn) == {-2.0, 0.0, 2.0}
    assert (drawn > 0).sum() == pytest.approx((drawn < 0).sum(), abs=4 * (0.1 * COUNT) ** 0.5)


def test_they_go_as_far_as_their_distribution_says() -> None:
    normal, uniform, cauchy = (errors(distribution=each, rate=1.0) for each in ("normal", "uniform", "cauchy"))
    assert normal.std() == pytest.approx(2.0, rel=0.04)
    assert abs(uniform).max() <= 2.0
    assert uniform.std() == pytest.approx(2.0 / 3**0.5, rel=0.04)
    assert np.median(abs(cauchy)) == pytest.approx(2.0, rel=0.08), "half of them within the half width"
    assert abs(cauchy).max() > 200.0
    assert np.isfinite(errors(distribution="cauchy", size=MAX_ABS_VALUE, rate=1.0)).all()


def test_all_properties_of_a_measurement_are_off_together_and_two_instruments_at_different_ones() -> None:
    energy, gap = errors(), errors(name="gap")
    assert ((energy != 0) == (gap != 0)).all()
    assert not (energy == gap)[energy != 0].any()
    other = errors("afm")
    both = ((energy != 0) & (other != 0)).mean()
    assert both == pytest.approx(0.01, abs=4 * (0.01 / COUNT) ** 0.5)
    assert (energy == errors()).all(), "and the same again"


def test_a_property_that_is_not_named_has_none() -> None:
    assert not errors(size={"gap": 1.0}, rate=1.0).any()
