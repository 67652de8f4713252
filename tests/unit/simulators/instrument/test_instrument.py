"""What an instrument makes of a true value is the sum of what it errs by, and it reports what it believes alone."""

from __future__ import annotations

import pytest

from protocols.wire.limits import MAX_ABS_VALUE, MAX_PROVENANCE
from protocols.wire.messages import Quantity
from simulators.evaluator import Measurement
from simulators.instrument.calibration import CalibrationSettings, moment_at
from simulators.instrument.drift import Drift, DriftSettings
from simulators.instrument.instrument import BiasSettings, Instrument
from simulators.instrument.jumps import Jumps, JumpSettings
from simulators.instrument.noise import Noise, NoiseSettings
from simulators.instrument.outliers import Outliers, OutlierSettings
from tests.support import sample_messages as messages

TRUE = Measurement((Quantity(name="energy", value=2.0, unit="eV"), Quantity(name="gap", value=5.0, unit="eV")))
REQUEST = messages.request()


def aging(**parts: object) -> Instrument:
    return Instrument(calibration=CalibrationSettings(every=10), **parts)  # type: ignore[arg-type]


def test_without_errors_it_tells_the_truth() -> None:
    assert Instrument().measure(TRUE, REQUEST) == TRUE


def test_what_it_errs_by_adds_up() -> None:
    instrument = aging(
        noise=Noise(NoiseSettings(standard_deviation={"energy": 0.1}), "xrd"),
        bias=BiasSettings(offset=1.0, gain=0.5),
        drift=Drift(DriftSettings(rate={"energy": 0.01}), "xrd"),
        jumps=Jumps(JumpSettings(at=(4,), gain={"energy": 1.0}), "xrd"),
        outliers=Outliers(OutlierSettings(rate=1.0, size={"gap": 2.0}, distribution="fixed"), "xrd"),
    )
    told = instrument.measure(TRUE, REQUEST, moment_at(6, 10))
    energy, gap = told.quantities
    noise = Noise(NoiseSettings(standard_deviation=0.1), "xrd").of(TRUE.quantities[0], REQUEST).error
    # Bias makes 4 of 2, the jump doubles it, five measurements drift by 0.05.
    assert energy.value == pytest.approx(8.0 + 0.05 + noise)
    assert abs(gap.value - 8.5) == pytest.approx(2.0)
    assert (energy.standard_deviation, gap.standard_deviation) == (0.1, None)
    assert told.remarks == {"measurement_counted": 6, "measurements_since_calibration": 5}


def test_noise_in_proportion_is_that_of_the_true_value() -> None:
    plain, biased = (
        Instrument(noise=Noise(NoiseSettings(relative=0.1), "xrd"), bias=bias)
        for bias in (None, BiasSettings(offset=100.0))
    )
    one, other = (each.measure(TRUE, REQUEST).quantities[0] for each in (plain, biased))
    assert other.value - one.value == pytest.approx(100.0)
    assert other.standard_deviation == one.standard_deviation == pytest.approx(0.2)


def test_single_measurements_are_off_by_as_much_as_their_mean() -> None:
    measured = Measurement(TRUE.quantities, replicates=(1.5, 2.5))
    told = Instrument(bias=BiasSettings(offset=0.25)).measure(measured, REQUEST)
    assert told.replicates == (1.75, 2.75)
    assert Instrument().measure(measured, REQUEST).replicates == (1.5, 2.5)


def test_values_stay_within_what_can_travel() -> None:
    edge = Measurement((Quantity(name="energy", value=MAX_ABS_VALUE, unit="", standard_deviation=MAX_ABS_VALUE),))
    noise = Noise(NoiseSettings(standard_deviation=MAX_ABS_VALUE), "xrd")
    (told,) = Instrument(noise=noise, bias=BiasSettings(gain=1.0)).measure(edge, REQUEST).quantities
    assert abs(told.value) <= MAX_ABS_VALUE
    assert told.standard_deviation == MAX_ABS_VALUE


def test_what_was_told_of_the_measurement_is_kept_and_never_pushed_out() -> None:
    full = Measurement(TRUE.quantities, remarks={f"r{number}": 1.0 for number in range(MAX_PROVENANCE)})
    assert aging().measure(full, REQUEST).remarks == full.remarks
    some = Measurement(TRUE.quantities, {"method": "by eye"}, remarks={"batch": "A"})
    told = aging().measure(some, REQUEST)
    assert (told.provenance, told.remarks["batch"]) == ({"method": "by eye"}, "A")


def test_hours_are_told_where_they_count_and_decisions_where_those_do() -> None:
    drift = Drift(DriftSettings(rate=0.1, per="hour"), "xrd")
    told = aging(drift=drift).measure(TRUE, REQUEST, moment_at(2, 10, hours=1.5))
    assert told.remarks["hours_since_calibration"] == 1.5
    by_decisions = Instrument(calibration=CalibrationSettings(counts="decisions"))
    assert "decisions_since_calibration" in by_decisions.measure(TRUE, REQUEST).remarks
