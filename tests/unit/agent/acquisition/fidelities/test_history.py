"""Which values hyper-parameters are fitted to, where there are too many."""

from __future__ import annotations

import numpy as np
import pytest

from agent.acquisition.fidelities.history import FidelityHistory, fitted_to, latest_and_spread
from agent.acquisition.fidelities.measured import Measured
from agent.surrogate.standardise import measure_columns
from tests.support.labs.two_methods import two_method_world


@pytest.mark.parametrize(("dear", "cheap", "kept_dear"), [(40, 30, 40), (40, 900, 40), (400, 900, 50), (400, 10, 90)])
def test_dear_values_have_half_of_the_places_and_what_cheap_ones_leave(dear: int, cheap: int, kept_dear: int) -> None:
    is_dear = np.random.default_rng(0).permutation(np.repeat([True, False], [dear, cheap]))
    places = fitted_to(is_dear, 100)
    assert len(places) == min(100, dear + cheap)
    assert np.all(np.diff(places) > 0)
    assert is_dear[places].sum() == kept_dear


def test_the_latest_half_stays_and_the_others_are_spread() -> None:
    places = latest_and_spread(100, 10)
    assert places.tolist() == [0, 19, 38, 57, 76, 95, 96, 97, 98, 99]


def test_it_grows_as_it_is_made_again() -> None:
    """A history that followed value after value predicts as one that follows them all at once."""
    world = two_method_world(0, per_family=30)
    acquired = np.array([world.n + 3, world.n + 40, 20, 50, world.n + 20, world.n + 50, 85, world.n + 85])
    columns = measure_columns(world.pool.features)
    grown, whole = (FidelityHistory(world.pool, columns, 3_000) for _ in range(2))
    for count in range(len(acquired) + 1):
        grown.follow(Measured.of(world.context(acquired=acquired[:count])))
    whole.follow(Measured.of(world.context(acquired=acquired)))
    assert np.array_equal(grown.process.mean, whole.process.mean)
    assert np.array_equal(grown.process.variance, whole.process.variance)
