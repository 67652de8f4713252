"""Vector addition: lengths of real vectors, slopes, and the sizes of what it leaves out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from agent.causal.designs.closure import Closure, closure_of
from agent.causal.designs.vector_addition import VectorAddition
from agent.pool.designs import make_designs
from tests.support.samples.closures import made_up_bed

EPSILON = 1e-4


def two_sites() -> Closure:
    designs = made_up_bed().pool.designs
    assert designs is not None
    return closure_of(designs)


def three_sites() -> Closure:
    """Three sites that any order of groups makes alike."""
    rows = list(itertools.product("abc", repeat=3))
    names = sorted({"".join(sorted(row)) for row in rows})
    columns = {f"x{k}": [row[k] for row in rows] for k in range(3)}
    made = [names.index("".join(sorted(row))) for row in rows]
    return closure_of(make_designs(columns, made, names, queried="x0", reference="a"))


def some_theta(addition: VectorAddition, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    G, P = addition.closure.n_groups, addition.closure.n_places
    return np.concatenate((rng.normal(size=G), rng.random(G), rng.uniform(0.5, 2.5, size=P)))


@pytest.mark.parametrize("closure", [two_sites(), three_sites()], ids=["two sites", "three sites"])
def test_slopes_are_those_of_the_lengths(closure: Closure) -> None:
    addition = VectorAddition(closure, EPSILON)
    theta = some_theta(addition)
    _, J = addition.lengths(theta)
    for k in range(addition.n_parameters):
        step = np.eye(addition.n_parameters)[k] * 1e-6
        slope = (addition.lengths(theta + step)[0] - addition.lengths(theta - step)[0]) / 2e-6
        np.testing.assert_allclose(J[:, k], slope, atol=1e-6)


def test_the_length_is_that_of_the_sum_of_vectors_in_space() -> None:
    addition = VectorAddition(two_sites(), EPSILON)
    theta = some_theta(addition)
    a, c, phi = addition.split(theta)
    ways = addition.closure
    expected = []
    for (x, y), place in zip(ways.groups, ways.place, strict=True):
        # Components across turn freely: in the mean they add squares, as if all were at right angles.
        along = a[x] * np.array([1.0, 0.0]) + a[y] * np.array([np.cos(phi[place]), np.sin(phi[place])])
        expected.append(np.sqrt(along @ along + c[x] ** 2 + c[y] ** 2 + EPSILON))
    np.testing.assert_allclose(addition.lengths(theta)[0], ways.averaged(np.array(expected)))


def test_the_sign_of_all_groups_together_changes_nothing() -> None:
    addition = VectorAddition(two_sites(), EPSILON)
    theta = some_theta(addition)
    mirrored = theta.copy()
    mirrored[: addition.closure.n_groups] *= -1.0
    for each in (addition.turning, addition.alignment, addition.opposition):
        np.testing.assert_array_equal(each(theta), each(mirrored))
    np.testing.assert_array_equal(addition.lengths(theta)[0], addition.lengths(mirrored)[0])


def test_turning_is_of_the_size_by_which_components_across_move_a_length() -> None:
    """Drawn in space with random directions across, lengths spread as far as `turning` says, within a factor of two."""
    addition = VectorAddition(two_sites(), EPSILON)
    theta = some_theta(addition)
    a, c, phi = addition.split(theta)
    ways, rng = addition.closure, np.random.default_rng(0)
    spreads = []
    for (x, y), place in zip(ways.groups, ways.place, strict=True):
        turns = rng.uniform(0.0, 2.0 * np.pi, size=(4_000, 2))
        angle = phi[place]
        first = a[x] * np.array([1.0, 0.0, 0.0]) + c[x] * np.column_stack(
            (np.zeros(4_000), np.cos(turns[:, 0]), np.sin(turns[:, 0]))
        )
        axis, side = np.array([np.cos(angle), np.sin(angle), 0.0]), np.array([-np.sin(angle), np.cos(angle), 0.0])
        second = a[y] * axis + c[y] * (
            np.cos(turns[:, 1])[:, None] * side + np.sin(turns[:, 1])[:, None] * np.array([0.0, 0.0, 1.0])
        )
        spreads.append(np.linalg.norm(first + second, axis=1).std())
    single = ways.first[np.diff(np.append(ways.first, len(ways.place))) == 1]
    said = addition.turning(theta)[np.isin(ways.first, single)]
    ratio = said / np.array(spreads)[single]
    assert np.median(ratio) == pytest.approx(1.4, abs=0.5)
    assert ((ratio > 0.5) & (ratio < 3.0)).mean() > 0.9


def test_nothing_turns_and_nothing_is_aligned_without_components_across() -> None:
    addition = VectorAddition(two_sites(), EPSILON)
    theta = some_theta(addition)
    G = addition.closure.n_groups
    theta[G : 2 * G] = 0.0
    assert not addition.turning(theta).any()
    assert not addition.alignment(theta).any()


def test_groups_of_one_sign_do_not_oppose_each_other() -> None:
    addition = VectorAddition(two_sites(), EPSILON)
    theta = some_theta(addition)
    G = addition.closure.n_groups
    theta[:G] = np.abs(theta[:G])
    assert not addition.opposition(theta).any()
    theta[2] = -1.0
    others = np.delete(theta[:G], [2, addition.closure.origin])
    assert addition.opposition(theta).max() == pytest.approx(others.max())


def test_three_sites_that_cancel_leave_epsilon() -> None:
    addition = VectorAddition(three_sites(), EPSILON)
    theta = np.zeros(addition.n_parameters)
    theta[:3], theta[6:] = 1.0, 2.0 * np.pi / 3.0
    np.testing.assert_allclose(addition.lengths(theta)[0], np.sqrt(EPSILON), rtol=1e-9)
    theta[6:] = np.pi
    np.testing.assert_allclose(addition.lengths(theta)[0], np.sqrt(EPSILON), rtol=1e-9)
