"""Graphs against causal-learn's, with and without prior knowledge, and columns that are none."""

from __future__ import annotations

import numpy as np
import pytest
from causallearn.search.FCMBased.lingam import DirectLiNGAM
from causallearn.search.FCMBased.lingam.utils import make_prior_knowledge

from agent.causal.graph.lingam import fit_graph, fit_sample
from agent.causal.graph.losses import edge_f1
from agent.causal.graph.prior_knowledge import PriorKnowledge
from agent.causal.graph.variables import Variables
from protocols.errors import SettingsError, TableError
from tests.support.samples.causal import LAPLACE, STUDENT, UNIFORM, Noise, named, random_system


def assert_same_graph(
    variables: Variables, *, sinks: list[int] | None = None, sources: list[int] | None = None
) -> None:
    """Ours and causal-learn's have the same order, and weights to 1e-10."""
    d, prior, known = len(variables.names), None, None
    if sinks or sources:
        prior = make_prior_knowledge(d, exogenous_variables=sources, sink_variables=sinks)
        known = PriorKnowledge.of(
            variables.names, sinks=[f"x{k}" for k in sinks or ()], sources=[f"x{k}" for k in sources or ()]
        )
    oracle = DirectLiNGAM(prior_knowledge=prior)
    oracle.fit(np.array(variables.values))
    graph = fit_graph(variables, known)
    assert list(graph.order) == [int(place) for place in oracle.causal_order_]
    assert graph.weights == pytest.approx(oracle.adjacency_matrix_, abs=1e-10)


@pytest.mark.parametrize("seed", range(50))
def test_order_and_weights_are_causal_learns(seed: int) -> None:
    assert_same_graph(random_system(seed, 1000, 10)[0])


@pytest.mark.parametrize("noise", [UNIFORM, LAPLACE, STUDENT])
@pytest.mark.parametrize("seed", range(10))
def test_they_are_causal_learns_for_few_rows_and_heavy_tails_as_well(seed: int, noise: Noise) -> None:
    assert_same_graph(random_system(seed, 40, 6, noise)[0])


@pytest.mark.parametrize("seed", range(8))
def test_they_are_causal_learns_with_sinks_or_sources(seed: int) -> None:
    variables, _ = random_system(seed, 300, 7)
    assert_same_graph(variables, sinks=[seed % 7])
    assert_same_graph(variables, sources=[seed % 7, (seed + 3) % 7])
    assert_same_graph(variables, sinks=[0, 6], sources=[3])


def test_the_graph_of_many_rows_is_the_true_one() -> None:
    for seed in range(5):
        variables, truth = random_system(seed, 20_000, 8)
        graph = fit_graph(variables)
        assert edge_f1(graph.weights, truth, least=0.05) == 1.0
        assert graph.weights == pytest.approx(truth, abs=0.05)


def test_columns_keep_their_units() -> None:
    variables, _ = random_system(0, 500, 5)
    units = np.array([1e-3, 1.0, 1e3, 20.0, 0.3])
    plain, scaled = fit_graph(variables), fit_graph(named(variables.values * units + 7.0 * units))
    assert scaled.order == plain.order
    assert scaled.weights == pytest.approx(plain.weights * units[:, None] / units, rel=1e-5, abs=1e-9)


def test_a_forbidden_edge_has_no_weight_and_a_required_one_has() -> None:
    variables, truth = random_system(1, 400, 6)
    cause, effect = next((int(j), int(i)) for i, j in np.argwhere(truth))
    absent = next((int(j), int(i)) for i, j in np.argwhere(truth == 0.0) if i != j and truth[j, i] == 0.0)
    known = PriorKnowledge.of(
        variables.names, forbidden=[(f"x{cause}", f"x{effect}")], required=[(f"x{absent[0]}", f"x{absent[1]}")]
    )
    assert fit_graph(variables).weights[effect, cause] != 0.0
    graph = fit_graph(variables, known)
    assert graph.weights[effect, cause] == 0.0
    assert graph.weights[absent[1], absent[0]] != 0.0
    assert graph.order.index(absent[0]) < graph.order.index(absent[1])


def test_a_constant_or_a_function_of_other_columns_is_refused() -> None:
    rows = random_system(0, 100, 3)[0].values
    with pytest.raises(TableError, match="'x3' is constant"):
        fit_graph(named(np.column_stack((rows, np.ones(100)))))
    with pytest.raises(TableError, match="'x3' is a linear function of others"):
        fit_graph(named(np.column_stack((rows, rows @ [1.0, 2.0, 0.5]))))


def test_in_a_sample_a_constant_has_no_edges_and_a_function_causes_nothing() -> None:
    rows = random_system(0, 100, 3)[0].values
    graph = fit_sample(named(np.column_stack((np.ones(100), rows, rows[:, 0] - 2.0 * rows[:, 2]))))
    assert not graph.weights[0].any()
    assert not graph.weights[:, 0].any()
    assert np.isfinite(graph.weights).all()
    without = fit_sample(named(rows))
    # Of x1, x3 and x4 one is determined by the other two: whichever comes last of them.
    last = max((1, 3, 4), key=graph.order.index)
    assert not graph.weights[:, last].any()
    assert [k - 1 for k in graph.order if k not in {0, 4}] == list(without.order) or last != 4


def test_a_sample_of_copies_has_a_graph_without_numbers_that_are_none() -> None:
    column = np.arange(12.0) ** 2
    graph = fit_sample(named(np.column_stack((column, column, -column, np.arange(12.0)))))
    assert np.isfinite(graph.weights).all()
    assert sorted(graph.order) == [0, 1, 2, 3]


def test_knowledge_about_other_columns_is_refused() -> None:
    variables, _ = random_system(0, 50, 3)
    with pytest.raises(SettingsError, match="about the columns a, b, c"):
        fit_graph(variables, PriorKnowledge.of(["a", "b", "c"]))


def test_the_same_rows_give_the_same_graph_to_the_bit() -> None:
    variables, _ = random_system(4, 3000, 8)
    one, other = fit_graph(variables), fit_graph(variables)
    assert one.order == other.order
    assert one.weights.tobytes() == other.weights.tobytes()
