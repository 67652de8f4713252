"""A state in words: the line for a log, and the figures that it and the terminal say alike.

It must never stop a run, so it takes any numbers, and any text (control characters are taken out).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from agent.campaign.events import BecameEven, GapStalled
from agent.campaign.gap_progress import Finding
from agent.entropy.best import best_in_words
from agent.entropy.bias import BiasPoint
from agent.runtime.presence import named
from scenarios.display.labels import figure_text
from scenarios.run.live.state import LiveState

BEST_SHOWN: Final = ("mean_gap",)
"""Figures shown with their best: one line is what there is room for."""


def progress_line(state: LiveState) -> str:
    """The state as one line for a log."""
    parts = [f"{clean(state.campaign)} {state.phase}: {state.spent}/{state.budget} ({share(state):.0%})"]
    if state.bias is not None:
        parts.extend(_declared(state.bias))
    if state.bias is not None and state.bias.compares_families:
        starved = f", starved {clean(state.bias.starved_family)}" if state.bias.starved_family else ""
        range_, even, joint = (
            nat(each) for each in (state.bias.entropy_range, state.bias.evenness, state.bias.joint_entropy)
        )
        parts.append(f"entropy range {range_} nat, evenness {even}, joint entropy {joint} nat{starved}")
    if best := best_in_words(state.best, BEST_SHOWN):
        parts.append(f"best {best}{found_in_words(state.found)[0]}")
    parts.append(f"{rate(state)}, {duration(state.elapsed_s)} elapsed{time_left(state)}")
    parts.append(f"{len(state.in_flight)} in flight, {state.retries} retries, {state.quarantined} quarantined")
    if state.unproven:
        parts.append(f"{state.unproven} of them not rightly signed")
    if not state.connected:
        parts.append("broker not reached" + (f": {clean(state.link_trouble)}" if state.link_trouble else ""))
    if state.waiting_for:
        parts.append(f"waiting for {clean(named(state.waiting_for))}")
    if state.held:
        parts.append(clean(state.held))
    return "; ".join(parts)


def _declared(point: BiasPoint) -> Iterator[str]:
    for metric, value in point.declared:
        yield f"{metric.short} {figure_text(value, metric.unit)} {metric.unit}".rstrip()


def found_in_words(found: Finding | None) -> tuple[str, str]:
    """Say what holds of the mean gap, and in which style."""
    match found:
        case BecameEven():
            return f"; even since {found.observation}", "green"
        case GapStalled():
            return f"; no gain since {found.since}", "bold yellow"
        case _:
            return "", ""


def share(state: LiveState) -> float:
    """Return how much of the budget is spent [1]."""
    return min(max(state.spent / state.budget, 0.0), 1.0) if state.budget > 0 else 0.0


def rate(state: LiveState) -> str:
    """Return how many results a second were accepted."""
    if state.per_second is None or not is_number(state.per_second):
        return "–/s"
    return f"{state.per_second:.3g}/s"


def time_left(state: LiveState) -> str:
    """Return a guess of how long the rest of the budget will take, after a comma; or why nobody can tell."""
    per_second, rest = state.per_second, state.budget - state.spent
    if state.phase != "running" or rest <= 0:
        return ""
    why = "no link" if not state.connected else "waiting" if state.waiting_for else "held" if state.held else ""
    if why:
        return f", time left unknown ({why})"
    if per_second is None or not is_number(per_second) or per_second <= 0 or not is_number(rest / per_second):
        return ", time left not known yet"
    return f", about {_about(rest / per_second)} left"


def _about(seconds: float) -> str:
    """Return a guessed time [s]: without tenths."""
    return f"{seconds:.0f} s" if seconds < 60 else duration(seconds)  # noqa: PLR2004 - seconds in a minute


def duration(seconds: float) -> str:
    """Return a time [s] with tenths of a second, or as on a clock from a minute on."""
    if not is_number(seconds):
        return "–"
    whole = max(int(seconds), 0)
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{max(seconds, 0.0):.1f} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def nat(value: float | None) -> str:
    """Return an entropy [nat] without its unit."""
    return "–" if value is None or not is_number(value) else f"{value:.3f}".replace("-", "−")


def is_number(value: float | None) -> bool:
    """Whether a figure is there, and finite."""
    return value is not None and math.isfinite(value)


def clean(text: str) -> str:
    """One line without control characters: names come from tables, and could move the cursor."""
    return "".join(ch if ch.isprintable() else " " for ch in text)
