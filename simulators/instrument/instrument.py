"""What an instrument makes of the true value: everything that it errs by, in one place.

In this order: bias, jumps and drift of its calibration, noise, outliers. Noise in proportion to the value is that of
the true one. It reports the standard deviation that it believes of its noise; of the rest it knows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from protocols.wire.limits import MAX_ABS_VALUE, MAX_PROVENANCE
from protocols.wire.messages import CandidateRequest, Quantity
from simulators.evaluator import Measurement
from simulators.instrument.calibration import FIRST, CalibrationSettings, Moment
from simulators.instrument.draws import InstrumentSettings, Offsets, of_property
from simulators.instrument.drift import Drift
from simulators.instrument.jumps import Jumps
from simulators.instrument.noise import Noise, NoiseError
from simulators.instrument.outliers import Outliers


class BiasSettings(InstrumentSettings):
    """Settings of the bias: what an instrument is always off by, calibrated or not."""

    offset: Offsets = 0.0
    """Of every property, or by property [its unit]."""
    gain: Offsets = 0.0
    """As a share of the value: -0.05 reads five percent too little."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """Errs; without any of its parts it does not.

    Attributes:
        calibration: What drift and jumps are counted by; None where there are none.
    """

    noise: Noise | None = None
    outliers: Outliers | None = None
    bias: BiasSettings | None = None
    drift: Drift | None = None
    jumps: Jumps | None = None
    calibration: CalibrationSettings | None = None

    def measure(self, measured: Measurement, request: CandidateRequest, moment: Moment = FIRST) -> Measurement:
        """Return what the instrument tells of a measurement, the same for the same request and moment.

        Single measurements behind the first property asked for are off by as much as its value.
        """
        told = tuple(self._read(each, request, moment) for each in measured.quantities)
        shift = next(
            (
                after.value - before.value
                for before, after in zip(measured.quantities, told, strict=True)
                if before.name == request.properties[0]
            ),
            0.0,
        )
        replicates = tuple(_within(each + shift) for each in measured.replicates) if shift else measured.replicates
        return replace(measured, quantities=told, replicates=replicates, remarks=self._told(measured.remarks, moment))

    def _read(self, true: Quantity, request: CandidateRequest, moment: Moment) -> Quantity:
        name, value = true.name, true.value
        noise = NoiseError(0.0, true.standard_deviation) if self.noise is None else self.noise.of(true, request)
        if self.bias is not None:
            value += value * of_property(self.bias.gain, name) + of_property(self.bias.offset, name)
        if self.jumps is not None:
            value += self.jumps.error(name, value, moment)
        if self.drift is not None:
            value += self.drift.error(name, moment)
        value += noise.error
        if self.outliers is not None:
            value += self.outliers.error(name, request)
        reported = None if noise.reported is None else min(MAX_ABS_VALUE, noise.reported)
        if (value, reported) == (true.value, true.standard_deviation):
            return true
        return Quantity(name=name, value=_within(value), unit=true.unit, standard_deviation=reported)

    def _told(self, remarks: Mapping[str, str | float], moment: Moment) -> Mapping[str, str | float]:
        """Add what a lab knows of its calibrations: how long ago the last one was, and never by how much it is off."""
        if self.calibration is None:
            return remarks
        counted = "decision" if self.calibration.counts == "decisions" else "measurement"
        ages: dict[str, str | float] = {
            f"{counted}_counted": moment.count,
            f"{counted}s_since_calibration": moment.since,
        }
        if self.drift is not None and self.drift.settings.per == "hour":
            ages["hours_since_calibration"] = round(moment.hours, 6)
        together = {**remarks, **ages}
        return together if len(together) <= MAX_PROVENANCE else remarks


def _within(value: float) -> float:
    """Hold a value within what can travel."""
    return max(-MAX_ABS_VALUE, min(MAX_ABS_VALUE, value))
