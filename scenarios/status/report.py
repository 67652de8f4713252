"""What `entropilot status` shows: a line for each campaign, and who of its agent and instruments is there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from protocols.wire.messages import CampaignPhase, CampaignState, Health, Status
from scenarios.status.standing import BrokerStanding, CampaignStanding

STYLES: Final = {
    CampaignPhase.RUNNING: "green",
    CampaignPhase.PAUSED: "yellow",
    CampaignPhase.STOPPING: "yellow",
    CampaignPhase.FINISHED: "dim",
}

HEADINGS: Final = (
    *("campaign", "phase", "since", "spent", "in flight", "abandoned", "decisions", "observations"),
    *("waiting for approval", "agent", "instruments", "why"),
)

MAX_NAMED: Final = 8
"""Most decisions or instruments in a line; the JSON has all."""

GAP: Final = 2
"""Between two columns [character]."""

WIDEST: Final = 10_000
"""Lines are measured as if there were this much room [character]."""

UNKNOWN: Final = "?"

MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86_400


def standing_table(found: BrokerStanding, now: datetime | None = None) -> RenderableType:
    """Return where each campaign stands.

    Args:
        found: What is known.
        now: The time; the system's own by default.
    """
    if not found.campaigns and not found.for_every_campaign:
        return Text(f"No campaign is known at {found.broker}.")
    at = datetime.now(UTC) if now is None else now
    rows = [[Text(each.campaign, style="bold"), *_cells(each, at)] for each in found.campaigns]
    parts: list[RenderableType] = [_Campaigns(rows)] if found.campaigns else []
    if found.for_every_campaign:
        parts.append(Text(f"for every campaign: {_in_words(found.for_every_campaign)}"))
    return Group(*parts)


class _Campaigns:
    """A line for each campaign where the lines fit, else a few lines for each: no word is broken for want of room.

    Args:
        rows: A row each, with a cell for each of `HEADINGS`.
    """

    def __init__(self, rows: Sequence[Sequence[Text]]) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        told = [place for place in range(len(HEADINGS)) if any(row[place].plain for row in self._rows)]
        lines = Table(box=None, padding=(0, GAP, 0, 0))
        for place in told:
            lines.add_column(HEADINGS[place], no_wrap=True)
        for row in self._rows:
            lines.add_row(*(row[place] for place in told))
        if console.measure(lines, options=options.update(width=WIDEST)).maximum <= options.max_width:
            yield lines
            return
        for row in self._rows:
            yield Text.assemble(row[0], "  ", row[1])
            block = Table(box=None, padding=(0, GAP, 0, 0), show_header=False)
            block.add_column(style="dim", no_wrap=True)
            block.add_column(overflow="fold")
            for place in told[2:]:
                if row[place].plain:
                    block.add_row(f"  {HEADINGS[place]}", row[place])
            yield block


def standing_json(found: BrokerStanding) -> str:
    """Return the same as JSON."""
    content = {
        "broker": found.broker,
        "gives_wildcards": found.gives_wildcards,
        "campaigns": [_as_tree(each) for each in found.campaigns],
        "for_every_campaign": _statuses(found.for_every_campaign),
        "unreadable": found.unreadable,
        "notes": list(found.notes),
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def elapsed(since: datetime, now: datetime) -> str:
    """Return how long something has lasted, for people; two clocks may differ, so that it begins in the future."""
    seconds = max((now - since).total_seconds(), 0.0)
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    return f"{seconds / HOUR_S:.1f} h" if seconds < DAY_S else f"{seconds / DAY_S:.1f} d"


def _cells(each: CampaignStanding, now: datetime) -> list[Text]:
    agent = UNKNOWN if each.agent is None else _health(each.agent)
    state = each.state
    if state is None:
        return [*(Text(UNKNOWN) for _ in range(8)), Text(agent), Text(_in_words(each.instruments)), Text("")]
    waiting = ", ".join(map(str, state.awaiting_approval[:MAX_NAMED]))
    more = ", …" if len(state.awaiting_approval) > MAX_NAMED else ""
    return [
        Text(state.phase.value, style=STYLES[state.phase]),
        Text(_since(state, now)),
        Text(f"{state.spent} of {state.budget}{'' if state.budget_unit == 'candidates' else ' (cost)'}"),
        *(Text(str(count)) for count in (state.in_flight, state.abandoned, state.decision, state.observation)),
        Text(waiting + more),
        Text(agent),
        Text(_in_words(each.instruments)),
        Text(state.reason),
    ]


def _since(state: CampaignState, now: datetime) -> str:
    if state.since is None:
        return ""
    return f"{state.since.astimezone().strftime('%Y-%m-%d %H:%M:%S')} ({elapsed(state.since, now)})"


def _in_words(statuses: Mapping[str, Status]) -> str:
    named = [f"{name} {_health(each)}" for name, each in list(statuses.items())[:MAX_NAMED]]
    return ", ".join(named) + (", …" if len(statuses) > MAX_NAMED else "")


def _health(status: Status) -> str:
    detail = f" ({status.detail})" if status.detail and status.health is Health.ONLINE else ""
    return f"{status.health.value}{detail}"


def _as_tree(each: CampaignStanding) -> dict[str, Any]:
    state = None if each.state is None else each.state.model_dump(mode="json", exclude={"protocol", "type", "campaign"})
    return {
        "campaign": each.campaign,
        "state": state,
        "agent": None if each.agent is None else _status(each.agent),
        "instruments": _statuses(each.instruments),
    }


def _statuses(statuses: Mapping[str, Status]) -> dict[str, Any]:
    return {name: _status(each) for name, each in statuses.items()}


def _status(status: Status) -> dict[str, Any]:
    return {"health": status.health.value, "said_at": status.sent_at.isoformat(), "detail": status.detail}
