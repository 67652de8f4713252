"""Drift: an error that grows from calibration to calibration, in a straight line or as a bounded random walk.

The walk at step n is the sum of n normal steps, folded at ±b as by two mirrors (reflecting barriers: Feller, An
Introduction to Probability Theory and Its Applications, vol. 2, 3rd ed., X.5). All its steps come from one generator
for each calibration period, so step n is the same whether the steps before it were asked for or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from protocols.wire.limits import MAX_ABS_VALUE
from simulators.instrument.calibration import Moment
from simulators.instrument.draws import (
    InstrumentSettings,
    Offsets,
    Seed,
    generator_for,
    of_property,
)

Bound = Annotated[float, Field(gt=0, le=MAX_ABS_VALUE)]


class DriftSettings(InstrumentSettings):
    """Settings of the drift."""

    kind: Literal["linear", "random_walk"] = "linear"
    """How the error grows after a calibration."""
    rate: Offsets
    """By how much, of every property or by property [its unit]: a step of a straight line, up or down, or the standard
    deviation of a step of a random walk."""
    per: Literal["count", "hour"] = "count"
    """What a step is: one count of `calibration`, or an hour by the clock."""
    bound: Bound | None = None
    """Largest error [unit of the property]; a straight line ends there, a random walk turns back."""
    seed: Seed = 0
    """Another seed, another random walk."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Says how far an instrument has drifted.

    Attributes:
        settings: How it drifts.
        instrument: Its id.
    """

    settings: DriftSettings
    instrument: str

    def error(self, name: str, moment: Moment) -> float:
        """Return how far the values of a property are off at a moment [its unit]."""
        rate, bound = of_property(self.settings.rate, name), self.settings.bound
        age = moment.hours if self.settings.per == "hour" else float(moment.since)
        if self.settings.kind == "linear":
            far = rate * age
            return far if bound is None else max(-bound, min(bound, far))
        names = (self.instrument, str(moment.period), name)
        steps = generator_for("drift", self.settings.seed, *names).standard_normal(int(age))
        far = abs(rate) * float(steps.sum())
        return far if bound is None else folded(far, bound)


def folded(far: float, bound: float) -> float:
    """Return where a walk is that is turned back at ±bound, from where it would be without."""
    around = (far + bound) % (4.0 * bound)
    return min(around, 4.0 * bound - around) - bound
