"""A calculator of the user's own: a function that makes one, run only where a person at the lab allows it by name.

The word is given on the command line of whoever runs the simulator (`--allow-calculator module:factory`). A setting
alone, in a scenario or a pack, allows nothing; and no message names a calculator at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from protocols.errors import SettingsError
from protocols.settings.user_code import INSTALLED, CodeSource, code_digest, load_factory
from simulators.calculators.choice import CalculatorChoice
from simulators.calculators.provenance import UNKNOWN_VERSION, parameters_digest, version_of

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

ALLOW_FLAG: Final = "--allow-calculator"
"""The flag by which a person allows one."""

_NEEDED: Final = ("get_potential_energy", "get_property")
"""A method that calculators of ASE have: the first of the old ones, the second of the new."""


@dataclass(frozen=True, slots=True)
class AllowedCalculator:
    """A calculator of the user's own that a person has allowed.

    Attributes:
        name: As the settings name it: `module:factory` or `path/to/file.py:factory`.
        source: Where it comes from.
    """

    name: str
    source: CodeSource = INSTALLED


def own(name: str, parameters: Mapping[str, object], allowed: AllowedCalculator | None) -> CalculatorChoice:
    """Return a calculator of the user's own; its module is imported when it is built.

    Args:
        name: `module:factory` or `path/to/file.py:factory`.
        parameters: Keyword arguments of the factory.
        allowed: What a person has allowed; None for nothing.

    Raises:
        SettingsError: When it is not allowed.
    """
    if allowed is None or allowed.name != name:
        raise SettingsError(
            f"The calculator {name!r} is code of somebody's own, and nobody here has allowed it",
            expected="your word on the command line: no setting and no message can give it",
            action=f"read that code, then start the simulator with {ALLOW_FLAG} {name}",
        )

    @cache
    def build() -> Calculator:
        """Make it once in a process: it may be heavy, and serves many crystals, one after the other."""
        factory = load_factory(name, allowed.source, "calculator", "a calculator of ASE")
        try:
            made: Calculator = factory(**parameters)
        except Exception as error:  # code of the user's own may raise anything
            raise SettingsError(
                f"The calculator {name!r} cannot be made ({type(error).__name__}: {error})",
                expected="a function that takes [simulator.calculator_parameters] as keyword arguments",
                action="correct the parameters, or the function",
            ) from error
        if not any(callable(getattr(made, method, None)) for method in _NEEDED):
            raise SettingsError(
                f"The calculator {name!r} returned a {type(made).__name__}",
                expected="a calculator of ASE, with get_potential_energy",
                action="return one from that function",
            )
        return made

    return CalculatorChoice(name, None, build, _contact_distance, _named(name, parameters, allowed.source))


def _contact_distance(symbol: str) -> float:
    from ase.data import atomic_numbers, covalent_radii

    return 2.0 * float(covalent_radii[atomic_numbers[symbol]])


def _named(name: str, parameters: Mapping[str, object], source: CodeSource) -> dict[str, str]:
    """Return what names it: the digest of its own code, or the version of the package that it is in."""
    package = name.partition(":")[0].partition(".")[0]
    named = {"calculator": name[-MAX_NAME:], "parameters_sha256": parameters_digest(parameters)}
    if digest := code_digest(name, source):
        named["calculator_code_sha256"] = digest
    elif (version := version_of(package)) != UNKNOWN_VERSION:
        named["calculator_package"] = f"{package} {version}"
    return named


MAX_NAME: Final = 200
"""Longest name that is told [character]: what one entry of a provenance may have; of a longer one its end."""
