"""`entropilot watch --json`: a line of JSON for each change of a run, for programs; it needs no extra.

| line | when |
|---|---|
| `{"campaign": …}` | first |
| `{"point": …}` | each observation, once and in order, the figures by name |
| `{"moment": …}` | whenever the journal has grown, and when its agent came or went |
| `{"problem": …}` | the run cannot be read now, or its broker is away; a moment tells when that is over |
| `{"ended": …}` | last: the campaign has come to its end |

Of a shadow:

| line | when |
|---|---|
| `{"shadow": …}` | first, and whenever a decision of the lab was compared |
| `{"ended": …}` | last: it listens no more |

The content is that of the models in `scenarios.watch.state`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from protocols.errors import BrokerAway, StoreError
from scenarios.watch.reading.shadow import ShadowReader
from scenarios.watch.reading.source import MAX_ROWS, POLL_INTERVAL_S, Source
from scenarios.watch.state.answers import Problem
from scenarios.watch.state.moment import Moment
from scenarios.watch.state.points import Column, Points

OF_FAMILIES: Final = "families"
"""Under which name a point holds what is known of each family."""


def watch_lines(source: Source, sleep: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """Yield the lines of a run until its campaign has ended.

    Args:
        source: The run.
        sleep: Waits between two looks [s].

    Raises:
        StoreError: When the run cannot be read at the beginning.
        BrokerAway: When its broker is away then.
        BrokerError: When the broker lets nobody listen any more.
    """
    yield _line("campaign", source.campaign().model_dump(mode="json"))
    version, told_to, phase, problem = -1, 0, "", ""
    while True:
        try:
            found = source.version()
            moment = source.moment() if found != version or problem or _may_have_gone(phase) else None
            if moment is not None and (found != version or problem or moment.phase != phase):
                for points in _points(source, told_to):
                    yield from (_line("point", each) for each in points_by_name(points))
                    told_to = points.sequence
                yield _line("moment", moment.model_dump(mode="json"))
                version, phase = found, moment.phase
            if moment is not None and _has_ended(source, moment):
                yield _line("ended", {"phase": moment.phase, "reason": moment.reason, "sequence": moment.sequence})
                return
            problem = ""
        except (StoreError, BrokerAway) as error:
            if not version + 1:
                raise
            is_new = not problem if isinstance(error, BrokerAway) else str(error) != problem
            if is_new:  # a broker is away once, though each try may fail for another reason
                problem = str(error)
                told = Problem(found=error.found, expected=error.expected, action=error.action)
                yield _line("problem", told.model_dump(mode="json"))
        sleep(POLL_INTERVAL_S)


def shadow_lines(reader: ShadowReader, sleep: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """Yield the lines of a shadow until it listens no more.

    Args:
        reader: Of the shadow.
        sleep: Waits between two looks [s].

    Raises:
        StoreError: When it cannot be read.
    """
    told = -1
    while True:
        view = reader.view()
        if view.decisions != told:
            yield _line("shadow", view.model_dump(mode="json"))
            told = view.decisions
        if view.phase != "running":
            yield _line("ended", {"phase": view.phase, "reason": view.reason, "decisions": view.decisions})
            return
        sleep(POLL_INTERVAL_S)


def points_by_name(points: Points) -> Iterator[dict[str, Any]]:
    """Yield each point as figures by name, those of families below `families`."""
    for row in points.rows:
        told: dict[str, Any] = {}
        families: dict[str, dict[str, Any]] = {}
        for column, value in zip(points.columns, row, strict=True):
            if column.family is not None:
                families.setdefault(column.family, {})[column.what or ""] = _counted(column, value)
            else:
                told[str(column.name or column.metric)] = _counted(column, value)
        yield told | {OF_FAMILIES: families}


def _counted(column: Column, value: float | None) -> float | int | None:
    """Return a figure as JSON has it: what counts is a whole number."""
    is_count = column.name is not None or column.what == "size"
    return int(value) if is_count and value is not None else value


def _points(source: Source, told_to: int) -> Iterator[Points]:
    """Yield what came behind a row of the journal, in parts."""
    while True:
        points = source.points_after(told_to, MAX_ROWS)
        yield points
        told_to = points.sequence
        if not points.more:
            return


def _may_have_gone(phase: str) -> bool:
    """Tell whether an agent may have come or gone, of which a journal says nothing."""
    return phase not in {"", "finished"}


def _has_ended(source: Source, moment: Moment) -> bool:
    """Tell whether the campaign has ended, and nothing came while that was told: a larger budget lets it go on."""
    return moment.phase == "finished" and source.version() == moment.sequence


def _line(kind: str, content: Any) -> str:
    return json.dumps({kind: content}, ensure_ascii=False, allow_nan=False)
