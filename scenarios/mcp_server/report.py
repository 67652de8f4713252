"""What `entropilot proposals` shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.mcp_server.proposal import Proposal, one_line


def proposals_table(proposals: Sequence[Proposal]) -> RenderableType:
    """Return the proposals, those that wait last, and how they are decided."""
    if not proposals:
        return Text("No proposals.")
    now = datetime.now(UTC)
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("proposal", style="bold", no_wrap=True)
    for column in ("run", "made", "order", "why", "by", "state"):
        table.add_column(column, overflow="fold")
    for each in sorted(proposals, key=lambda one: (one.state == "waiting", one.made_at)):
        table.add_row(
            *(
                Text(one_line(cell))
                for cell in (each.id[:8], each.run, f"{each.made_at:%m-%d %H:%M}", each.in_words, each.reason)
            ),
            Text(one_line(each.proposer)),
            Text(one_line(state_in_words(each, now))),
        )
    first = next((each.id[:8] for each in proposals if each.state == "waiting" and not each.is_over(now)), "")
    how = [Text(f"  entropilot proposals approve {first}    (or reject)", style="dim")] if first else []
    return Group(table, *how)


def proposals_json(proposals: Sequence[Proposal]) -> str:
    """Return the same as JSON."""
    return json.dumps([each.model_dump(mode="json") for each in proposals], indent=2, ensure_ascii=False)


def state_in_words(proposal: Proposal, now: datetime) -> str:
    """Return what became of a proposal."""
    if proposal.state == "waiting":
        return (
            "too old" if proposal.is_over(now) else f"waiting{'; last: ' if proposal.outcome else ''}{proposal.outcome}"
        )
    row = "" if proposal.row is None else f", row {proposal.row}"
    return f"{proposal.state} by {proposal.operator}: {proposal.outcome}{row}"
