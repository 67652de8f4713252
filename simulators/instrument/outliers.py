"""Outliers: now and then a measurement goes wrong, and nothing in it says so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from protocols.wire.limits import MAX_ABS_VALUE
from protocols.wire.messages import CandidateRequest
from simulators.instrument.draws import (
    InstrumentSettings,
    Per,
    Seed,
    Share,
    Widths,
    generator_for,
    names_of,
    of_property,
)


class OutlierSettings(InstrumentSettings):
    """Settings of the outliers."""

    rate: Share
    """Share of measurements that are outliers, in all their properties."""
    size: Widths
    """How far they are off, of every property or by property [its unit]."""
    distribution: Literal["fixed", "uniform", "normal", "cauchy"] = "normal"
    """`fixed`: by the size, up or down; `uniform`: by up to the size; `normal`: with it as the standard deviation;
    `cauchy`: with it as the half width, so that some are very far off."""
    per: Per = "measurement"
    """What it is drawn for, as of the noise."""
    seed: Seed = 0
    """Another seed, other outliers."""


@dataclass(frozen=True, slots=True)
class Outliers:
    """Says which measurements of an instrument are outliers, and by how much.

    Attributes:
        settings: What they are like.
        instrument: Its id.
    """

    settings: OutlierSettings
    instrument: str

    def error(self, name: str, request: CandidateRequest) -> float:
        """Return by how much the value of a property is off; mostly zero [its unit]."""
        names = names_of(request, self.instrument, self.settings.per)
        if float(generator_for("outlier", self.settings.seed, *names).random()) >= self.settings.rate:
            return 0.0
        size = of_property(self.settings.size, name)
        generator = generator_for("outlier size", self.settings.seed, *names, name)
        match self.settings.distribution:
            case "fixed":
                return size * (1.0 if generator.integers(2) else -1.0)
            case "uniform":
                return size * (2.0 * float(generator.random()) - 1.0)
            case "normal":
                return size * float(generator.standard_normal())
            case "cauchy":
                far = size * math.tan(math.pi * (float(generator.random()) - 0.5))
                return max(-MAX_ABS_VALUE, min(MAX_ABS_VALUE, far))
