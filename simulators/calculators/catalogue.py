"""The closed list of ASE calculators that a setting may name, and the way to one of the user's own.

A name is looked up here and nowhere else, and no message has one: nothing that comes from outside can make us import or
start a program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from pydantic import ValidationError

from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean
from protocols.settings.user_code import is_user_code
from simulators.calculators import learned, light, silicon
from simulators.calculators.choice import CalculatorChoice
from simulators.calculators.light import EMT_METALS
from simulators.calculators.own import AllowedCalculator, own
from simulators.calculators.parameters import CalculatorParameters

__all__ = ["CALCULATOR_NAMES", "EMT_METALS", "OWN_CALCULATOR", "choose_calculator"]

_SettingsT = TypeVar("_SettingsT", bound=CalculatorParameters)

OWN_CALCULATOR: Final = "module:factory or path/to/file.py:factory of your own, which --allow-calculator allows"
"""What else than a name of the list may stand, for errors."""


def _listed(
    settings: type[_SettingsT], choose: Callable[[_SettingsT], CalculatorChoice]
) -> Callable[[Mapping[str, object]], CalculatorChoice]:
    return lambda parameters: choose(settings.model_validate(dict(parameters)))


_CALCULATORS: Final[Mapping[str, Callable[[Mapping[str, object]], CalculatorChoice]]] = {
    light.EMT: _listed(light.EmtSettings, light.emt),
    light.LENNARD_JONES: _listed(light.LennardJonesSettings, light.lennard_jones),
    light.MORSE: _listed(light.MorseSettings, light.morse),
    silicon.TERSOFF: _listed(silicon.TersoffSettings, silicon.tersoff),
    silicon.STILLINGER_WEBER: _listed(silicon.StillingerWeberSettings, silicon.stillinger_weber),
    learned.SEVENNET: _listed(learned.SevenNetSettings, learned.sevennet),
    learned.CHGNET: _listed(learned.ChgnetSettings, learned.chgnet),
}

CALCULATOR_NAMES: Final = tuple(_CALCULATORS)
"""Every name of the list."""


def choose_calculator(
    name: str, parameters: Mapping[str, object] | None = None, allowed: AllowedCalculator | None = None
) -> CalculatorChoice:
    """Return the calculator of that name with its parameters checked; nothing heavy is imported before it is built.

    Args:
        name: One of the list, or `module:factory` of the user's own.
        parameters: Its parameters; none for its defaults.
        allowed: The calculator of the user's own that a person has allowed.

    Raises:
        ExtraMissingError: When the extra that calculates is not installed.
        SettingsError: When the name is not in the list, a parameter is not one of the calculator's, or nobody has
            allowed it.
    """
    if is_user_code(name):
        return own(name, parameters or {}, allowed)
    if name not in _CALCULATORS:
        raise SettingsError(
            f"The calculator {name!r} is not in the list",
            expected=f"one of {', '.join(CALCULATOR_NAMES)}; or {OWN_CALCULATOR}",
            action=did_you_mean(name, CALCULATOR_NAMES) or "name one of these",
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
