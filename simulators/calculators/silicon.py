"""Two many-body potentials of silicon, calculated by matscipy (extra `potentials`), with the values of their papers.

Both have the open structure of diamond as a minimum, which no pair potential has: Stillinger and Weber by a term for
the angle between two bonds, Tersoff by bonds that weaken with the number of others.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from pydantic import Field, model_validator

from protocols.extras import load
from simulators.calculators.choice import CalculatorChoice
from simulators.calculators.parameters import CalculatorParameters, Energy, Length
from simulators.calculators.provenance import provenance_of, require_installed

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

STILLINGER_WEBER: Final = "stillinger_weber"
TERSOFF: Final = "tersoff"

SILICON: Final = ("Si",)
"""What their published values are of."""

SILICON_BOND: Final = 2.35
"""Bond of silicon in the structure of diamond [Å]."""

PACKAGE: Final = "matscipy"
_MODULE: Final = "matscipy.calculators.manybody"

STILLINGER_WEBER_PAPER: Final = "F. H. Stillinger, T. A. Weber, Phys. Rev. B 31, 5262 (1985)"
TERSOFF_PAPER: Final = "J. Tersoff, Phys. Rev. B 39, 5566 (1989)"

_UNWRITTEN: Final = "'where' used without 'out'"
"""What NumPy says of matscipy's way to leave out entries that it does not use: it is right, and not for users."""

Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]


class StillingerWeberSettings(CalculatorParameters):
    """The potential of Stillinger and Weber in the words of their paper, with its values for silicon.

    Another known set, for amorphous silicon, differs in two values: epsilon = 1.64833 and lambda1 = 31.5 (R. L. C. Vink
    et al., J. Non-Cryst. Solids 282, 248 (2001)).
    """

    epsilon: Energy = 2.1683
    """Depth of the pair term [eV]."""
    sigma: Length = 2.0951
    """Length [Å]: the bond is 2^(1/6) of it."""
    A: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 7.049556277
    """Strength of the pair term [epsilon]."""
    B: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 0.6022245584
    """Share of repulsion in it [1]."""
    p: Annotated[int, Field(ge=2, le=12)] = 4
    """Exponent of the repulsion [1]."""
    a: Annotated[float, Field(ge=1.3, le=3, allow_inf_nan=False)] = 1.80
    """Where the potential ends [sigma]."""
    lambda1: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 21.0
    """Strength of the angular term, λ of the paper [epsilon]."""
    gamma: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 1.20
    """How the angular term fades with the distance [sigma]."""


class TersoffSettings(CalculatorParameters):
    """The potential of Tersoff in the words of his paper, with its values for silicon."""

    A: Positive = 1830.8
    """Strength of the repulsion [eV]."""
    B: Positive = 471.18
    """Strength of the attraction [eV]."""
    lambda1: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)] = 2.4799
    """How the repulsion fades, λ of the paper [1/Å]."""
    mu: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)] = 1.7322
    """How the attraction fades [1/Å]."""
    beta: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 1.1e-6
    """How bonds weaken each other [1]."""
    n: Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)] = 0.78734
    """Exponent of that [1]."""
    c: Positive = 1.0039e5
    """How strong the angle counts [1]."""
    d: Annotated[float, Field(gt=0, le=1e3, allow_inf_nan=False)] = 16.217
    """How sharp the angle counts [1]."""
    h: Annotated[float, Field(ge=-1, le=1)] = -0.59825
    """Cosine of the best angle [1]."""
    r1: Length = 2.70
    """Where the cut-off begins, R of the paper [Å]."""
    r2: Length = 3.00
    """Where the potential ends, S of the paper [Å]."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.r2 <= self.r1:
            message = f"r2 = {self.r2:g} must be larger than r1 = {self.r1:g}"
            raise ValueError(message)
        return self


def stillinger_weber(settings: StillingerWeberSettings) -> CalculatorChoice:
    """Return the potential of Stillinger and Weber.

    Raises:
        ExtraMissingError: When matscipy is not installed.
    """
    require_installed(PACKAGE, STILLINGER_WEBER)

    def build() -> Calculator:
        forms, many_body = load(f"{_MODULE}.explicit_forms"), load(_MODULE)
        # The cosine of the tetrahedral angle is part of the form, not fitted.
        table = {"el": "Si", "costheta0": 1.0 / 3.0, **settings.model_dump()}
        return many_body.Manybody(**forms.StillingerWeber(table))

    named = provenance_of(STILLINGER_WEBER, PACKAGE, settings)
    named |= _source(settings, StillingerWeberSettings(), STILLINGER_WEBER_PAPER)
    return CalculatorChoice(STILLINGER_WEBER, SILICON, build, lambda _symbol: SILICON_BOND, named)


def tersoff(settings: TersoffSettings) -> CalculatorChoice:
    """Return the potential of Tersoff.

    Raises:
        ExtraMissingError: When matscipy is not installed.
    """
    require_installed(PACKAGE, TERSOFF)

    def build() -> Calculator:
        forms, many_body = load(f"{_MODULE}.explicit_forms"), load(_MODULE)
        values = settings.model_dump()
        values["lambda"] = values.pop("lambda1")
        # One element: no mixing (chi), and no term of lambda3, which the paper leaves out.
        table: dict[str, Any] = {name: [value] for name, value in (values | {"chi": 1.0, "lambda3": 0.0}).items()}
        potential = forms.TersoffBrenner({"style": "Tersoff", "el": ["Si"], **table})

        class Tersoff(many_body.Manybody):  # type: ignore[misc, name-defined]
            """Calculates without a warning that is not for users."""

            def calculate(self, *arguments: Any, **named: Any) -> None:
                """Calculate."""
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", message=_UNWRITTEN)
                    super().calculate(*arguments, **named)

        return Tersoff(**potential)

    named = provenance_of(TERSOFF, PACKAGE, settings)
    named |= _source(settings, TersoffSettings(), TERSOFF_PAPER)
    return CalculatorChoice(TERSOFF, SILICON, build, lambda _symbol: SILICON_BOND, named)


def _source(settings: CalculatorParameters, published: CalculatorParameters, paper: str) -> dict[str, str]:
    """Return where the values are from, as long as they are those of the paper."""
    return {"parameters_from": paper if settings == published else f"form of {paper}, other values"}
