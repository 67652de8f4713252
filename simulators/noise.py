"""Measurement noise and waiting times of a lab, drawn from hashes of (seed, name) alone.

A candidate gets the same noise, and an attempt the same waiting time, in every process and after every restart, in
whatever order they come: each draw has a generator of its own. So a campaign with noise can be resumed after a crash
and end as its undisturbed twin. Nothing here sleeps or reads a clock.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from protocols.wire.limits import MAX_ABS_VALUE
from protocols.wire.messages import Name, Quantity

LATENCY_BOUND_IN_MEANS: Final = 10.0
"""Longest waiting time [mean]: an exponential one is cut once in 22,000 draws, which lowers its mean by 0.005 %; a
lognormal one of the widest `spread` once in 400 draws and by 1 %."""

MAX_MEAN_LATENCY_S: Final = 3 * 86400.0
"""Longest mean waiting time [s]: with `LATENCY_BOUND_IN_MEANS` it stays within the longest deadline of a request."""

MAX_SPREAD: Final = 1.0
"""Widest spread of the logarithm of a waiting time: 95 % of the draws within a factor of seven of the median."""

Deviation = Annotated[float, Field(ge=0, le=MAX_ABS_VALUE)]
Seed = Annotated[int, Field(ge=0, lt=2**64)]


class NoiseSettings(BaseModel):
    """Settings of the noise."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    standard_deviation: Deviation | dict[Name, Deviation]
    """Of every quantity, or by property [its unit]; a property that is not named is exact."""
    seed: Seed = 0
    """Another seed, other noise."""


class LatencySettings(BaseModel):
    """Settings of the waiting time."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    distribution: Literal["constant", "exponential", "lognormal"] = "constant"
    """How waiting times scatter about their mean."""
    mean_s: Annotated[float, Field(ge=0, le=MAX_MEAN_LATENCY_S)] = 0.0
    """Their mean [s]."""
    spread: Annotated[float, Field(gt=0, le=MAX_SPREAD)] = 0.5
    """Standard deviation of the natural logarithm; for `lognormal` only."""
    seed: Seed = 0
    """Another seed, other waiting times."""


@dataclass(frozen=True, slots=True)
class GaussianNoise:
    """Adds normal noise to quantities, the same for the same candidate and property.

    Attributes:
        standard_deviation: Of every quantity, or by property [its unit]; a property that is not named is exact.
        seed: Another seed, other noise.
    """

    standard_deviation: float | dict[str, float]
    seed: int

    @classmethod
    def from_settings(cls, settings: NoiseSettings) -> Self:
        """Make one as the settings say."""
        return cls(settings.standard_deviation, settings.seed)

    def apply(self, quantity: Quantity, candidate_id: str) -> Quantity:
        """Return the quantity with noise, and with its standard deviation (added in squares to one that it has).

        The result is held within `MAX_ABS_VALUE`, so that it can travel. Without noise it is returned as it is.
        """
        deviation = self.standard_deviation
        if isinstance(deviation, dict):
            deviation = deviation.get(quantity.name, 0.0)
        if deviation == 0:
            return quantity
        noise = deviation * float(generator_for("noise", self.seed, candidate_id, quantity.name).standard_normal())
        total = math.hypot(deviation, quantity.standard_deviation or 0.0)
        return Quantity(
            name=quantity.name,
            value=max(-MAX_ABS_VALUE, min(MAX_ABS_VALUE, quantity.value + noise)),
            unit=quantity.unit,
            standard_deviation=min(MAX_ABS_VALUE, total),
        )


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


def generator_for(purpose: str, seed: int, *names: str) -> np.random.Generator:
    """Make a generator of its own for a purpose and names; a hash keeps neighbouring attempts independent."""
    text = "\x1f".join((purpose, str(seed), *names))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))
