"""The fit to a label-free estimate: it finds the vectors that made it, whatever their names and sign."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.designs.closure import closure_of
from agent.causal.designs.vector_addition import VectorAddition
from agent.causal.designs.vector_estimate import EPSILON, vector_estimate
from tests.support.samples.closures import ACROSS, ALONG, COSINES, benzenes, made_up_bed


def test_it_finds_the_vectors_that_made_an_estimate_up_to_their_sign() -> None:
    designs = made_up_bed().pool.designs
    assert designs is not None
    closure = closure_of(designs)
    addition = VectorAddition(closure, 1e-6)
    theta = np.array(
        [
            *(ALONG[group] for group in designs.groups),
            *(ACROSS[group] for group in designs.groups),
            *(np.arccos(COSINES[place]) for place in designs.levels[2]),
        ]
    )
    exact = addition.lengths(theta)[0]
    found = vector_estimate(closure, exact)
    a, c, phi = addition.split(found.theta)
    sign = np.sign(a[designs.groups.index("q")])
    scale = exact.std()
    np.testing.assert_allclose(sign * a * scale, addition.split(theta)[0], atol=0.2)
    np.testing.assert_allclose(np.cos(phi), np.cos(addition.split(theta)[2]), atol=0.1)
    assert (c >= 0.0).all()
    assert a[closure.origin] == c[closure.origin] == 0.0
    assert found.explained > 0.99 > found.explained_by_adding


@pytest.mark.parametrize(("column", "vectors", "adding"), [(1, 0.767, 0.495), (2, 0.863, 0.699)])
def test_of_estimates_of_the_benzenes_it_explains_what_the_best_of_many_random_starts_did(
    column: int, vectors: float, adding: float
) -> None:
    bed = benzenes()
    assert bed.pool.designs is not None
    found = vector_estimate(closure_of(bed.pool.designs), bed.pool.features[:, column])
    assert found.explained == pytest.approx(vectors, abs=0.002)
    assert found.explained_by_adding == pytest.approx(adding, abs=0.002)


def test_what_vectors_leave_of_an_estimate_is_told_in_its_deviations() -> None:
    designs = made_up_bed().pool.designs
    assert designs is not None
    closure = closure_of(designs)
    odd = np.zeros(len(closure))
    odd[7] = 2.0
    exact = vector_estimate(closure, closure.group_counts @ np.arange(closure.n_groups) + 1.0)
    assert np.abs(exact.rest).max() < 1.0
    t = made_up_bed().truth + odd
    found = vector_estimate(closure, t)
    h, _ = VectorAddition(closure, EPSILON).lengths(found.theta)
    np.testing.assert_allclose(found.rest, t / t.std() - h)
    assert int(np.argmax(found.rest)) == 7


def test_what_adds_is_explained_by_adding() -> None:
    designs = made_up_bed().pool.designs
    assert designs is not None
    closure = closure_of(designs)
    shares = np.random.default_rng(0).random(closure.n_groups)
    found = vector_estimate(closure, 5.0 + closure.group_counts @ shares)
    assert found.explained_by_adding == pytest.approx(1.0)
    assert found.explained < 1.0


def test_noise_is_explained_by_nothing() -> None:
    designs = made_up_bed().pool.designs
    assert designs is not None
    noise = np.random.default_rng(5).random(len(closure_of(designs)))
    found = vector_estimate(closure_of(designs), noise)
    assert abs(found.explained) < 0.3
    assert abs(found.explained_by_adding) < 0.3


def test_it_depends_on_the_unit_of_the_estimate_in_nothing_but_the_unit() -> None:
    bed = made_up_bed()
    assert bed.pool.designs is not None
    closure, t = closure_of(bed.pool.designs), bed.pool.features[:, 0]
    np.testing.assert_array_equal(vector_estimate(closure, t).theta, vector_estimate(closure, 64.0 * t).theta)
