"""Units become a factor and an offset when they are read, or are refused."""

from __future__ import annotations

import pytest

from protocols.mapping.units import SAME, UnitError, conversion


@pytest.mark.parametrize(
    ("given", "wanted", "value", "expected"),
    [
        ("kPa", "MPa", 412_000.0, 412.0),
        ("degC", "K", 900.0, 1173.15),
        ("K", "degC", 1173.15, 900.0),
        ("°F", "°C", 212.0, 100.0),
        ("℃", "K", 0.0, 273.15),
        ("meV/atom", "eV/atom", -72.14, -0.07214),
        ("kJ/mol", "eV/atom", 96.48533, 1.0),
        ("g/cm3", "kg/m^3", 7.81, 7810.0),
        ("g cm-3", "kg/m^3", 1.0, 1000.0),
        ("Å", "nm", 10.0, 1.0),
        ("\u212b", "nm", 10.0, 1.0),
        ("mAh/g", "C/kg", 1.0, 3600.0),
        ("mA·h/g", "C/kg", 1.0, 3600.0),
        ("%", "", 50.0, 0.5),
        ("wt%", "%", 5.0, 5.0),
        ("mmH2O", "Pa", 1.0, 9.80665),
        ("°C/min", "K/s", 60.0, 1.0),
    ],
)
def test_a_value_is_converted(given: str, wanted: str, value: float, expected: float) -> None:
    assert conversion(given, wanted).value(value) == pytest.approx(expected, rel=1e-6)


def test_what_is_the_same_is_not_touched() -> None:
    assert conversion("HV", "HV") is SAME  # whatever it is, nobody has to know it
    assert conversion("", "dimensionless") is SAME
    assert SAME.value(0.1 + 0.2) == 0.1 + 0.2


def test_an_uncertainty_is_converted_without_the_offset() -> None:
    assert conversion("°F", "°C").difference(9.0) == pytest.approx(5.0)
    assert conversion("degC", "K").difference(2.0) == 2.0


@pytest.mark.parametrize(
    ("given", "wanted", "words", "action"),
    [
        ("K", "MPa", "does not convert to", "correct the unit"),
        ("", "MPa", "a pure number", "correct the unit"),
        ("MPa", "", "a pure number", "correct the unit"),
        ("eV/atom", "eV", "does not convert to", "correct the unit"),
        ("MPaa", "Pa", "'MPaa' is no unit that pint knows", "did you mean 'MPa'?"),
        ("__import__('os')", "m", "is no unit that pint knows", "MPa"),
        ("m^^2", "m", "is no unit that pint knows", ""),
        ("dBm/Hz", "W/Hz", "does not convert to", ""),
        ("m^1e9", "cm^1e9", "does not convert to", ""),
        ("dBm", "mW", "no linear scale", "linear unit"),
    ],
)
def test_what_does_not_convert_is_refused(given: str, wanted: str, words: str, action: str) -> None:
    with pytest.raises(UnitError) as refused:
        conversion(given, wanted)
    assert words in refused.value.found
    assert action in refused.value.action
