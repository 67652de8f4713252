"""A state as it stays in place on a terminal: laid out again for every redraw, within its height.

Where there is room, how the leading figure went stands below the families.
"""

from __future__ import annotations

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
from scenarios.display.text_chart import text_chart
from scenarios.run.live.families import families_table
from scenarios.run.live.state import LiveState
from scenarios.run.live.words import (
    BEST_SHOWN,
    clean,
    duration,
    found_in_words,
    is_number,
    rate,
    share,
    time_left,
)

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

CHART_LINES: Final = (7, 14)
"""Least and most lines of the course of the leading figure, its heading included."""

USUAL_WIDTH: Final = 80
"""Width of a terminal that does not say [cell]."""

GUESSED: Final = "an expected h counts what is in flight as predicted; the families above count values alone"
"""Why an entropy in a decision's reason is another than that of its family."""

IN_FLIGHT: Final = " in flight)"

AS_EXPECTED: Final = ("(h = ", "(expected h = ")
"""What a decision says of an entropy that requests in flight are part of, and how it is shown."""

_PHASE_STYLE: Final = {"preparing": "cyan", "running": "green", "paused": "yellow", "finishing": "cyan"}


def render(state: LiveState, height: int = USUAL_HEIGHT, width: int = USUAL_WIDTH) -> RenderableType:
    """Lay a state out for a terminal of 80 columns or more.

    Args:
        state: What to show.
        height: Lines of the terminal; families are folded to fit.
        width: Its columns.
    """
    room = height - LINES_BESIDE_FAMILIES - bool(state.waiting_for) - 2 * bool(state.in_flight)
    wanted = len(state.bias.families) + 1 if state.bias is not None and state.bias.compares_families else 0
    has_room = room - min(wanted, room // 2) >= CHART_LINES[0] and height > USUAL_HEIGHT
    lines = min(max(room - wanted, CHART_LINES[0]), CHART_LINES[1]) if has_room else 0
    rows = max(MIN_FAMILIES_SHOWN, room + 2 * bool(state.in_flight) - lines)
    parts: list[RenderableType] = [_title(state, width), _progress(state)]
    parts += [Text(clean(state.held), "bold yellow")] if state.held else [Text()]
    if state.bias is None or not state.bias.families:
        parts.append(Text("no observations yet", "dim"))
    else:
        families = [families_table(state.bias, state.before, rows)] if state.bias.compares_families else []
        parts += [*families, _figures(state.bias, state.before), *_best(state), *_course(state, width, lines)]
    parts += [Text(), _decision(state), *_guessed(state, has_room=has_room)]
    parts += [*_in_flight(state), *_waiting(state), _counters(state)]
    return Group(*parts)


def _title(state: LiveState, width: int) -> RenderableType:
    """Campaign, policy and phase, and the link behind them, or below where a line cannot hold both."""
    left = Text.assemble(
        (clean(state.campaign), "bold"),
        f"  {clean(state.policy)}  ",
        (state.phase, _PHASE_STYLE.get(state.phase, "")),
    )
    dot = ("● connected", "green") if state.connected else ("○ not connected", "bold red")
    link = Text.assemble(f"{clean(state.broker)} ", dot)
    gap = width - left.cell_len - link.cell_len
    line = Text.assemble(left, " " * gap, link) if gap > 0 else Text.assemble(left, "\n", link)
    if not state.connected and state.link_trouble:
        line.append("\n").append(clean(state.link_trouble), "red")
    return line


def _progress(state: LiveState) -> RenderableType:
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(ratio=1)
    line.add_column(no_wrap=True)
    figures = f"{state.spent}/{state.budget}  {share(state):.0%}  {duration(state.elapsed_s)}{time_left(state)}"
    bar = ProgressBar(total=1.0, completed=share(state), pulse=False)
    line.add_row(bar, Text(f"{figures}  {rate(state)}"))
    return line


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
    line = Text(f"best {best}")
    return [line.append(*found_in_words(state.found))]


def _course(state: LiveState, width: int, lines: int) -> list[Text]:
    """How the leading figure went, where there is room for it."""
    points = [(at, value) for at, value in state.course if value is not None]
    if lines < CHART_LINES[0] or len(points) < 2:  # noqa: PLR2004 - a course needs two points
        return []
    drawn = text_chart([float(at) for at, _ in points], [value for _, value in points], width - 1, lines - 2)
    return [
        Text(),
        Text(f"{clean(state.course_of)} by observation", "dim"),
        *(Text(each, no_wrap=True) for each in drawn),
    ]


def _guessed(state: LiveState, *, has_room: bool) -> list[Text]:
    """Say that a decision speaks of guesses, where it stands beside families that do not."""
    return [Text(GUESSED, "dim")] if has_room and IN_FLIGHT in state.last_decision else []


def _decision(state: LiveState) -> Text:
    why = clean(state.last_decision) or "nothing yet"
    if IN_FLIGHT in why:
        why = why.replace(*AS_EXPECTED)
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
    text = Text(f"{state.observation} accepted  {len(state.in_flight)} in flight")
    counts = {"retries": state.retries, "duplicates": state.duplicates, "quarantined": state.quarantined}
    counts |= {"contradicted": state.contradictions} if state.contradictions else {}
    for name, count in counts.items():
        text.append(f"  {count} {name}", "yellow" if count else "dim")
    if state.unproven:
        text.append(f"  {state.unproven} not rightly signed", "bold red")
    return text
