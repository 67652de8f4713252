"""What a graph is told as: the table on the screen, JSON, and the files of its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.findings.believed_graph import Edge, write_graph
from scenarios.findings.graph_figure import draw_graph
from scenarios.graph.graph import GraphOfTable
from scenarios.sources.run_folder import GRAPH, GRAPH_FIGURE

WRITTEN: Final = (GRAPH_FIGURE, GRAPH)

MOST_SHOWN: Final = 20
"""Most edges in the table on the screen; the file has all."""

TAKEN_FOR_GRANTED: Final = (
    "these are causes only if relations are straight, disturbances not Gaussian, and nothing unmeasured acts on two "
    "columns: where it can be done, test an edge by an intervention"
)


def graph_table(found: GraphOfTable) -> RenderableType:
    """Return the edges, the most probable first, with what they come to."""
    graph, names = found.graph, found.graph.names
    table = Table()
    for heading in ("cause", "effect"):
        table.add_column(heading)
    for heading in ("weight", "probability"):
        table.add_column(heading, justify="right")
    for edge in graph.edges[:MOST_SHOWN]:
        weight = f"{edge.standardised:.3f}".replace("-", "−")
        style = "" if edge.is_believed else "dim"
        table.add_row(Text(names[edge.cause]), Text(names[edge.effect]), weight, f"{edge.probability:.2f}", style=style)
    if len(graph.edges) > MOST_SHOWN:
        table.add_row(f"… and {len(graph.edges) - MOST_SHOWN} less probable")
    title = Text.assemble((found.source.name, "bold"), f": {graph.in_words()}")
    return Group(title, table, Text(_caption(found), "dim"))


def graph_json(found: GraphOfTable, files: list[Path]) -> str:
    """Return the same for another program."""
    graph, source = found.graph, found.source
    told = {
        "table": str(source.path),
        "columns": list(graph.names),
        "target": source.target,
        "rows": len(source.variables.values),
        "rows_left_out": source.left_out,
        "columns_left_out": {each.name: each.words for each in source.dropped},
        "samples": graph.graphs,
        "seed": found.seed,
        "order": [graph.names[place] for place in graph.order],
        "edges": [_plain(graph.names, edge) for edge in graph.edges],
        "edge_stability": found.stability,
        "account": [each.model_dump(mode="json") for each in source.account],
        "notes": source.notes(),
        "files": [str(each) for each in files],
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def write_files(found: GraphOfTable, folder: Path) -> list[Path]:
    """Write edges and picture; return their paths.

    Raises:
        StoreError: When the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = found.source
    write_graph(folder / GRAPH, found.graph)
    title = f"{source.name}: causal graph of {len(source.variables.values):,} rows"
    subtitle = f"{found.graph.in_words()}; weights between columns of unit deviation"
    draw_graph(folder / GRAPH_FIGURE, found.graph, title=title, subtitle=subtitle, in_deviations=True)
    return [folder / name for name in WRITTEN]


def _caption(found: GraphOfTable) -> str:
    rows = f"{len(found.source.variables.values):,} rows, {found.graph.graphs} samples"
    stability = "" if found.stability is None else f", stability of the edges {found.stability:.2f}"
    return f"{rows}{stability}; weights between columns of unit deviation; {TAKEN_FOR_GRANTED}"


def _plain(names: tuple[str, ...], edge: Edge) -> dict[str, object]:
    return {
        "cause": names[edge.cause],
        "effect": names[edge.effect],
        "weight": edge.weight,
        "standardised_weight": edge.standardised,
        "probability": edge.probability,
    }
