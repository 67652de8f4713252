"""How far a family can come, as it is told and kept; what computes it is `agent.acquisition.ceilings`.

By itself, so that a summary can be read without what fits a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.entropy.bias import GAP_TOLERANCE_NAT

HELPLESS_SHARE: Final = 0.5
"""Share of its gap that must stay, at the upper end of the band, for a family that cannot be helped."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How far a family can come.

    Attributes:
        family: Its name.
        now: h_g [nat]; None where it is undefined.
        at_most: The ceiling [nat]; None where nothing tells it.
        low: Lower end of its band [nat].
        high: Upper end.
        remaining: How many of its candidates may still get a value.
    """

    family: str
    now: float | None
    at_most: float | None
    low: float | None
    high: float | None
    remaining: int

    def gap_left(self, level: float) -> float | None:
        """The gap to a level that stays at the upper end of the band [nat]; None where nothing tells it."""
        return None if self.high is None else max(level - self.high, 0.0)

    def falls_short(self, level: float, tolerance: float = GAP_TOLERANCE_NAT) -> bool:
        """Whether its gap to a level cannot be closed: more than the tolerance stays at the upper end of the band."""
        left = self.gap_left(level)
        return left is not None and left > tolerance

    def is_hopeless(self, level: float, tolerance: float = GAP_TOLERANCE_NAT) -> bool:
        """Whether it cannot be helped: it falls short, and `HELPLESS_SHARE` of its present gap stays."""
        left = self.gap_left(level)
        if left is None or self.now is None or not self.falls_short(level, tolerance):
            return False
        return left >= HELPLESS_SHARE * (level - self.now)


def level_of(ceilings: tuple[Ceiling, ...]) -> float | None:
    """Return T [nat]; None where no family has an entropy."""
    return max((each.now for each in ceilings if each.now is not None), default=None)
