"""The section `[limits]`: what may be asked for, what it takes, and at which pace it is sent."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, PrivateAttr

from agent.campaign.limits.pace import PaceLimits
from agent.pool.limits.settings import AskingLimits


class LimitSettings(AskingLimits, PaceLimits):
    """What limits a campaign besides its budget, whatever its policy."""

    @property
    def asking(self) -> AskingLimits:
        """What decides what is asked for: the journal keeps it."""
        return AskingLimits.model_validate({name: getattr(self, name) for name in AskingLimits.model_fields})

    @property
    def pace(self) -> PaceLimits:
        """What decides when it is sent; it may be another one with every start."""
        return PaceLimits.model_validate({name: getattr(self, name) for name in PaceLimits.model_fields})


class LimitedSettings(BaseModel):
    """Base of settings that have the limits of the scenario around them; a copy of the settings keeps them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    _limits: LimitSettings = PrivateAttr(default_factory=LimitSettings)

    @property
    def limits(self) -> LimitSettings:
        """What limits the campaign besides its budget."""
        return self._limits

    def take_limits(self, limits: LimitSettings) -> None:
        """Take the limits of the scenario that these settings are part of, while it is made."""
        self._limits = limits
