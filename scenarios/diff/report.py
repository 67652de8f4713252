"""What `entropilot diff` shows: where two runs part, in words, and their trajectories over each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.campaign.event_descriptions import in_words
from agent.campaign.events import Event, RequestIssued
from agent.pool.candidates import named
from protocols.errors import SettingsError, StoreError
from protocols.storage.regular_file import begins_with
from scenarios.diff.diff import Diff, Divergence
from scenarios.diff.events import FieldDifference
from scenarios.run.figure.diff import draw_diff as draw_diff_figure
from scenarios.run.metrics_figure import draw_runs

MAX_NAMES: Final = 5
"""Candidates listed by name."""

MAX_VALUE: Final = 60
"""Longest value shown of a part that differs [character]."""

PNG: Final = ".png"

_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
"""What a PNG file begins with."""


def diff_table(found: Diff) -> RenderableType:
    """Return the verdict and where they part."""
    table = Table.grid(padding=(0, 2))
    for name, told in _rows_of(found):
        table.add_row(Text(f"  {name}", style="dim"), Text(told))
    return Group(Text(verdict(found), style="bold green" if found.is_same else "bold"), table)


def verdict(found: Diff) -> str:
    """Say in one line whether they are the same."""
    mine, theirs = found.decisions
    both = min(mine, theirs)
    if found.is_same:
        order = "" if found.event is None else f"; from {_row(found.event)} on answers came in another order"
        return f"the same: {mine:,} decisions and {len(found.one.events):,} events{order}"
    if found.event is None:
        return f"all {both:,} decisions and {len(found.one.events):,} events are the same; the settings differ"
    if found.decision is None:
        return f"all {both:,} decisions that both made are the same; the journals differ at {_row(found.event)}"
    first = found.decision[0].decision
    return f"{found.decisions_same:,} of {both:,} decisions are the same; the first that differs is number {first}"


def diff_json(found: Diff) -> str:
    """Return the same as JSON."""
    event, decision = found.event, found.decision
    content = {
        "same": found.is_same,
        "same_order": found.event is None,
        "settings": {part.name: [part.one, part.other] for part in found.settings},
        "event": None if event is None else {"row": event.row, "one": _words(event.one), "other": _words(event.other)},
        "decision": None
        if decision is None
        else {"decision": decision[0].decision, "one": in_words(decision[0]), "other": in_words(decision[1])},
        "decisions": list(found.decisions),
        "decisions_same": found.decisions_same,
        "other_values": list(found.other_values),
        "only_one": list(found.only_one),
        "only_other": list(found.only_other),
        "metrics": {metric.name: list(values) for metric, values in found.declared.items()},
    }
    return json.dumps(content, indent=2)


def require_picture(path: Path) -> None:
    """Check that a picture may be written to a place, before anything is read.

    Raises:
        SettingsError: When the name is not that of a PNG file.
        StoreError: When something else is in its place.
    """
    if path.suffix.lower() != PNG:
        raise SettingsError(
            f"{path} cannot be the picture", expected=f"a file that ends in {PNG}", action="name another --out"
        )
    if path.exists() and not begins_with(path, _PNG_MAGIC):
        raise StoreError(
            f"{path} exists and is no picture",
            expected="a new file, or a picture that is replaced",
            action="name another --out",
        )


def draw_diff(found: Diff, path: Path) -> Path:
    """Draw both trajectories over each other, and where they part; return the path.

    Raises:
        StoreError: When the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    one, other = (Path(each.name).name for each in (found.one, found.other))
    if one == other:
        one, other = f"one: {one}", f"other: {other}"
    runs = {one: found.one.trajectory, other: found.other.trajectory}
    title, subtitle = f"{one} against {other}", verdict(found)
    if _compare_families(found):
        parted = "" if found.decision is None else f"decision {found.decision[0].decision}, the first that differs"
        draw_diff_figure(path, runs, found.parted_at, parted=parted, title=title, subtitle=subtitle)
    else:
        subtitle += "" if found.parted_at is None else f", after observation {found.parted_at}"
        draw_runs(path, runs, title=title, subtitle=subtitle)
    return path


def _compare_families(found: Diff) -> bool:
    """Tell whether the picture is of families: of other campaigns it is of what their policies declare."""
    last = [each.trajectory.points[-1][1] for each in (found.one, found.other) if each.trajectory.points]
    return len(last) < 2 or all(point.compares_families for point in last)  # noqa: PLR2004 - both


def _rows_of(found: Diff) -> Iterator[tuple[str, str]]:
    yield "one", f"{found.one.name}: {found.decisions[0]:,} decisions, {len(found.one.events):,} events"
    yield "other", f"{found.other.name}: {found.decisions[1]:,} decisions, {len(found.other.events):,} events"
    for part in found.settings:
        yield part.name, f"{_short(part.one)} in one, {_short(part.other)} in the other"
    if found.event is not None:
        yield from _event(found.event)
    if found.decision is not None:
        one, other = found.decision
        yield f"decision {one.decision}", f"one: {in_words(one)}"
        yield "", f"other: {in_words(other)}"
    for metric, values in found.declared.items():
        one_end, other_end = (f"{'–' if each is None else f'{each:.4g}'} {metric.unit}".rstrip() for each in values)
        yield metric.short, f"{one_end} in one, {other_end} in the other"
    events = (*found.one.events, *found.other.events)
    source_ids = {each.candidate_id: each.source_id for each in events if isinstance(each, RequestIssued)}
    for what, names in (
        ("other values", found.other_values),
        ("only in one", found.only_one),
        ("only in other", found.only_other),
    ):
        if names:
            yield (
                what,
                f"{len(names):,} candidates: {_listed([named(each, source_ids.get(each, '')) for each in names])}",
            )


def _event(event: Divergence) -> Iterator[tuple[str, str]]:
    yield _row(event), f"one: {_words(event.one)}"
    yield "", f"other: {_words(event.other)}"
    for part in event.parts:
        yield "", _part(part)


def _part(part: FieldDifference) -> str:
    return f"{part.name}: {_short(part.one)} in one, {_short(part.other)} in the other"


def _row(event: Divergence | None) -> str:
    return "no row" if event is None else f"row {event.row}"


def _words(event: Event | None) -> str:
    return "it has ended" if event is None else in_words(event)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_NAMES]) + (", …" if len(names) > MAX_NAMES else "")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
