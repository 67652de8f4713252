"""The graph of all rows of a scenario, written as settings that are laid over it."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.causal.graph.variables import Variables
from agent.causal.reference.global_graph import GlobalGraph
from protocols.errors import SettingsError, TableError
from protocols.settings.suggestions import did_you_mean
from protocols.storage.atomic_file import atomic_write
from scenarios.settings.model import Scenario
from scenarios.world.world import ProgressCall, build_world

TOLD_POLICY: Final = "causal_reference"
"""The policy that a graph is written for; its file names it, so that options of a scenario's own policy fall away."""


def global_graph(
    scenario: Scenario, features: Sequence[str], progress: ProgressCall = lambda *_: None
) -> tuple[GlobalGraph, int]:
    """Fit the graph of all candidates: some features, and the campaign's property as a sink; say how many they are.

    Args:
        scenario: With a pool whose values are all known.
        features: Names of features, or globs, in the order that the graph has; all of them where none is named.
        progress: For a progress bar.

    Raises:
        TableError: When a value is not known, or a feature is constant or a linear function of others.
        SettingsError: When the pool has no such feature.
    """
    world = build_world(scenario, progress)
    if not world.all_known:
        raise TableError(
            "Some candidates have no known value, so nobody knows the graph of all of them",
            expected="a value for every candidate",
            action="take the policy causal, which needs no such graph",
        )
    names = world.pool.feature_names
    chosen = _named(names, features or ("*",))
    columns = world.pool.features[:, [names.index(name) for name in chosen]]
    property_name = scenario.campaign.property
    variables = Variables.with_target(chosen, columns, property_name, world.values)
    return GlobalGraph.of_rows(variables), len(world.pool)


def write_global_graph(path: Path, graph: GlobalGraph, rows: int) -> None:
    """Write a graph as settings of a campaign whose policy is told it, for `--settings`.

    Args:
        path: TOML file to write.
        graph: What to write.
        rows: Of how many rows it is.

    Raises:
        StoreError: When the file cannot be written.
    """
    plain = graph.as_options()
    lines = [
        f"# The causal graph of {rows:,} rows by DirectLiNGAM: row i of the weights holds the effects on variable i.",
        "# It was made of the values that a campaign is to find: whoever is told it is told the answer.",
        "[campaign]",
        f"policy = {json.dumps(TOLD_POLICY)}",
        "",
        "[campaign.policy_options.global_graph]",
        f"variables = {json.dumps(plain['variables'], ensure_ascii=False)}",
        "weights = [",
        *(f"  {row}," for row in plain["weights"]),
        "]",
    ]
    with atomic_write(path) as file:
        file.write(("\n".join(lines) + "\n").encode())


def _named(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Return the features that are meant, each once, globs in the pool's order.

    Raises:
        SettingsError: When there is none of a name.
    """
    chosen: dict[str, None] = {}
    for pattern in wanted:
        found = [name for name in names if name == pattern or fnmatch.fnmatchcase(name, pattern)]
        if not found:
            raise SettingsError(
                f"The pool has no feature {pattern!r}",
                expected=f"some of {', '.join(names)}",
                action=did_you_mean(pattern, names),
            )
        chosen |= dict.fromkeys(found)
    return list(chosen)
