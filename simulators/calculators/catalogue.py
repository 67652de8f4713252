"""The closed list of ASE calculators that a setting or a message may name.

A name is looked up here and nowhere else: nothing that comes from outside can make us import or start a program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt
from typing import TYPE_CHECKING, Annotated, Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean
from simulators.calculators.choice import CalculatorChoice

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

EMT_METALS: Final = ("Ag", "Al", "Au", "Cu", "Ni", "Pd", "Pt")
"""The elements for which effective medium theory was fitted (K. W. Jacobsen, P. Stoltze, J. K. Nørskov, Surf. Sci. 366,
394 (1996)). ASE's table also has H, C, N and O, which its authors call not fit for serious use: we leave them out."""

LJ_MINIMUM_PER_SIGMA: Final = 2.0 ** (1.0 / 6.0)
"""Distance of the minimum of the Lennard-Jones potential [sigma]."""

LJ_CUTOFF_PER_SIGMA: Final = 3.0
"""Cut-off of the Lennard-Jones potential [sigma]: ASE's own default, at which a pair has 0.5 % of its well depth."""

Energy = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
Length = Annotated[float, Field(ge=0.5, le=10, allow_inf_nan=False)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_SettingsT = TypeVar("_SettingsT", bound=_Settings)


class EmtSettings(_Settings):
    """Effective medium theory has no parameters: its tables are part of the method."""


class LennardJonesSettings(_Settings):
    """One Lennard-Jones pair potential for every element, smoothly cut off.

    Attributes:
        epsilon: Depth of the well [eV].
        sigma: Distance at which the potential crosses zero [Å].
    """

    epsilon: Energy = 0.1
    sigma: Length = 2.5


class MorseSettings(_Settings):
    """One Morse pair potential for every element, smoothly cut off.

    Attributes:
        epsilon: Depth of the well [eV].
        r0: Distance of the minimum [Å].
        rho0: Stiffness, the exponent times `r0` [1].
        rcut1: Where the cut-off begins [r0].
        rcut2: Where the potential ends [r0].
    """

    epsilon: Energy = 0.3
    r0: Length = 2.7
    rho0: Annotated[float, Field(ge=2, le=12, allow_inf_nan=False)] = 4.0
    rcut1: Annotated[float, Field(ge=1.2, le=4, allow_inf_nan=False)] = 1.9
    rcut2: Annotated[float, Field(ge=1.2, le=4, allow_inf_nan=False)] = 2.7

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.rcut2 <= self.rcut1:
            message = f"rcut2 = {self.rcut2:g} must be larger than rcut1 = {self.rcut1:g}"
            raise ValueError(message)
        return self


def _emt(_settings: EmtSettings) -> CalculatorChoice:
    def build() -> Calculator:
        from ase.calculators.emt import EMT

        return EMT()

    def contact_distance(symbol: str) -> float:
        from ase.data import atomic_numbers, reference_states

        return float(reference_states[atomic_numbers[symbol]]["a"]) / sqrt(2.0)

    return CalculatorChoice("emt", EMT_METALS, build, contact_distance)


def _lennard_jones(settings: LennardJonesSettings) -> CalculatorChoice:
    def build() -> Calculator:
        from ase.calculators.lj import LennardJones

        cutoff = LJ_CUTOFF_PER_SIGMA * settings.sigma
        return LennardJones(epsilon=settings.epsilon, sigma=settings.sigma, rc=cutoff, smooth=True)

    return CalculatorChoice("lennard_jones", None, build, lambda _symbol: LJ_MINIMUM_PER_SIGMA * settings.sigma)


def _morse(settings: MorseSettings) -> CalculatorChoice:
    def build() -> Calculator:
        from ase.calculators.morse import MorsePotential

        return MorsePotential(**settings.model_dump())

    return CalculatorChoice("morse", None, build, lambda _symbol: settings.r0)


def _listed(
    settings: type[_SettingsT], choose: Callable[[_SettingsT], CalculatorChoice]
) -> Callable[[Mapping[str, object]], CalculatorChoice]:
    return lambda parameters: choose(settings.model_validate(dict(parameters)))


_CALCULATORS: Final[Mapping[str, Callable[[Mapping[str, object]], CalculatorChoice]]] = {
    "emt": _listed(EmtSettings, _emt),
    "lennard_jones": _listed(LennardJonesSettings, _lennard_jones),
    "morse": _listed(MorseSettings, _morse),
}

CALCULATOR_NAMES: Final = tuple(_CALCULATORS)
"""Every name that `choose_calculator` accepts."""


def choose_calculator(name: str, parameters: Mapping[str, object] | None = None) -> CalculatorChoice:
    """Return the calculator of that name with its parameters checked.

    Raises:
        SettingsError: When the name is not in the list or a parameter is not one of the calculator's.
    """
    if name not in _CALCULATORS:
        raise SettingsError(
            f"The calculator {name!r} is not in the list",
            expected=f"one of {', '.join(CALCULATOR_NAMES)}",
            action=did_you_mean(name, CALCULATOR_NAMES) or "name one of these, or write an evaluator of your own",
        )
    try:
        return _CALCULATORS[name](parameters or {})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "its parameters"
        raise SettingsError(
            f"The calculator {name!r} does not take {where} = {first['input']!r}",
            expected=first["msg"],
            action=f"correct the parameters of {name!r}, or leave them out for its defaults",
        ) from error
