"""What is known of a graph before any row is looked at: sinks, sources, forbidden and required edges.

| here | meaning |
|---|---|
| sink | causes nothing (the property that is measured) |
| source | has no cause among the columns (what is set at will, or cannot be changed: a count of atoms) |
| forbidden edge (j, i) | j does not act on i directly; along other columns it may |
| required edge (j, i) | j acts on i directly: it comes before i, and its weight is not shrunk |

A causal order follows it by three rules, asked again for the columns that are left. A column into which no edge from
the others is allowed goes first: it is exogenous among them. A column from which no edge to the others is allowed
waits: it can always be last. A column with a required cause among the others waits for it. Required edges have no
cycle, so that there is always one to go.

Reference for the first: S. Shimizu et al., J. Mach. Learn. Res. 12, 1225 (2011), section 3.4, there for paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.acyclic import find_cycle, path_in_words
from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean

BoolArray = NDArray[np.bool_]

Edge = tuple[str, str]
"""Cause and effect, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class PriorKnowledge:
    """What is known; made by `of`, which checks it.

    Attributes:
        names: Of the columns.
        allowed: Whether column j may act on column i directly, shape (d, d); never on itself.
        required: Whether it does; a part of `allowed` without a cycle.
    """

    names: tuple[str, ...]
    allowed: BoolArray
    required: BoolArray

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        *,
        sinks: Iterable[str] = (),
        sources: Iterable[str] = (),
        forbidden: Iterable[Edge] = (),
        required: Iterable[Edge] = (),
    ) -> Self:
        """Put together what is known of the columns.

        Raises:
            SettingsError: When a column is unknown, an edge leads from a column to itself, a required edge is forbidden
                (by name, by a sink or by a source), or required edges make a cycle.
        """
        columns = tuple(names)
        allowed = ~np.eye(len(columns), dtype=bool)
        wanted = np.zeros_like(allowed)
        for name in sinks:
            allowed[:, _place(columns, name, "sink")] = False
        for name in sources:
            allowed[_place(columns, name, "source")] = False
        for edge in forbidden:
            allowed[_ends(columns, edge, "forbidden")] = False
        for edge in required:
            wanted[_ends(columns, edge, "required")] = True
        _require_consistent(columns, allowed, wanted)
        return cls(columns, allowed, wanted)

    def first_among(self, left: Sequence[int]) -> list[int]:
        """Return which of the columns that are left may come next in a causal order: at least one of them.

        Args:
            left: Places of the columns that have no place in the order yet, at least one.
        """
        allowed = self.allowed[np.ix_(left, left)]
        exogenous = ~allowed.any(axis=1)
        may_act = allowed.any(axis=0)
        ready = ~self.required[np.ix_(left, left)].any(axis=1)
        chosen = exogenous if exogenous.any() else ready & may_act
        return [left[place] for place in np.flatnonzero(chosen).tolist()]


def _ends(columns: tuple[str, ...], edge: Edge, kind: str) -> tuple[int, int]:
    """Return row and column of an edge (effect, cause)."""
    cause, effect = (_place(columns, name, f"{kind} edge") for name in edge)
    if cause == effect:
        raise SettingsError(
            f"The {kind} edge {path_in_words(edge)} leads from a column to itself",
            expected="two columns, the cause and the effect",
        )
    return effect, cause


def _place(columns: tuple[str, ...], name: str, kind: str) -> int:
    if name not in columns:
        raise SettingsError(
            f"The {kind} {name!r} is not among the columns",
            expected=f"one of {', '.join(columns)}",
            action=did_you_mean(name, columns),
        )
    return columns.index(name)


def _require_consistent(columns: tuple[str, ...], allowed: BoolArray, wanted: BoolArray) -> None:
    contradicted = np.argwhere(wanted & ~allowed)
    if len(contradicted):
        effect, cause = (columns[place] for place in contradicted[0])
        raise SettingsError(
            f"The required edge {cause} → {effect} is forbidden as well: by name, by a sink or by a source",
            action=f"Take out what requires it, or what forbids that {cause} acts or that {effect} has a cause",
        )
    cycle = find_cycle(wanted)
    if cycle:
        raise SettingsError(
            f"Required edges make the cycle {path_in_words([columns[place] for place in (*cycle, cycle[0])])}",
            expected="an acyclic graph",
            action="Take out one of these edges",
        )
