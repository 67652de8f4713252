"""Points of a trajectory as they come: names of columns, and a row for each observation."""

from __future__ import annotations

from scenarios.watch.state.model import Number, Shown


class Column(Shown):
    """What a column of a series holds."""

    name: str | None = None
    """`observation`, `sequence` or `spent`; null where it is one of the two below."""
    metric: str | None = None
    """Name of a metric."""
    family: str | None = None
    """Name of a family."""
    what: str | None = None
    """Of a family: `entropy`, `low`, `high`, `size`; of what was reduced also `min` and `max`."""


class Points(Shown):
    """Points that came after a row of the journal, each once and in order."""

    columns: tuple[Column, ...]
    """As of the series, without bands."""
    rows: tuple[tuple[Number, ...], ...]
    """A row for each observation."""
    sequence: int
    """The journal's row up to which everything is told: what to ask after next time."""
    more: bool = False
    """Whether there are further points by now."""
