"""When a campaign has gained enough, or gains nothing more: what counts as even, as a gain, and what happens then.

The mean gap is called even and a gain by these figures in every campaign, whether a rule acts on it or not: they make
the events `BecameEven` and `GapStalled` (`agent.campaign.gap_progress`). The rules (`agent.campaign.stop_rules`) are
off until somebody writes a word.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.entropy.bias import GAP_TOLERANCE_NAT

OFF: Final = "off"
STOP: Final = "stop"
COVERAGE: Final = "coverage"

Then = Literal["off", "stop", "coverage"]
"""What a rule does: nothing, end the campaign, or give the rest of the budget to the policy of that name."""

REST_POLICY: Final = COVERAGE
"""The built-in policy that decides the rest of a budget: it teaches the model what it knows least. The only policy that
the campaign's rules name."""

GAIN_NAT: Final = 0.01
"""Fall of the best mean gap that counts as a gain [nat]: a fifth of the tolerance; less is the noise of one value."""

PATIENCE: Final = 40
"""Acquisitions without a gain after which there is none to be had. Measured with `gap_gain` on four tables: who
stops after 40 gives up at most 0.07 nat of mean gap and saves 2 to 70 % of the budget; after 25, up to 0.12 nat."""

MAX_PATIENCE: Final = 1_000_000
"""Longest patience: beyond any budget that gains."""


class StopSettings(BaseModel):
    """Rules that end a campaign, or give the rest of its budget to the model; and what they mean by even and gain."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    when_even: Then = OFF
    """When the mean gap is within `tolerance_nat`: `stop` ends the campaign, `coverage` lets the policy of that name
    decide the rest of the budget, `off` goes on."""
    when_no_gain: Then = OFF
    """When the best mean gap has not fallen by `gain_nat` in `patience` acquisitions: as above. Of both rules the first
    that fires holds; it fires once."""
    tolerance_nat: Annotated[float, Field(ge=0, le=10)] = GAP_TOLERANCE_NAT
    """Mean gap that counts as even [nat]."""
    gain_nat: Annotated[float, Field(gt=0, le=10)] = GAIN_NAT
    """Fall of the best mean gap that counts as a gain [nat]."""
    patience: Annotated[int, Field(ge=1, le=MAX_PATIENCE)] = PATIENCE
    """Acquisitions without a gain, after which there is a warning, and `when_no_gain` fires."""

    @property
    def has_rules(self) -> bool:
        """Whether any rule is on."""
        return self.when_even != OFF or self.when_no_gain != OFF

    @property
    def rest_policy(self) -> str:
        """The policy that may have to decide the rest of the budget; empty where no rule asks for it."""
        return REST_POLICY if COVERAGE in {self.when_even, self.when_no_gain} else ""
