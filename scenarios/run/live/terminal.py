"""A state as it stays in place on a terminal: laid out anew for every redraw, within its height."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agent.entropy.best import best_in_words
from agent.entropy.bias import BiasPoint
from agent.metrics import Metric
from agent.runtime.presence import named
from scenarios.display.labels import figure_text
from scenarios.run.live.state import LiveState
from scenarios.run.live.words import (
    BEST_SHOWN,
    clean,
    duration,
    found_in_words,
    is_number,
    nat,
    rate,
    share,
    time_left,
)
from scenarios.run.summary.points import starved_first

USUAL_HEIGHT: Final = 24
"""Height of a terminal that does not say [line]."""

LINES_BESIDE_FAMILIES: Final = 17
"""Lines of the view without the families, at most, and the line of the cursor."""

MIN_FAMILIES_SHOWN: Final = 3
"""On the smallest terminal."""

MAX_IN_FLIGHT_SHOWN: Final = 3
"""Requests listed one by one; of more, the longest out."""

MAX_DECISION_LENGTH: Final = 215
"""Longest decision shown [character]: three lines of 80 with its title."""

BAR_CELLS: Final = 16
"""Width of an entropy bar [cell]."""

EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
"""A cell filled by eighths."""

_PHASE_STYLE: Final = {"preparing": "cyan", "running": "green", "paused": "yellow", "finishing": "cyan"}


def render(state: LiveState, height: int = USUAL_HEIGHT) -> RenderableType:
    """Lay a state out for a terminal of 80 columns or more.

    Args:
        state: What to show.
        height: Lines of the terminal; families are folded to fit.
    """
    rows = max(MIN_FAMILIES_SHOWN, height - LINES_BESIDE_FAMILIES - bool(state.waiting_for))
    parts: list[RenderableType] = [_title(state), _progress(state), Text(clean(state.held), "bold yellow")]
    if state.bias is None or not state.bias.families:
        parts.append(Text("no observations yet", "dim"))
    else:
        families = [_families(state.bias, state.before, rows)] if state.bias.compares_families else []
        parts += [*families, _figures(state.bias, state.before), *_best(state)]
    parts += [Text(), _decision(state), *_in_flight(state), *_waiting(state), _counters(state)]
    return Group(*parts)


def _title(state: LiveState) -> RenderableType:
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    line.add_column(justify="right", no_wrap=True, overflow="ellipsis")
    left = Text.assemble(
        (clean(state.campaign), "bold"),
        f"  {clean(state.policy)}  ",
        (state.phase, _PHASE_STYLE.get(state.phase, "")),
    )
    link = ("● connected", "green") if state.connected else ("○ not connected", "bold red")
    line.add_row(left, Text.assemble(f"{clean(state.broker)} ", link))
    if not state.connected and state.link_trouble:
        line.add_row(Text(clean(state.link_trouble), "red"), Text())
    return line


def _progress(state: LiveState) -> RenderableType:
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(ratio=1)
    line.add_column(no_wrap=True)
    figures = f"{state.spent}/{state.budget}  {share(state):.0%}  {duration(state.elapsed_s)}{time_left(state)}"
    bar = ProgressBar(total=1.0, completed=share(state), pulse=False)
    line.add_row(bar, Text(f"{figures}  {rate(state)}"))
    return line


def _families(bias: BiasPoint, before: BiasPoint | None, rows: int) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("family", no_wrap=True, overflow="ellipsis", max_width=28)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column(Text("entropy [nat]"), justify="right", no_wrap=True)
    table.add_column("spread vs richest", no_wrap=True)
    table.add_column("since start", justify="right", no_wrap=True)
    order = starved_first(bias)
    fits = len(order) <= rows
    # In their own order, names stay in place between two redraws; folded, the poorest matter.
    shown = range(len(order)) if fits else order[: rows - 1]
    richest = max((h for h in bias.entropies if is_number(h)), default=None, key=float)  # type: ignore[arg-type]
    start = {} if before is None else dict(zip(before.families, before.entropies, strict=False))
    for position in shown:
        name, h = bias.families[position], bias.entropies[position]
        starved = name == bias.starved_family
        table.add_row(
            Text(clean(name) + (" ◂ starved" if starved else ""), "bold yellow" if starved else ""),
            str(bias.sizes[position]),
            nat(h),
            Text(_bar(h, richest), "blue"),
            _change(start.get(name), h),
        )
    if not fits:
        table.add_row(Text(f"… {len(order) - rows + 1} richer families", "dim"))
    return table


def _figures(bias: BiasPoint, before: BiasPoint | None) -> Text:
    """A line for each unit, pure numbers last; the first figure of each with what it was."""
    units = sorted(dict.fromkeys(metric.unit for metric, _ in bias.figures), key=lambda unit: unit == "")
    lines = [_line_of([each for each in bias.figures if each[0].unit == unit], before) for unit in units]
    return Text("\n").join(lines)


def _line_of(figures: Sequence[tuple[Metric, float | None]], before: BiasPoint | None) -> Text:
    line = Text()
    for index, (metric, value) in enumerate(figures):
        line.append(f"{'  ' if index else ''}{metric.short} ", "dim")
        line.append(figure_text(value, metric.unit), "" if index else "bold")
        if before is not None and not index:
            line.append(f" (was {figure_text(before.value(metric.name), metric.unit)})")
    return line.append(f" {figures[0][0].unit}".rstrip())


def _best(state: LiveState) -> list[Text]:
    """One line: the mean gap at its best, and now."""
    best = best_in_words(state.best, BEST_SHOWN)
    if not best:
        return []
    line = Text(f"best {best}", no_wrap=True, overflow="ellipsis")
    return [line.append(*found_in_words(state.found))]


def _decision(state: LiveState) -> Text:
    why = clean(state.last_decision) or "nothing yet"
    if len(why) > MAX_DECISION_LENGTH:
        why = why[: MAX_DECISION_LENGTH - 1] + "…"
    return Text.assemble(("decided ", "dim"), why)


def _in_flight(state: LiveState) -> list[Text]:
    longest = sorted(state.in_flight, key=lambda request: -request[3] if is_number(request[3]) else 0.0)
    more = len(longest) - MAX_IN_FLIGHT_SHOWN
    lines = [
        Text.assemble(
            ("in flight ", "dim"),
            f"{clean(candidate)}  {clean(family)}  {duration(seconds)}",
            (f"  attempt {attempt}" if attempt > 1 else "", "yellow"),
            (f"  and {more} more" if more > 0 and index == MAX_IN_FLIGHT_SHOWN - 1 else "", "dim"),
        )
        for index, (candidate, family, attempt, seconds) in enumerate(longest[:MAX_IN_FLIGHT_SHOWN])
    ]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return lines


def _waiting(state: LiveState) -> list[Text]:
    if not state.waiting_for:
        return []
    line = Text.assemble(("waiting for ", "bold yellow"), clean(named(state.waiting_for)))
    line.no_wrap, line.overflow = True, "ellipsis"
    return [line]


def _counters(state: LiveState) -> Text:
    text = Text(f"{state.observation} accepted  {len(state.in_flight)} in flight", no_wrap=True, overflow="ellipsis")
    counts = {"retries": state.retries, "duplicates": state.duplicates, "quarantined": state.quarantined}
    counts |= {"contradicted": state.contradictions} if state.contradictions else {}
    for name, count in counts.items():
        text.append(f"  {count} {name}", "yellow" if count else "dim")
    if state.unproven:
        text.append(f"  {state.unproven} not rightly signed", "bold red")
    return text


def _bar(h: float | None, richest: float | None) -> str:
    """A bar of length exp(h − h_max): e^h is the width of the uniform distribution that has entropy h."""
    if h is None or richest is None or not is_number(h):
        return ""
    eighths = round(math.exp(min(h - richest, 0.0)) * BAR_CELLS * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _change(start: float | None, h: float | None) -> Text:
    if h is None or not is_number(h):
        return Text("")
    if start is None or not is_number(start):
        return Text("new", "green")
    change = h - start
    return Text(f"{change:+.3f}".replace("-", "−"), "green" if change > 0 else "red" if change < 0 else "dim")
