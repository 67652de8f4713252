"""Names of the files in a run folder that the agent writes; light to import, for whoever only looks for runs."""

from __future__ import annotations

from typing import Final

DATABASE: Final = "campaign.db"
DATABASE_PLACE: Final = "database.json"
"""Says where the database is, when it is not the folder's own file."""

RECORDING: Final = "recording.jsonl"
LOG: Final = "agent.jsonl"
POISON_GUARD: Final = "agent.in_process"
SENT: Final = "agent.sent"
"""Which requests may be with a lab of its own messages."""

LOCK: Final = "campaign.lock"
"""Held by the agent for as long as it has the folder open."""
PACE: Final = "pace.json"
"""When requests were sent, where limits.requests_per_hour says how many may be."""
