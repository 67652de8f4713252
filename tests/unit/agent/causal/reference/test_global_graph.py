"""The global graph: fitted to all rows, written as plain options, read again, and refused where it is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.causal.reference.global_graph import GlobalGraph
from protocols.errors import SettingsError, TableError
from tests.support.samples.causal import named, random_system

ROWS = random_system(2, 300, 4)[0]
PLAIN: dict[str, Any] = {"variables": ["a", "mu"], "weights": [[0.0, 0.0], [1.5, 0.0]]}


def test_the_last_column_is_the_target_and_causes_nothing() -> None:
    told = GlobalGraph.of_rows(ROWS)
    assert (told.features, told.target) == (("x0", "x1", "x2"), "x3")
    assert not told.weights[:, -1].any()
    assert told.weights[-1].any()
    assert (told.graph_of(ROWS.values).weights == told.weights).all()


def test_its_plain_form_is_read_again_to_the_bit() -> None:
    told = GlobalGraph.of_rows(ROWS)
    again = GlobalGraph.of_options(told.as_options())
    assert again.names == told.names
    assert again.weights.tobytes() == told.weights.tobytes()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (3, "global_graph is none"),
        ({}, "global_graph has nothing"),
        ({"weights": [[0.0]]}, "global_graph has weights"),
        (PLAIN | {"rows": 7}, "global_graph has variables, weights, rows"),
        (PLAIN | {"weights": [["much"]]}, "is no graph"),
        (PLAIN | {"weights": [[0.0, 0.0], [1.0]]}, "is no graph"),
        (PLAIN | {"weights": [[0.0, float("nan")], [0.0, 0.0]]}, "is no graph"),
        (PLAIN | {"weights": [[0.0, 1.0], [1.0, 0.0]]}, "cycle"),
        (PLAIN | {"weights": [[0.0, 2.0], [0.0, 0.0]]}, "target causes nothing"),
        (PLAIN | {"variables": ["a", "b", "mu"]}, "has 3 variables"),
        (PLAIN | {"variables": ["mu", "mu"]}, "different variables"),
        ({"variables": ["mu"], "weights": [[0.0]]}, "has 1 variables"),
        (PLAIN | {"variables": 3}, "is no graph"),
    ],
)
def test_what_is_no_graph_is_refused(options: object, found: str) -> None:
    with pytest.raises(SettingsError, match=found):
        GlobalGraph.of_options(options)


def test_rows_with_a_constant_column_have_no_global_graph() -> None:
    with pytest.raises(TableError, match="constant"):
        GlobalGraph.of_rows(named(np.column_stack((ROWS.values[:, :2], np.ones(300), ROWS.values[:, 3]))))
