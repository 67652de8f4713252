"""Makes the evaluator that the settings name."""

from __future__ import annotations

import importlib

from protocols.errors import SettingsError
from simulators.evaluator import Evaluator
from simulators.settings import ASE, TABLE, SimulatorSettings


def make_evaluator(settings: SimulatorSettings) -> Evaluator:
    """Return the evaluator.

    Raises:
        SettingsError: When there is no such class, or it does not take its options.
        TableError: When the oracle's table cannot be used.
    """
    if settings.evaluator == ASE:
        from simulators.ase_properties import AseProperties

        return AseProperties(settings.calculator, settings.calculator_parameters)
    if settings.evaluator == TABLE and settings.table is not None:
        from simulators.oracle_table import OracleTable

        return OracleTable.from_settings(settings.table)
    return _imported(settings)


def _imported(settings: SimulatorSettings) -> Evaluator:
    name = settings.evaluator
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
        _require_evaluator(name, found)
        evaluator: Evaluator = found(**settings.options)
    except (ImportError, AttributeError, TypeError) as error:
        raise SettingsError(
            f"Evaluator {name!r} cannot be made: {error}",
            expected="an importable class that takes [simulator.options] as keyword arguments",
            action="check the name, the options, and that its module is on PYTHONPATH",
        ) from None
    return evaluator


def _require_evaluator(name: str, found: object) -> None:
    """Check before anything is called: a scenario from elsewhere must not name a function of the system."""
    if not isinstance(found, type) or not callable(getattr(found, "evaluate", None)):
        lacking = "has no method `evaluate`" if isinstance(found, type) else "is no class"
        raise SettingsError(
            f"Evaluator {name!r} {lacking}",
            expected="a class of the protocol `simulators.evaluator.Evaluator`",
            action="give it `evaluate(request) -> tuple[Quantity, ...]`",
        )
