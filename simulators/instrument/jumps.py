"""Jumps of a calibration: from one measurement to the next an offset and a gain, until the instrument is calibrated.

Jumps add up: with offsets o_i and gains g_i of those since the last calibration a value v reads v·Π(1 + g_i) + Σ o_i.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from protocols.wire.limits import MAX_COUNT
from simulators.instrument.calibration import Moment
from simulators.instrument.draws import (
    InstrumentSettings,
    Offsets,
    Seed,
    Share,
    generator_for,
    of_property,
)


class JumpSettings(InstrumentSettings):
    """Settings of the jumps."""

    at: Annotated[tuple[Annotated[int, Field(ge=1, le=MAX_COUNT)], ...], Field(strict=False, max_length=1000)] = ()
    """Counts (from 1) at which it jumps."""
    rate: Share = 0.0
    """Share of counts at which it jumps besides, at random."""
    offset: Offsets = 0.0
    """What a jump adds, of every property or by property [its unit]."""
    gain: Offsets = 0.0
    """What it adds as a share of the value: 0.01 is one percent more."""
    distribution: Literal["fixed", "normal"] = "fixed"
    """`fixed`: each jump is just that; `normal`: they are standard deviations."""
    seed: Seed = 0
    """Another seed, other jumps."""


@dataclass(frozen=True, slots=True)
class Jumps:
    """Says what an instrument's jumps since its last calibration make of a value.

    Attributes:
        settings: What they are like.
        instrument: Its id.
    """

    settings: JumpSettings
    instrument: str

    def since_calibration(self, moment: Moment) -> tuple[int, ...]:
        """Return the counts at which it jumped since the last calibration, up to this one, ascending."""
        first = moment.count - moment.since
        named = {each for each in self.settings.at if first <= each <= moment.count}
        if self.settings.rate:
            generator = generator_for("jump", self.settings.seed, self.instrument, str(moment.period))
            drawn = np.flatnonzero(generator.random(moment.since + 1) < self.settings.rate)
            named |= {first + int(each) for each in drawn}
        return tuple(sorted(named))

    def error(self, name: str, value: float, moment: Moment) -> float:
        """Return by how much the value of a property is off at a moment [its unit]."""
        offset, factor = 0.0, 1.0
        for added, gained in self._sizes(name, moment):
            offset += added
            factor *= 1.0 + gained
        return value * (factor - 1.0) + offset

    def _sizes(self, name: str, moment: Moment) -> Iterator[tuple[float, float]]:
        offset, gain = (of_property(each, name) for each in (self.settings.offset, self.settings.gain))
        for count in self.since_calibration(moment):
            if self.settings.distribution == "fixed":
                yield offset, gain
            else:
                names = (self.instrument, str(count), name)
                first, second = generator_for("jump size", self.settings.seed, *names).standard_normal(2)
                yield offset * float(first), gain * float(second)
