"""What a context tells of several methods: the order of values, their noise, and the dear values of candidates."""

from __future__ import annotations

import numpy as np
import pytest

from agent.acquisition.fidelities.measured import Measured, dear_values, noise_of_methods
from agent.pool.fidelities import Fidelities
from tests.support.labs.two_methods import CHEAP, DEAR, two_method_world


def told(method: list[int], candidate: list[int], replicate: list[int]) -> Fidelities:
    return Fidelities(("cheap", "dear"), (1, 20), np.array(candidate), np.array(method), np.array(replicate))


def measured(values: list[float], stds: list[float] | None = None) -> Measured:
    return Measured(np.arange(len(values)), np.array(values), np.array(stds or [0.0] * len(values)), 0)


def test_values_are_in_the_order_of_their_coming() -> None:
    world = two_method_world(0)
    acquired = np.array([world.n + 5, 3 * 60 - 1, world.n + 2])
    found = Measured.of(world.context(acquired=acquired))
    assert found.started == len(world.world.start)
    assert found.rows.tolist() == [*world.world.start.tolist(), *acquired.tolist()]
    assert found.values == pytest.approx(world.values[found.rows])


def test_a_later_moment_continues_an_earlier_one_of_the_same_values() -> None:
    world = two_method_world(0)
    first = Measured.of(world.context(acquired=np.array([world.n + 5])))
    later = Measured.of(world.context(acquired=np.array([world.n + 5, world.n + 9])))
    assert later.continues(first)
    assert later.first(len(first.rows)).values.tolist() == first.values.tolist()
    assert not first.continues(later)
    assert not Measured.of(world.context(acquired=np.array([world.n + 9, world.n + 5]))).continues(first)


def test_the_noise_that_came_with_values_is_the_usual_one_of_their_method() -> None:
    fidelities = told([CHEAP, CHEAP, CHEAP, DEAR], [0, 1, 2, 0], [0, 0, 0, 0])
    noise = noise_of_methods(fidelities, measured([1.0, 2.0, 3.0, 1.0], [0.1, 0.3, 0.2, 0.0]))
    assert noise.tolist() == [0.2, 0.0]


def test_repeated_values_tell_the_noise_where_nothing_came_with_them() -> None:
    fidelities = told([CHEAP] * 4 + [DEAR] * 3, [0, 0, 1, 1, 0, 1, 2], [0, 1, 0, 1, 0, 0, 0])
    noise = noise_of_methods(fidelities, measured([1.0, 1.2, 5.0, 5.2, 1.0, 2.0, 3.0]))
    assert noise == pytest.approx([np.sqrt(4 * 0.01 / 2), 0.0])


def test_a_candidate_s_dear_value_is_the_mean_of_what_was_measured_of_it() -> None:
    fidelities = told([DEAR, CHEAP, DEAR, DEAR], [4, 4, 2, 4], [0, 0, 0, 1])
    candidates, values = dear_values(fidelities, measured([1.0, 9.0, 5.0, 2.0]))
    assert candidates.tolist() == [2, 4]
    assert values.tolist() == [5.0, 1.5]


def test_surer_values_count_more_where_each_came_with_its_uncertainty() -> None:
    fidelities = told([DEAR, DEAR, DEAR, DEAR], [0, 0, 1, 1], [0, 1, 0, 1])
    _, values = dear_values(fidelities, measured([1.0, 2.0, 1.0, 2.0], [0.1, 0.2, 0.1, 0.0]))
    assert values == pytest.approx([1.2, 1.5])
