"""The rows that a graph is found of, and what is known of it: read from a table and the command line, checked once."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from agent.causal.graph.collinearity import Dropped, prune, require_independent
from agent.causal.graph.prior_knowledge import Edge, PriorKnowledge
from agent.causal.graph.variables import Variables, standardise
from protocols.errors import SettingsError, TableError
from protocols.tables.account import Account, Finding, Handling, account_of
from protocols.tables.cells import missing_cell, numbers_of
from protocols.tables.columns import require_column
from protocols.tables.files import column_names, read_file
from protocols.tables.format import USUAL, TableFormat
from scenarios.sources.named_table import told_by_options

BETWEEN: Final = ":"
"""Between cause and effect of an edge on the command line."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the command line asks.

    Attributes:
        columns: Names, or globs such as `feat_*`, in the order of preference.
        target: A column that causes nothing; None for none.
        forbidden: Edges "cause:effect" that are not there.
        required: Edges that are there.
        most_vif: Largest variance inflation factor that stays.
        drop_missing: Leave out rows with an empty cell, in place of refusing them.
        format: How the table is written.
    """

    columns: tuple[str, ...]
    target: str | None
    forbidden: tuple[str, ...]
    required: tuple[str, ...]
    most_vif: float
    drop_missing: bool
    format: TableFormat = USUAL


@dataclass(frozen=True, slots=True, eq=False)
class GraphSource:
    """Rows and knowledge.

    Attributes:
        path: The table.
        name: The table's name without its ending.
        variables: Columns that stay.
        knowledge: What is known of their graph.
        dropped: Columns that were left out because others tell nearly all of them.
        left_out: Rows with an empty cell that were left out.
        target: The column that causes nothing.
        account: Why rows were left out, and what else was not taken as it stands.
    """

    path: Path
    name: str
    variables: Variables
    knowledge: PriorKnowledge
    dropped: tuple[Dropped, ...]
    left_out: int
    target: str | None
    account: Account = ()

    def notes(self) -> list[str]:
        """Say what was left out."""
        notes = [f"{each.words}: left out" for each in self.dropped]
        if self.left_out:
            notes.append(f"{self.left_out} rows with an empty cell were left out")
        return [*notes, *map(str, self.account)]


def read_source(path: Path, name: str, question: Question) -> GraphSource:
    """Read and check what a graph is to be found of.

    Args:
        path: The table.
        name: The table's name without its ending.
        question: What is asked of it.

    Raises:
        SettingsError: When a column or an edge is none, or what is known contradicts itself.
        TableError: When a cell is empty or no number, a column is constant or a linear function of others, the target
            is a feature, or there are not more rows than columns.
    """
    with told_by_options():
        return _read(path, name, question)


def _read(path: Path, name: str, question: Question) -> GraphSource:
    features = _columns(path, question)
    names = features if question.target is None else (*features, question.target)
    forbidden, required = (_edges(names, each) for each in (question.forbidden, question.required))
    sinks = () if question.target is None else (question.target,)
    PriorKnowledge.of(names, sinks=sinks, forbidden=forbidden, required=required)  # before a large table is read
    values, left_out, account = _values(path, names, question)
    if question.target is None:
        variables = Variables.of(names, values)
    else:
        variables = Variables.with_target(features, values[:, :-1], question.target, values[:, -1])
    require_independent(variables, standardise(variables))
    kept = {*sinks, *(end for edge in required for end in edge)}
    pruned = prune(variables, keep=kept, most_vif=question.most_vif)
    stay = pruned.variables.names
    knowledge = PriorKnowledge.of(
        stay, sinks=sinks, forbidden=[edge for edge in forbidden if set(edge) <= set(stay)], required=required
    )
    return GraphSource(path, name, pruned.variables, knowledge, pruned.dropped, left_out, question.target, account)


def _columns(path: Path, question: Question) -> tuple[str, ...]:
    """Return the columns that are meant, globs in the order of the file; a glob does not take the target."""
    there = column_names(path, question.format)
    if question.target is not None:
        require_column(path, question.target, there)
    found: list[str] = []
    for wanted in question.columns:
        matches = [each for each in there if fnmatch.fnmatchcase(each, wanted) and each != question.target]
        found += [require_column(path, wanted, there)] if wanted in there or not matches else matches
    return tuple(dict.fromkeys(found))


def _edges(names: Sequence[str], said: Iterable[str]) -> list[Edge]:
    return [_edge(names, each) for each in said]


def _edge(names: Sequence[str], said: str) -> Edge:
    """Return cause and effect; names may hold the sign between them."""
    places = [place for place, character in enumerate(said) if character == BETWEEN]
    for place in places:
        edge = (said[:place].strip(), said[place + 1 :].strip())
        if set(edge) <= set(names):
            return edge
    if len(places) == 1:
        cause, _, effect = said.partition(BETWEEN)
        return cause.strip(), effect.strip()  # which of them is no column is told by the knowledge
    raise SettingsError(
        f"{said!r} is no edge between columns", expected=f"CAUSE{BETWEEN}EFFECT, each one of {', '.join(names)}"
    )


def _values(path: Path, names: tuple[str, ...], question: Question) -> tuple[np.ndarray, int, Account]:
    """Return the columns of the rows that are whole, shape (n, d), how many rows are not, and why."""
    unique = tuple(dict.fromkeys(names))
    file = read_file(path, column_names(path, question.format), numeric=unique, texts=(), format=question.format)
    columns = {name: numbers_of(file, name, question.format) for name in unique}
    gaps = {name: ~np.isfinite(column) for name, column in columns.items()}
    bad = np.any(list(gaps.values()), axis=0)
    if bad.any() and not question.drop_missing:
        raise missing_cell(file, gaps, "fill the cells, or leave such rows out with --drop-missing", question.format)
    if bad.all():
        raise TableError(
            f"No row of {path} has a number in all of {', '.join(unique)}",
            expected="rows that are whole",
            action="name other columns",
        )
    found = [
        Finding(Handling.DROPPED, f"column {name!r}: without a number", np.flatnonzero(mask).tolist())
        for name, mask in gaps.items()
        if mask.any()
    ]
    account = (*file.notes, *account_of(found, file.places))
    return np.column_stack([columns[name][~bad] for name in names]), int(bad.sum()), account
