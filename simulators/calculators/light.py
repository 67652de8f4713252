"""The calculators that ASE itself brings: effective medium theory, and two pair potentials that treat all alike."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import Field, model_validator

from simulators.calculators.choice import CalculatorChoice
from simulators.calculators.parameters import CalculatorParameters, Energy, Length
from simulators.calculators.provenance import provenance_of

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

EMT: Final = "emt"
LENNARD_JONES: Final = "lennard_jones"
MORSE: Final = "morse"

EMT_METALS: Final = ("Ag", "Al", "Au", "Cu", "Ni", "Pd", "Pt")
"""The elements for which effective medium theory was fitted (K. W. Jacobsen, P. Stoltze, J. K. Nørskov, Surf. Sci. 366,
394 (1996)). ASE's table also has H, C, N and O, which its authors call not fit for serious use: we leave them out."""

LJ_MINIMUM_PER_SIGMA: Final = 2.0 ** (1.0 / 6.0)
"""Distance of the minimum of the Lennard-Jones potential [sigma]."""

LJ_CUTOFF_PER_SIGMA: Final = 3.0
"""Cut-off of the Lennard-Jones potential [sigma]: ASE's own default, at which a pair has 0.5 % of its well depth."""


LEAST_SHARE_OF_WELL: Final = 0.5
"""Least distance of two atoms of a pair potential, as a share of that of its minimum: the same share that covalent
radii are held to, for these potentials know no elements."""


class EmtSettings(CalculatorParameters):
    """Effective medium theory has no parameters: its tables are part of the method."""


class LennardJonesSettings(CalculatorParameters):
    """One Lennard-Jones pair potential for every element, smoothly cut off."""

    epsilon: Energy = 0.1
    """Depth of the well [eV]."""
    sigma: Length = 2.5
    """Distance at which the potential crosses zero [Å]."""


class MorseSettings(CalculatorParameters):
    """One Morse pair potential for every element, smoothly cut off."""

    epsilon: Energy = 0.3
    """Depth of the well [eV]."""
    r0: Length = 2.7
    """Distance of the minimum [Å]."""
    rho0: Annotated[float, Field(ge=2, le=12, allow_inf_nan=False)] = 4.0
    """Stiffness: the exponent times `r0` [1]."""
    rcut1: Annotated[float, Field(ge=1.2, le=4, allow_inf_nan=False)] = 1.9
    """Where the cut-off begins [r0]."""
    rcut2: Annotated[float, Field(ge=1.2, le=4, allow_inf_nan=False)] = 2.7
    """Where the potential ends [r0]."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.rcut2 <= self.rcut1:
            message = f"rcut2 = {self.rcut2:g} must be larger than rcut1 = {self.rcut1:g}"
            raise ValueError(message)
        return self


def emt(settings: EmtSettings) -> CalculatorChoice:
    """Return effective medium theory."""

    def build() -> Calculator:
        from ase.calculators import emt as effective_medium_theory

        return effective_medium_theory.EMT()

    def contact_distance(symbol: str) -> float:
        from ase.data import atomic_numbers, reference_states

        return float(reference_states[atomic_numbers[symbol]]["a"]) / sqrt(2.0)

    return CalculatorChoice(EMT, EMT_METALS, build, contact_distance, provenance_of(EMT, "ase", settings))


def lennard_jones(settings: LennardJonesSettings) -> CalculatorChoice:
    """Return the Lennard-Jones potential."""

    def build() -> Calculator:
        from ase.calculators.lj import LennardJones

        cutoff = LJ_CUTOFF_PER_SIGMA * settings.sigma
        return LennardJones(epsilon=settings.epsilon, sigma=settings.sigma, rc=cutoff, smooth=True)

    return CalculatorChoice(
        LENNARD_JONES,
        None,
        build,
        lambda _symbol: LJ_MINIMUM_PER_SIGMA * settings.sigma,
        provenance_of(LENNARD_JONES, "ase", settings),
        least_distance=LEAST_SHARE_OF_WELL * LJ_MINIMUM_PER_SIGMA * settings.sigma,
    )


def morse(settings: MorseSettings) -> CalculatorChoice:
    """Return the Morse potential."""

    def build() -> Calculator:
        from ase.calculators.morse import MorsePotential

        return MorsePotential(**settings.model_dump())

    return CalculatorChoice(
        MORSE,
        None,
        build,
        lambda _symbol: settings.r0,
        provenance_of(MORSE, "ase", settings),
        least_distance=LEAST_SHARE_OF_WELL * settings.r0,
    )
