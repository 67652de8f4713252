"""The command's graph is that of all rows, and its file makes the policy of the paper of any scenario."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from agent.acquisition.registry import make_policy
from agent.causal.reference.global_graph import GlobalGraph
from protocols.errors import SettingsError, TableError
from scenarios.global_graph.global_graph import global_graph, write_global_graph
from scenarios.settings.model import Scenario
from tests.support.samples.causal import named, random_system

ROWS = random_system(4, 60, 4)[0].values


def scenario(folder: Path, *, unknown: int = 0) -> Scenario:
    """A table of three features and a property, in a mixed order; the first values may be unknown."""
    lines = ["id,x1,x0,x2,x3"]
    for k, (x0, x1, x2, x3) in enumerate(ROWS.tolist()):
        lines.append(f"c{k:02d},{x1!r},{x0!r},{x2!r},{'' if k < unknown else repr(x3)}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    columns: dict[str, object] = {"id": "id", "family": [], "features": ["x*"], "property": "x3", "unit": "D"}
    columns["on_missing"] = "unknown" if unknown else "error"
    return Scenario.model_validate({
        "name": "made", "pool": {"path": str(folder / "table.csv"), "columns": columns},
        "campaign": {"budget": 10, "property": "x3", "unit": "D"},
    })  # fmt: skip


def test_it_is_the_graph_of_all_rows_in_the_order_of_the_features_that_are_named(tmp_path: Path) -> None:
    graph, rows = global_graph(scenario(tmp_path), ["x0", "x1", "x2"])
    assert rows == 60
    assert graph.names == ("x0", "x1", "x2", "x3")
    assert (graph.weights == GlobalGraph.of_rows(named(ROWS)).weights).all()


def test_globs_and_nothing_name_features_in_the_order_of_the_pool(tmp_path: Path) -> None:
    made = scenario(tmp_path)
    assert global_graph(made, [])[0].features == ("x1", "x0", "x2")
    assert global_graph(made, ["x2", "x*"])[0].features == ("x2", "x1", "x0")


def test_the_file_names_the_policy_and_tells_it_the_graph_to_the_bit(tmp_path: Path) -> None:
    graph, rows = global_graph(scenario(tmp_path), [])
    write_global_graph(tmp_path / "told.toml", graph, rows)
    campaign = tomllib.loads((tmp_path / "told.toml").read_text())["campaign"]
    told = GlobalGraph.of_options(campaign["policy_options"]["global_graph"])
    assert told.weights.tobytes() == np.array(graph.weights).tobytes()
    assert told.names == graph.names
    make_policy(campaign["policy"], campaign["policy_options"])


def test_what_has_no_global_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no feature 'x9'"):
        global_graph(scenario(tmp_path), ["x9"])
    with pytest.raises(TableError, match="no known value"):
        global_graph(scenario(tmp_path, unknown=3), [])
