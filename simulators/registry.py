"""Makes the evaluator that the settings name: a built-in one, or a user's own class.

Where a user's class is found: `protocols.settings.user_code`, by the same rule as a policy's.
"""

from __future__ import annotations

from typing import Final

from protocols.errors import EntropilotError, SettingsError
from protocols.settings.user_code import Role, load_class
from simulators.evaluator import Evaluator
from simulators.settings import ASE, MOLECULES, STRUCTURAL_MODEL, TABLE, SimulatorSettings

EVALUATOR: Final = Role("evaluator", "evaluate", "evaluate(self, request) -> tuple[Quantity, ...]")
"""What a class of the user's own must be: it is checked before anything is called, for a scenario from elsewhere must
not name a function of the system."""


def make_evaluator(settings: SimulatorSettings) -> Evaluator:
    """Return the evaluator.

    Raises:
        SettingsError: When there is no such class, it does not take its options, or an extra is not installed.
        TableError: When the oracle's table cannot be used.
    """
    if settings.evaluator == ASE:
        from simulators.crystals.crystal_properties import CrystalProperties

        return CrystalProperties(
            settings.calculator, settings.calculator_parameters, settings.crystals, settings.allowed_calculator
        )
    if settings.evaluator == MOLECULES:
        from simulators.molecules.molecule_properties import MoleculeProperties

        return MoleculeProperties()
    if settings.evaluator == TABLE and settings.table is not None:
        from simulators.oracle_table import OracleTable

        return OracleTable.from_settings(settings.table)
    if settings.evaluator == STRUCTURAL_MODEL and settings.structural_model is not None:
        from simulators.structural_model import StructuralModelLab

        return StructuralModelLab(settings.structural_model)
    found = load_class(settings.evaluator, settings.code, EVALUATOR)
    try:
        evaluator: Evaluator = found(**settings.options)
    except EntropilotError:
        raise
    except Exception as error:  # code of the user's own may raise anything
        raise SettingsError(
            f"Evaluator {settings.evaluator!r} cannot be made ({type(error).__name__}: {error})",
            expected="a class that takes [simulator.options] as keyword arguments",
            action="correct the options, or the class",
        ) from error
    return evaluator
