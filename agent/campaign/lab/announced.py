"""What is known of the instruments of a lab: a part of the campaign's state, folded from its journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from agent.campaign.lab.abilities import Abilities

NEWEST_SHARE: Final = 0.3
"""What the newest evaluation counts for in the pace of an instrument: of one that has become slower, four evaluations
tell, and one that took longer by chance does not."""

SHORTEST_S: Final = 1e-3
"""Shortest time that an evaluation is taken to need [s]: by that it is divided."""


@dataclass(slots=True)
class Lab:
    """The instruments that announced what they can do.

    Attributes:
        announced: Instrument -> what it can do.
        said_at: Instrument -> when it said so, by its own clock.
        announcements: How often anything was announced that was not known.
        pace: Instrument -> how long its evaluations took, the newest counting most [s].
        went_to: Attempt -> to whom it went, where a campaign is followed by what was overheard of it; not folded.
    """

    announced: dict[str, Abilities] = field(default_factory=dict)
    said_at: dict[str, datetime] = field(default_factory=dict)
    announcements: int = 0
    pace: dict[str, float] = field(default_factory=dict)
    went_to: Mapping[str, str] = field(default_factory=dict)

    def announce(self, instrument: str, abilities: Abilities, said_at: datetime | None) -> None:
        """Believe what an instrument can do."""
        self.announced[instrument] = abilities
        self.announcements += 1
        if said_at is not None:
            self.said_at[instrument] = said_at

    def measure(self, instrument: str, duration_s: float) -> None:
        """Take in how long an evaluation took."""
        before = self.pace.get(instrument, duration_s)
        self.pace[instrument] = before + NEWEST_SHARE * (duration_s - before)

    def slots(self, instrument: str) -> int:
        """Return how many candidates an instrument works on at once; one where it does not say."""
        known = self.announced.get(instrument)
        return 1 if known is None else known.slots

    def expected_s(self, instrument: str) -> float | None:
        """Return how long an evaluation is expected to take [s]: as measured, else as announced; None if nobody knows.

        What it calls itself counts until its first answer.
        """
        known = self.announced.get(instrument)
        measured = self.pace.get(instrument)
        expected = measured if measured is not None else None if known is None else known.expected_s
        return None if expected is None else max(SHORTEST_S, expected)
