"""How long a lab takes for an attempt, drawn from its id. Nothing here sleeps or reads a clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from simulators.instrument.draws import InstrumentSettings, Seed, generator_for

LATENCY_BOUND_IN_MEANS: Final = 10.0
"""Longest waiting time [mean]: an exponential one is cut once in 22,000 draws, which lowers its mean by 0.005 %; a
lognormal one of the widest `spread` once in 400 draws and by 1 %."""

MAX_MEAN_LATENCY_S: Final = 3 * 86400.0
"""Longest mean waiting time [s]: with `LATENCY_BOUND_IN_MEANS` it stays within the longest deadline of a request."""

MAX_SPREAD: Final = 1.0
"""Widest spread of the logarithm of a waiting time: 95 % of the draws within a factor of seven of the median."""


class LatencySettings(InstrumentSettings):
    """Settings of the waiting time."""

    distribution: Literal["constant", "exponential", "lognormal"] = "constant"
    """How waiting times scatter about their mean."""
    mean_s: Annotated[float, Field(ge=0, le=MAX_MEAN_LATENCY_S)] = 0.0
    """Their mean [s]."""
    spread: Annotated[float, Field(gt=0, le=MAX_SPREAD)] = 0.5
    """Standard deviation of the natural logarithm; for `lognormal` only."""
    seed: Seed = 0
    """Another seed, other waiting times."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Says how long the lab takes for an attempt, the same for the same attempt."""

    settings: LatencySettings

    def seconds(self, attempt_id: str) -> float:
        """Return the waiting time, between 0 and `LATENCY_BOUND_IN_MEANS` means [s]."""
        mean = self.settings.mean_s
        if self.settings.distribution == "constant" or mean == 0:
            return mean
        generator = generator_for("latency", self.settings.seed, attempt_id)
        if self.settings.distribution == "exponential":
            drawn = mean * float(generator.standard_exponential())
        else:
            # E[exp(s z - s²/2)] = 1 for a standard normal z, so the mean is what the setting says.
            spread = self.settings.spread
            drawn = mean * math.exp(spread * float(generator.standard_normal()) - spread**2 / 2)
        return min(drawn, LATENCY_BOUND_IN_MEANS * mean)
