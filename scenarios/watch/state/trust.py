"""What is told of how far a run can be trusted."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from scenarios.watch.state.model import Shown, Time


class Quarantined(Shown):
    """A message that was none of ours."""

    received_at: Time
    """When it came."""
    topic: str
    """Where."""
    reason: str
    """Why it was refused, by name."""
    detail: str
    """The same in words."""
    size_bytes: int
    """Of the whole message [byte]."""
    prefix: str
    """Its beginning, as text; what is none is shown as U+FFFD."""


class Trust(Shown):
    """How far a run was checked, and what was put aside."""

    checked_to: int | None = None
    """The journal's row up to which the chain of digests was checked; null where it was not yet."""
    checked_at: Time = None
    """When."""
    is_sound: bool | None = None
    """Whether nothing was wrong; null before a check."""
    is_whole: bool = False
    """Whether everything was held against everything else (`verify`), and not the journal's chain alone."""
    problems: tuple[str, ...] = ()
    """What is wrong, in sentences."""
    quarantine: tuple[Quarantined, ...] = ()
    """Messages that were none of ours, the latest first."""
    counts: Mapping[str, int] = Field(default_factory=dict)
    """How many messages had which disposition."""
    recording: bool = False
    """Whether there is a recording of all that came in."""
