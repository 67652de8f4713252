"""Causal graphs of systems that Hypothesis makes up: what must not matter does not, and what is known holds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.causal.graph.lingam import fit_graph, fit_sample
from agent.causal.graph.losses import laplacian_distance
from agent.causal.graph.prior_knowledge import PriorKnowledge
from agent.causal.graph.variables import Variables
from tests.support.samples.causal import EXPONENTIAL, LAPLACE, STUDENT, UNIFORM, random_system, random_weights

EXAMPLES = 60
NOISES = (UNIFORM, LAPLACE, EXPONENTIAL, STUDENT)

seeds = st.integers(0, 2**32 - 1)
systems = st.builds(
    lambda seed, n, d, noise: random_system(seed, n, d, noise)[0],
    seeds,
    st.integers(12, 300),
    st.integers(2, 7),
    st.sampled_from(NOISES),
)


def in_order(variables: Variables, places: np.ndarray) -> Variables:
    return variables.columns([int(place) for place in places])


@settings(max_examples=EXAMPLES)
@given(systems, seeds)
def test_the_order_of_the_columns_does_not_matter(variables: Variables, seed: int) -> None:
    places = np.random.default_rng(seed).permutation(len(variables.names))
    plain, shuffled = fit_graph(variables), fit_graph(in_order(variables, places))
    assert [int(places[place]) for place in shuffled.order] == list(plain.order)
    assert np.abs(shuffled.weights - plain.weights[np.ix_(places, places)]).max() < 1e-9


@settings(max_examples=EXAMPLES)
@given(systems, seeds)
def test_units_and_origins_of_the_columns_do_not_matter(variables: Variables, seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = 10.0 ** rng.uniform(-3, 3, len(variables.names)) * rng.choice([-1.0, 1.0], len(variables.names))
    changed = Variables.of(variables.names, (variables.values + rng.normal(size=len(units))) * units)
    plain, scaled = fit_graph(variables), fit_graph(changed)
    assert scaled.order == plain.order
    assert np.abs(scaled.weights / units[:, None] * units - plain.weights).max() < 1e-5


@settings(max_examples=EXAMPLES)
@given(systems, seeds)
def test_the_order_of_the_rows_does_not_matter(variables: Variables, seed: int) -> None:
    rows = np.random.default_rng(seed).permutation(len(variables.values))
    plain, shuffled = fit_graph(variables), fit_graph(variables.rows(rows))
    assert shuffled.order == plain.order
    assert np.abs(shuffled.weights - plain.weights).max() < 1e-9


@settings(max_examples=EXAMPLES)
@given(systems, seeds)
def test_what_is_known_holds(variables: Variables, seed: int) -> None:
    """Required edges go along a random order, everything else is forbidden or not by chance."""
    rng = np.random.default_rng(seed)
    names, d = variables.names, len(variables.names)
    rank = rng.permutation(d)
    required = [(j, i) for j in range(d) for i in range(d) if rank[j] < rank[i] and rng.random() < 0.3]
    causes, effects = {j for j, _ in required}, {i for _, i in required}
    sinks = [k for k in range(d) if k not in causes and rng.random() < 0.3]
    sources = [k for k in range(d) if k not in effects and rng.random() < 0.3]
    forbidden = [(j, i) for j in range(d) for i in range(d) if i != j and (j, i) not in required and rng.random() < 0.3]
    known = PriorKnowledge.of(
        names,
        sinks=[names[k] for k in sinks],
        sources=[names[k] for k in sources],
        forbidden=[(names[j], names[i]) for j, i in forbidden],
        required=[(names[j], names[i]) for j, i in required],
    )
    graph = fit_graph(variables, known)
    assert sorted(graph.order) == list(range(d))
    assert not graph.weights[:, sinks].any()
    assert not graph.weights[sources].any()
    assert all(graph.weights[i, j] == 0.0 for j, i in forbidden)
    assert all(graph.weights[i, j] != 0.0 for j, i in required)
    place = {k: at for at, k in enumerate(graph.order)}
    assert all(place[int(j)] < place[int(i)] for i, j in np.argwhere(graph.weights))


@settings(max_examples=EXAMPLES)
@given(seeds, st.integers(2, 6), st.integers(8, 30), st.integers(1, 4))
def test_a_sample_of_few_different_whole_numbers_has_finite_weights(seed: int, d: int, n: int, levels: int) -> None:
    """Constant columns, copies and sums are all likely here."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, levels + 1, size=(max(n, d + 1), d)).astype(float)
    variables = Variables.of([f"x{k}" for k in range(d)], rows)
    graph = fit_sample(variables)
    assert sorted(graph.order) == list(range(d))
    assert np.isfinite(graph.weights).all()
    assert np.abs(graph.weights).max() < 1e6


@settings(max_examples=EXAMPLES)
@given(seeds, st.integers(2, 12))
def test_the_laplacian_distance_is_that_of_the_eigenvalues(seed: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    B, R = random_weights(rng, d), random_weights(rng, d)
    spectra = [np.sort(np.linalg.eigvals(np.diag(W.sum(axis=1)) - W).real) for W in (B, R)]
    assert abs(laplacian_distance(B, R) - np.linalg.norm(spectra[0] - spectra[1])) < 1e-12
