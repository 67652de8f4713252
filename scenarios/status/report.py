"""What `entropilot status` shows: a line for each campaign, and who of its agent and instruments is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group, RenderableType
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
    table = Table(box=None, padding=(0, 2, 0, 0))
    rows = [[Text(each.campaign, style="bold"), *_cells(each, at)] for each in found.campaigns]
    told = [place for place in range(len(HEADINGS)) if any(row[place].plain for row in rows)]
    for place in told:
        table.add_column(HEADINGS[place], overflow="fold")
    for row in rows:
        table.add_row(*(row[place] for place in told))
    parts: list[RenderableType] = [table] if found.campaigns else []
    if found.for_every_campaign:
        parts.append(Text(f"for every campaign: {_in_words(found.for_every_campaign)}"))
    return Group(*parts)


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
