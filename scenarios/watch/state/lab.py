"""What is told of the instruments of a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field

from scenarios.watch.state.model import Number, Shown, Time

Health = Literal["there", "away", "unknown"]
"""Whether an instrument is there, as far as the journal tells."""

MAX_ATTEMPTS_SHOWN: Final = 200
"""Most attempts of one instrument that are told: a timeline shows no more."""


class AttemptShown(Shown):
    """An attempt and how it ended."""

    attempt_id: str
    """Names it for ever."""
    name: str
    """The candidate as the table writes it."""
    sent_at: Time
    """When it was asked for."""
    closed_at: Time
    """When it ended; null while it is awaited."""
    outcome: str
    """How it ended; empty while it is awaited."""


class Instrument(Shown):
    """An instrument as the journal knows it."""

    id: str
    """Its name on the broker."""
    health: Health
    """Whether it is there."""
    since: Time = None
    """Since when."""
    last_heard: Time = None
    """When something of it was last written down."""
    in_flight: int | None = None
    """Requests that it has; null where that is not known, as of what only a broker tells."""
    oldest_s: Number = None
    """How long the oldest of them has been with it [s]."""
    accepted: int | None = None
    """Values that it gave; null likewise."""
    failed: Mapping[str, int] = Field(default_factory=dict)
    """Its failures by reason."""
    expired: int | None = None
    """Requests that it did not answer in time; null likewise."""
    silent_s: Number = None
    """How long nothing of it was written down [s]."""
    slots: int | None = None
    """How many it takes at once; null where it did not say."""
    busy_with: tuple[str, ...] = ()
    """Candidates that it has, as the table writes them."""
    attempts: tuple[AttemptShown, ...] = ()
    """Its latest attempts, oldest first."""
