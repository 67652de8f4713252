"""What the API takes and tells beside the models of the state. Pure."""

from __future__ import annotations

from typing import Literal

from scenarios.watch.state.model import Shown, Time
from scenarios.watch.state.runs import Phase, RunCard

Agent = Literal["there", "gone", "unknown"]
"""Whether the campaign's agent is there."""


class RunListing(Shown):
    """The runs that the server shows."""

    runs: tuple[RunCard, ...]
    """By name."""
    as_of: Time
    """When they were read."""
    notes: tuple[str, ...] = ()
    """What a person should know besides, in sentences."""


class PolicyListing(Shown):
    """The policies that can be asked what they would have done."""

    policies: tuple[str, ...]
    """By name: the built-in ones, then those of packages."""


class CampaignNews(Shown):
    """How a campaign is, told when that changes and every second."""

    key: str
    """Of the run."""
    phase: Phase | None
    """Where it is in its life; null where it cannot be read."""
    reason: str = ""
    """Why."""
    agent: Agent
    """Whether its agent is there."""
    as_of: Time
    """When the run was read last."""
    sequence: int
    """Number of the journal's last row."""
    problem: str = ""
    """Why it cannot be read now, in a sentence; empty where it can."""
    can_control: bool = False
    """Whether orders can be sent from here."""
    why_not: str = ""
    """Why not, in a sentence."""


class Health(Shown):
    """That the server is there."""

    status: Literal["ok"] = "ok"
    """It answers."""


class StreamEnd(Shown):
    """Why a stream of events ends."""

    why: str
    """In a sentence."""
