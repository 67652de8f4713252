"""Units: one conversion is a factor and an offset, found by pint when the mapping is loaded.

pint is imported and its table read only where two units differ (0.4 s of processor): at run time nothing is parsed, and
what a message says of units is only compared.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from protocols.mapping.faults import Unusable
from protocols.settings.suggestions import did_you_mean

ADDED: Final = ("atom = particle", "formula_unit = particle = f_u", "Ah = ampere * hour")
"""What materials people write and pint does not know; an atom is its particle, so that eV/atom and kJ/mol meet."""

SPELLINGS: Final = {
    "°C": "degC", "°F": "degF", "Å": "angstrom", "°": "degree", "·": "*",
    "wt%": "%", "at%": "%", "mol%": "%", "vol%": "%",
}  # fmt: skip
"""As people write it -> as pint reads it."""

COMMON: Final = ("MPa", "GPa", "kPa", "meV", "kJ", "mm", "cm", "nm", "ms", "mg", "mL", "mA", "mV", "degC", "eV/atom")
"""Units with a prefix that a misspelt one is held against, beside those without."""

COUNTED: Final = frozenset({"", "1", "-", "dimensionless"})
"""How a pure number's unit is written."""

_EXPONENT: Final = re.compile(r"(?<=[A-Za-zµΩ])(-?\d+)")
"""As people write exponents: cm3, cm-3."""

_FAR: Final = 2.0**30
"""A number far from 0, so that the factor loses no digits to the offset."""

_DIGITS: Final = 15
"""Significant digits of a factor that are sure."""

_OFFSET_DIGITS: Final = 14
"""Those of an offset, which went through kelvin."""


class UnitError(Unusable):
    """A unit that is none, or that does not convert."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """From one unit to another: value × factor + offset."""

    factor: float = 1.0
    offset: float = 0.0

    def value(self, given: float) -> float:
        """Convert a value."""
        return given if self == SAME else given * self.factor + self.offset

    def difference(self, given: float) -> float:
        """Convert a difference of two values, such as an uncertainty."""
        return given * abs(self.factor)


SAME: Final = Conversion()
"""Nothing is to be converted."""


@lru_cache(maxsize=256)
def conversion(given: str, wanted: str) -> Conversion:
    """Return the conversion from one unit to another.

    Args:
        given: Unit of the number at hand.
        wanted: Unit that it is to have.

    Raises:
        UnitError: When one of them is no unit, or they do not measure the same.
    """
    if given == wanted or {given, wanted} <= COUNTED:
        return SAME
    import pint

    registry = _registry()
    source, target = _unit(registry, given), _unit(registry, wanted)
    try:
        return _linear(given, wanted, source, target, registry)
    except (pint.PintError, ArithmeticError) as error:
        raise UnitError(f"{given} does not convert to {wanted}: {' '.join(str(error).split())[:200]}") from None


def _linear(given: str, wanted: str, source: Any, target: Any, registry: Any) -> Conversion:
    """Return factor and offset between two units of pint."""
    if source.dimensionality != target.dimensionality:
        raise UnitError(
            f"{given or 'a pure number'} ({source.dimensionality}) does not convert to {wanted or 'a pure number'} "
            f"({target.dimensionality})",
            "correct the unit, or the property that it is of",
        )

    def converted(value: float) -> float:
        return float(registry.Quantity(value, source).m_as(target))

    zero, one, two = map(converted, (0.0, 1.0, 2.0))
    if abs((two - one) - (one - zero)) > 1e-9 * abs(one - zero):
        raise UnitError(f"{given} is no linear scale of {wanted}", "let the lab send a linear unit")
    factor = float(f"{(converted(_FAR) - zero) / _FAR:.{_DIGITS}g}")
    return Conversion(factor, float(f"{zero:.{_OFFSET_DIGITS}g}"))


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    for definition in ADDED:
        registry.define(definition)
    return registry


def _unit(registry: Any, text: str) -> Any:
    import pint

    spelt = "dimensionless" if text in COUNTED else unicodedata.normalize("NFKC", text)  # ℃, the sign Ångström
    for shown, read in SPELLINGS.items():
        spelt = spelt.replace(shown, read)
    for each in (spelt, _EXPONENT.sub(r"^\1", spelt)):  # as it stands first: mmH2O is a unit
        try:
            return registry.Unit(each)
        except (pint.PintError, ValueError, TypeError, AttributeError, SyntaxError, AssertionError, ArithmeticError):
            continue
    raise UnitError(
        f"{text!r} is no unit that pint knows",
        did_you_mean(text, (*COMMON, *map(str, registry))) or "write it as degC, MPa, g/cm^3 or eV/atom",
    )
