"""Proposals of a language model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from scenarios.mcp_server.proposal import Proposal

NOW: Final = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def proposal(number: int = 1, **change: Any) -> Proposal:
    """Return a proposal to pause a campaign, with some of it changed."""
    told: dict[str, Any] = {
        "id": f"{number:032x}",
        "made_at": NOW,
        "proposer": "model 1",
        "run": "lab",
        "folder": "/runs/lab",
        "campaign": "lab",
        "uid": "abc",
        "sequence": 5,
        "verb": "pause",
        "reason": "the furnace smokes",
    }
    return Proposal.model_validate(told | change)
