"""A run as a person watches it: progress, the families and their entropy, the last decision, what is in flight.

On a terminal the view stays in place; in a log it is a line now and then. It only shows: it reads no clock, decides
nothing, and must never stop a run, so it takes any numbers, and any text (control characters are taken out).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Literal, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agent.campaign.events import BecameEven, GapStalled
from agent.campaign.gap_progress import Finding
from agent.entropy.best import Best, best_in_words
from agent.entropy.bias import BiasPoint
from agent.metrics import Metric
from agent.runtime.presence import named
from scenarios.display.console import PlainConsole
from scenarios.display.labels import figure_text
from scenarios.run.summary import starved_first

REFRESHES_PER_S: Final = 8
"""How often the terminal is redrawn [1/s]: looks steady, costs little."""

LOG_INTERVAL_S: Final = 5.0
"""Least time between two lines in a log [s]..."""

LOG_SHARE: Final = 0.1
"""...unless so much more of the budget [1] is spent."""

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

BEST_SHOWN: Final = ("mean_gap",)
"""Figures shown with their best: one line is what there is room for."""

EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
"""A cell filled by eighths."""

Phase = Literal["preparing", "running", "paused", "finishing"]

_PHASE_STYLE: Final = {"preparing": "cyan", "running": "green", "paused": "yellow", "finishing": "cyan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """A moment of a run.

    Attributes:
        campaign: Its name.
        policy: The policy.
        phase: What it is at.
        observation: Results accepted.
        budget: Requests allowed.
        spent: Requests that counted.
        elapsed_s: Since the first decision [s].
        per_second: Results accepted per second; None when not known yet.
        bias: The bias now.
        before: The bias of the start set.
        best: The best that each figure was.
        found: What holds of the mean gap now: that it is even, or that it has stalled.
        last_decision: The candidate chosen last, and why.
        in_flight: Candidate, family, attempt and seconds since it was sent.
        retries: Second and further attempts.
        quarantined: Messages that were not ours.
        unproven: Of these, messages that were not signed, or not rightly, and should have been.
        duplicates: Results that had come before.
        contradictions: Results that say something else than the first one of their attempt.
        broker: The broker's address, without a password.
        connected: Whether it can be reached now.
        link_trouble: Why not, as far as it is known.
        waiting_for: Instruments that hold requests and are not there, and approvals that decisions wait for.
        held: Why nothing is taken and nothing asked now, though nobody paused it.
    """

    campaign: str
    policy: str
    phase: Phase
    observation: int
    budget: int
    spent: int
    elapsed_s: float
    per_second: float | None = None
    bias: BiasPoint | None = None
    before: BiasPoint | None = None
    best: tuple[Best, ...] = ()
    found: Finding | None = None
    last_decision: str = ""
    in_flight: tuple[tuple[str, str, int, float], ...] = ()
    retries: int = 0
    quarantined: int = 0
    unproven: int = 0
    duplicates: int = 0
    contradictions: int = 0
    broker: str = ""
    connected: bool = True
    link_trouble: str = ""
    waiting_for: tuple[str, ...] = ()
    held: str = ""


@dataclass(slots=True)
class LiveView:
    """Shows states while it is entered: in place on a terminal, as lines elsewhere.

    Args:
        console: Where to; the terminal's error output by default, so that results can be piped.
    """

    console: Console = field(default_factory=lambda: PlainConsole(stderr=True))
    _live: Live | None = field(default=None, init=False)
    _logged: LiveState | None = field(default=None, init=False)
    _last: LiveState | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self._live = Live(console=self.console, refresh_per_second=REFRESHES_PER_S, vertical_overflow="crop")
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()
        elif self._last is not None and self._last is not self._logged:
            self._log(self._last)

    def show(self, state: LiveState) -> None:
        """Show a state: now on a terminal, when it is worth a line in a log."""
        self._last = state
        if self._live is not None:
            self._live.update(render(state, self.console.height))
        elif self._logged is None or _worth_a_line(self._logged, state):
            self._log(state)

    def _log(self, state: LiveState) -> None:
        self._logged = state
        self.console.print(progress_line(state), soft_wrap=True, highlight=False, markup=False)


def render(state: LiveState, height: int = USUAL_HEIGHT) -> RenderableType:
    """Lay a state out for a terminal of 80 columns or more.

    Args:
        state: What to show.
        height: Lines of the terminal; families are folded to fit.
    """
    rows = max(MIN_FAMILIES_SHOWN, height - LINES_BESIDE_FAMILIES - bool(state.waiting_for))
    parts: list[RenderableType] = [_title(state), _progress(state), Text(_clean(state.held), "bold yellow")]
    if state.bias is None or not state.bias.families:
        parts.append(Text("no observations yet", "dim"))
    else:
        families = [_families(state.bias, state.before, rows)] if state.bias.compares_families else []
        parts += [*families, _figures(state.bias, state.before), *_best(state)]
    parts += [Text(), _decision(state), *_in_flight(state), *_waiting(state), _counters(state)]
    return Group(*parts)


def progress_line(state: LiveState) -> str:
    """The state as one line for a log."""
    parts = [f"{_clean(state.campaign)} {state.phase}: {state.spent}/{state.budget} ({_share(state):.0%})"]
    if state.bias is not None:
        parts.extend(_declared(state.bias))
    if state.bias is not None and state.bias.compares_families:
        starved = f", starved {_clean(state.bias.starved_family)}" if state.bias.starved_family else ""
        range_, even, joint = (
            _nat(each) for each in (state.bias.entropy_range, state.bias.evenness, state.bias.joint_entropy)
        )
        parts.append(f"entropy range {range_} nat, evenness {even}, joint entropy {joint} nat{starved}")
    if best := best_in_words(state.best, BEST_SHOWN):
        parts.append(f"best {best}{_found(state.found)[0]}")
    parts.append(f"{_rate(state)}, {_duration(state.elapsed_s)} elapsed{_eta(state)}")
    parts.append(f"{len(state.in_flight)} in flight, {state.retries} retries, {state.quarantined} quarantined")
    if state.unproven:
        parts.append(f"{state.unproven} of them not rightly signed")
    if not state.connected:
        parts.append("broker not reached" + (f": {_clean(state.link_trouble)}" if state.link_trouble else ""))
    if state.waiting_for:
        parts.append(f"waiting for {_clean(named(state.waiting_for))}")
    if state.held:
        parts.append(_clean(state.held))
    return "; ".join(parts)


def _declared(point: BiasPoint) -> Iterator[str]:
    for metric, value in point.declared:
        yield f"{metric.short} {figure_text(value, metric.unit)} {metric.unit}".rstrip()


def _worth_a_line(before: LiveState, now: LiveState) -> bool:
    return (
        now.elapsed_s - before.elapsed_s >= LOG_INTERVAL_S
        or _share(now) - _share(before) >= LOG_SHARE
        or now.phase != before.phase
        or now.connected != before.connected
        or now.waiting_for != before.waiting_for
    )


def _title(state: LiveState) -> RenderableType:
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    line.add_column(justify="right", no_wrap=True, overflow="ellipsis")
    left = Text.assemble(
        (_clean(state.campaign), "bold"),
        f"  {_clean(state.policy)}  ",
        (state.phase, _PHASE_STYLE.get(state.phase, "")),
    )
    link = ("● connected", "green") if state.connected else ("○ not connected", "bold red")
    line.add_row(left, Text.assemble(f"{_clean(state.broker)} ", link))
    if not state.connected and state.link_trouble:
        line.add_row(Text(_clean(state.link_trouble), "red"), Text())
    return line


def _progress(state: LiveState) -> RenderableType:
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(ratio=1)
    line.add_column(no_wrap=True)
    figures = f"{state.spent}/{state.budget}  {_share(state):.0%}  {_duration(state.elapsed_s)}{_eta(state)}"
    bar = ProgressBar(total=1.0, completed=_share(state), pulse=False)
    line.add_row(bar, Text(f"{figures}  {_rate(state)}"))
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
    richest = max((h for h in bias.entropies if _is_number(h)), default=None, key=float)  # type: ignore[arg-type]
    start = {} if before is None else dict(zip(before.families, before.entropies, strict=False))
    for position in shown:
        name, h = bias.families[position], bias.entropies[position]
        starved = name == bias.starved_family
        table.add_row(
            Text(_clean(name) + (" ◂ starved" if starved else ""), "bold yellow" if starved else ""),
            str(bias.sizes[position]),
            _nat(h),
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
    return [line.append(*_found(state.found))]


def _found(found: Finding | None) -> tuple[str, str]:
    """Say what holds of the mean gap, and in which style."""
    match found:
        case BecameEven():
            return f"; even since {found.observation}", "green"
        case GapStalled():
            return f"; no gain since {found.since}", "bold yellow"
        case _:
            return "", ""


def _decision(state: LiveState) -> Text:
    why = _clean(state.last_decision) or "nothing yet"
    if len(why) > MAX_DECISION_LENGTH:
        why = why[: MAX_DECISION_LENGTH - 1] + "…"
    return Text.assemble(("decided ", "dim"), why)


def _in_flight(state: LiveState) -> list[Text]:
    longest = sorted(state.in_flight, key=lambda request: -request[3] if _is_number(request[3]) else 0.0)
    more = len(longest) - MAX_IN_FLIGHT_SHOWN
    lines = [
        Text.assemble(
            ("in flight ", "dim"),
            f"{_clean(candidate)}  {_clean(family)}  {_duration(seconds)}",
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
    line = Text.assemble(("waiting for ", "bold yellow"), _clean(named(state.waiting_for)))
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
    if h is None or richest is None or not _is_number(h):
        return ""
    eighths = round(math.exp(min(h - richest, 0.0)) * BAR_CELLS * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _change(start: float | None, h: float | None) -> Text:
    if h is None or not _is_number(h):
        return Text("")
    if start is None or not _is_number(start):
        return Text("new", "green")
    change = h - start
    return Text(f"{change:+.3f}".replace("-", "−"), "green" if change > 0 else "red" if change < 0 else "dim")


def _share(state: LiveState) -> float:
    return min(max(state.spent / state.budget, 0.0), 1.0) if state.budget > 0 else 0.0


def _rate(state: LiveState) -> str:
    if state.per_second is None or not _is_number(state.per_second):
        return "–/s"
    return f"{state.per_second:.3g}/s"


def _eta(state: LiveState) -> str:
    rate = state.per_second
    if rate is None or not _is_number(rate) or rate <= 0 or state.phase != "running" or state.spent >= state.budget:
        return ""
    return f", {_duration((state.budget - state.spent) / rate)} left"


def _duration(seconds: float) -> str:
    if not _is_number(seconds):
        return "–"
    whole = max(int(seconds), 0)
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{max(seconds, 0.0):.1f} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def _nat(value: float | None) -> str:
    return "–" if value is None or not _is_number(value) else f"{value:.3f}".replace("-", "−")


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _clean(text: str) -> str:
    """One line without control characters: names come from tables, and could move the cursor."""
    return "".join(ch if ch.isprintable() else " " for ch in text)
