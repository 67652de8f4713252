"""A committee of graphs: each member has one of its own, and the target causes nothing in any of them."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.graph.acyclic import find_cycle
from agent.causal.structural.committee import MEMBERS, Committee
from simulators.structural_model import StructuralModel, StructuralModelSettings

MODEL = StructuralModel(
    StructuralModelSettings(
        variables=("a", "b", "c", "y"),
        target="y",
        edges=(("a", "b", 0.8), ("b", "c", 0.9), ("a", "y", 0.6), ("c", "y", -1.0)),
        passive_rows=400,
    )
)
NO_ROWS = np.zeros((0, 4))
NOTHING = np.zeros(0, dtype=np.int64)


def committee() -> Committee:
    return Committee(MODEL.settings.variables, MODEL.passive, 3)


def test_every_member_has_an_acyclic_graph_in_which_the_target_causes_nothing() -> None:
    graphs = committee().graphs(NO_ROWS, NOTHING)
    assert graphs.weights.shape == (MEMBERS, 4, 4)
    assert graphs.names == MODEL.settings.variables
    assert all(find_cycle(weights != 0.0) == [] for weights in graphs.weights)
    assert not graphs.weights[:, :, 3].any()
    assert not graphs.weights[:, ~committee().possible].any()


def test_true_edges_are_in_nearly_all_graphs_where_nothing_is_hidden() -> None:
    graphs = committee().graphs(NO_ROWS, NOTHING)
    there = MODEL.weights != 0.0
    assert (graphs.edge_probabilities()[there] > 0.9).all()
    assert graphs.weights.mean(axis=0)[there] == pytest.approx(MODEL.weights[there], abs=0.2)


def test_in_a_row_in_which_a_variable_was_set_its_equation_says_nothing() -> None:
    """Rows of do(b) with b far off: what acts on b is still that of the passive rows."""
    number = next(n for n, (_, variable, _) in enumerate(MODEL.interventions) if variable == 1)
    rows = np.tile(MODEL.measured(number), (200, 1))
    graphs = committee().graphs(rows, np.ones(200, dtype=np.int64))
    without = committee().graphs(NO_ROWS, NOTHING)
    assert graphs.weights[:, 1] == pytest.approx(without.weights[:, 1])
    assert not np.allclose(graphs.weights[:, 2], without.weights[:, 2])
