"""Noise of a measurement: normal, as wide everywhere, in proportion to the value, or as the table says of each value.

With the absolute width a, the relative width r and the uncertainty u of the table, a value v gets the error σ·z, where
z is standard normal and

    σ² = a² + (r·|v|)² + u²        (u only with `from_table`)

An instrument reports `reported`·σ: what it believes of itself, which may be too little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, model_validator

from protocols.wire.messages import CandidateRequest, Quantity
from simulators.instrument.draws import (
    InstrumentSettings,
    Per,
    Seed,
    Widths,
    generator_for,
    names_of,
    of_property,
)


class NoiseSettings(InstrumentSettings):
    """Settings of the noise."""

    standard_deviation: Widths = 0.0
    """Of every quantity, or by property [its unit]; a property that is not named has none of it."""
    relative: Widths = 0.0
    """The same as a share of the value's magnitude: 0.02 are two percent. Added in squares."""
    from_table: bool = False
    """Whether a value whose table knows its uncertainty also errs by as much as that says; see `table.uncertainties`.
    Otherwise that is only reported."""
    per: Per = "measurement"
    """What an error is drawn for. `measurement`: a new one for each instrument, candidate, method, repetition and
    attempt, so that to measure again helps. `candidate`: one for all of these, so that neither crashes nor retries
    change a value, and who answers changes none."""
    reported: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Standard deviation that is reported, as a share of that of the noise: below 1 the instrument understates it;
    at 0 it says nothing of it."""
    seed: Seed = 0
    """Another seed, other noise."""

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if not (self.model_fields_set & {"standard_deviation", "relative"} or self.from_table):
            message = "noise needs standard_deviation, relative or from_table = true"
            raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True)
class NoiseError:
    """What noise does to one value.

    Attributes:
        error: To be added to it [its unit].
        reported: Standard deviation to report with it [its unit]; None where there is none to report.
    """

    error: float
    reported: float | None


@dataclass(frozen=True, slots=True)
class Noise:
    """Draws the noise of one instrument.

    Attributes:
        settings: What it is like.
        instrument: Its id.
    """

    settings: NoiseSettings
    instrument: str

    def deviation(self, quantity: Quantity) -> float:
        """Return the standard deviation of the noise of a value [its unit]."""
        said = self.settings
        absolute = of_property(said.standard_deviation, quantity.name)
        relative = of_property(said.relative, quantity.name) * abs(quantity.value)
        of_the_table = (quantity.standard_deviation or 0.0) if said.from_table else 0.0
        return math.hypot(absolute, relative, of_the_table)

    def of(self, quantity: Quantity, request: CandidateRequest) -> NoiseError:
        """Return the noise of a value, the same for the same measurement or candidate."""
        deviation, known = self.deviation(quantity), quantity.standard_deviation
        if deviation == 0:
            return NoiseError(0.0, known)
        names = names_of(request, self.instrument, self.settings.per)
        drawn = float(generator_for("noise", self.settings.seed, *names, quantity.name).standard_normal())
        believed = deviation * self.settings.reported
        if self.settings.from_table:
            return NoiseError(deviation * drawn, believed or None)
        return NoiseError(deviation * drawn, math.hypot(believed, known or 0.0) if believed or known else None)
