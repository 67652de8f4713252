"""What `entropilot replay` shows."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.replay.decisions import Decision
from scenarios.replay.findings import Difference
from scenarios.replay.replay import Replay

WHOLE_TIMES = 10
"""From here on, how many times as fast needs no decimal."""

MAX_CANDIDATES_SHOWN = 8
"""Candidates of one decision that are shown; a batch may have hundreds."""


def replay_table(replay: Replay) -> RenderableType:
    """Return the verdict, the figures, and the first difference side by side if there is one."""
    parts: list[RenderableType] = [verdict(replay)]
    parts.append(_figures(replay))
    difference = replay.outcome.first_difference
    if difference is not None and difference.recorded is not None:
        parts.append(_side_by_side(difference))
    elif difference is not None:
        parts.append(Text(f"  row {difference.at.row}, at {difference.at.time_s:,.1f} s: {difference.what}"))
    return Group(*parts)


def verdict(replay: Replay) -> Text:
    """Return the one line that matters."""
    outcome = replay.outcome
    made = f"{outcome.identical:,} of {outcome.decisions:,} decisions identical"
    if outcome.is_identical:
        return Text(made, style="bold green")
    return Text(f"{made}; {_first(outcome.first_difference)}", style="bold red")


def replay_json(replay: Replay) -> str:
    """Return the same as JSON."""
    outcome = dataclasses.asdict(replay.outcome)
    content = {
        "recording": str(replay.path),
        "campaign": replay.campaign,
        "policy": replay.policy,
        "all_identical": replay.outcome.is_identical,
        **outcome,
        "replay_s": round(replay.replay_s, 4),
        "times_faster": round(replay.speed, 1),
        "other_versions": {name: {"then": then, "now": now} for name, (then, now) in replay.other_versions.items()},
        "note": replay.note,
    }
    return json.dumps(content, indent=2)


def _figures(replay: Replay) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, told in _rows_of(replay):
        table.add_row(Text(f"  {name}", style="dim"), Text(told))
    return table


def _rows_of(replay: Replay) -> Iterator[tuple[str, str]]:
    outcome = replay.outcome
    yield "recording", f"{replay.path}: {outcome.messages:,} messages in {outcome.recorded_s:,.1f} s"
    yield "campaign", f"{replay.campaign}, policy {replay.policy}, {outcome.phase or 'not begun'} at the end"
    speed = f"{replay.speed:,.0f}" if replay.speed >= WHOLE_TIMES else f"{replay.speed:.1f}"
    yield "replayed in", f"{replay.replay_s:,.2f} s, {speed} times as fast as the campaign"
    if outcome.starts > 1:
        yield "processes", f"{outcome.starts} (it was interrupted {outcome.starts - 1} times)"
    if outcome.not_asked:
        yield "not asked", f"{outcome.not_asked} decisions: what they looked at is not in the recording"
    if outcome.other_figures:
        yield (
            "other figures",
            f"{outcome.other_figures} identical ones differ in a figure; {outcome.first_other_figure}",
        )
    if replay.other_versions:
        each = (f"{name} {then} then, {now} now" for name, (then, now) in replay.other_versions.items())
        yield "versions", "; ".join(each)
    if outcome.lost:
        yield "lost at", outcome.lost
    if replay.note:
        yield "note", replay.note


def _side_by_side(difference: Difference) -> Table:
    then, now = difference.recorded, difference.today
    table = Table(box=None, padding=(0, 2, 0, 2))
    table.add_column(f"row {difference.at.row}, at {difference.at.time_s:,.1f} s", style="dim")
    table.add_column("recorded", overflow="fold")
    table.add_column("today", overflow="fold")
    rows = zip(_of(then), _of(now), strict=True)
    for (name, one), (_, other) in rows:
        table.add_row(name, Text(one), Text(other, style="" if one == other else "bold red"))
    for name, told in difference.state.items():
        table.add_row(*map(Text, (name, told, told)))
    return table


def _of(decision: Decision | None) -> Iterator[tuple[str, str]]:
    ids = () if decision is None else decision.candidate_ids
    shown = ", ".join(ids[:MAX_CANDIDATES_SHOWN]) + (", …" if len(ids) > MAX_CANDIDATES_SHOWN else "")
    yield "decision", "" if decision is None else str(decision.decision)
    yield "chosen", shown or "nothing more to ask for"
    yield "scores", "" if decision is None else ", ".join(map(_number, decision.scores[:MAX_CANDIDATES_SHOWN]))
    yield "runner-up", "" if decision is None else f"{decision.runner_up or ''} {_number(decision.runner_up_score)}"
    yield "family aimed at", "" if decision is None else str(decision.target_family or "")
    yield "reason", "" if decision is None else decision.reason


def _number(score: float | None) -> str:
    return "" if score is None else f"{score:.6g}"


def _first(difference: Difference | None) -> Any:
    return "" if difference is None else f"the first difference is {difference.what}, row {difference.at.row}"
