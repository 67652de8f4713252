"""What a counterfactual campaign came to: a table, a picture, two trajectories as CSV, and all figures as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.entropy.best import HARM, best_of
from agent.entropy.bias import BiasPoint
from protocols.storage.atomic_file import atomic_write
from scenarios.run.trajectory import write_trajectory_csv
from scenarios.what_if.figure import Line, draw_what_if
from scenarios.what_if.what_if import AnsweredBy, WhatIf

FIGURE: Final = "what-if.png"
JSON_FILE: Final = "what-if.json"
RECORDED: Final = "recorded.csv"
OTHER: Final = "counterfactual.csv"
WRITTEN: Final = (FIGURE, RECORDED, OTHER, JSON_FILE)


def what_if_table(found: WhatIf) -> RenderableType:
    """Return the figures of both, side by side, and how far the recording could answer."""
    table = Table(box=None, padding=(0, 2, 0, 2))
    table.add_column("")
    table.add_column(Text(f"recorded ({found.recorded_policy})"), justify="right")
    table.add_column(Text(f"what if ({found.policy})"), justify="right")
    for name, one, other in _figures(found):
        table.add_row(*map(Text, (name, one, other)))
    changed = [Text(f"  {name}: {then} then, {now} now", style="dim") for name, then, now in found.changed]
    return Group(Text(coverage_sentence(found), style="bold"), *changed, table)


def coverage_sentence(found: WhatIf) -> str:
    """Say how far the recording could answer."""
    told = f"the recording answers {found.known:,} of {found.asked:,} candidates ({found.coverage:.0%})"
    told += f", {found.filled:,} were filled in" if found.filled else ""
    return f"{told}, {found.unknown:,} are unknown"


def what_if_json(found: WhatIf) -> str:
    """Return all figures as JSON."""
    content = {
        "campaign": found.campaign,
        "recorded": {"policy": found.recorded_policy, "asked": found.recorded_asked, **_points(found.recorded.points)},
        "counterfactual": {"policy": found.policy, "asked": found.asked, **_points(found.other.trajectory.points)},
        "changed": {name: {"then": then, "now": now} for name, then, now in found.changed},
        "known": found.known,
        "filled": found.filled,
        "unknown": found.unknown,
        "coverage": found.coverage,
        "shared": found.shared,
        "note": found.note,
    }
    return json.dumps(content, indent=2)


def write_what_if(found: WhatIf, folder: Path) -> tuple[Path, ...]:
    """Write picture, trajectories and figures into a folder; return their paths.

    Raises:
        StoreError: When the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / name for name in WRITTEN)
    lines = (
        Line(f"recorded ({found.recorded_policy})", found.recorded, found.recorded_asked_at),
        Line(f"what if ({found.policy})", found.other.trajectory, found.other.asked_at),
    )
    title = f"{found.campaign}: {found.policy} instead of {found.recorded_policy}"
    kinds = {kind.value: [each is kind for each in found.answered_by] for kind in AnsweredBy}
    draw_what_if(paths[0], lines, kinds, title=title, subtitle=coverage_sentence(found))
    write_trajectory_csv(paths[1], found.recorded)
    write_trajectory_csv(paths[2], found.other.trajectory)
    with atomic_write(paths[3]) as file:
        file.write(what_if_json(found).encode())
    return paths


def folder_name(campaign: str, policy: str) -> str:
    """Return what the folder of a what-if is called."""
    return f"what-if-{campaign}-{re.sub(r'[^a-z0-9_]+', '-', policy.lower())}"


def _figures(found: WhatIf) -> Iterator[tuple[str, str, str]]:
    first, last, other = found.recorded.points[0][1], found.recorded.points[-1][1], found.other.trajectory.points[-1][1]
    yield "asked for", f"{found.recorded_asked:,}", f"{found.asked:,}"
    yield "results", f"{len(found.recorded.points) - 1:,}", f"{len(found.other.trajectory.points) - 1:,}"
    yield "the same candidates", f"{found.shared:,}", f"{found.shared:,}"
    for metric, begun in first.figures:
        ends = (_change(begun, point.value(metric.name)) for point in (last, other))
        yield metric.name.replace("_", " "), next(ends), next(ends)
    yield from _best(found)


def _best(found: WhatIf) -> Iterator[tuple[str, str, str]]:
    """Yield what the figures in which a campaign may do harm were at their best, and at which result."""
    both = [
        {best.metric.name: best for best in best_of(run.points)} for run in (found.recorded, found.other.trajectory)
    ]
    for name in HARM:
        known = [each.get(name) for each in both]
        one, other = ("–" if best is None else f"{best.value:.3f} at {best.observation}" for best in known)
        if any(known):
            yield f"best {name.replace('_', ' ')}", one, other


def _change(before: float | None, after: float | None) -> str:
    told = tuple("–" if value is None else f"{value:.3f}" for value in (before, after))
    return f"{told[0]} → {told[1]}"


def _points(points: tuple[tuple[int, BiasPoint], ...]) -> dict[str, object]:
    ends = {
        when: {metric.name: value for metric, value in point.figures}
        for when, (_, point) in (("before", points[0]), ("after", points[-1]))
    }
    return {"results": len(points) - 1, **ends}
