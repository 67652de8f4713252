"""Makes the evaluator that the settings name, a built-in one or a user's own class, and the instrument around it.

Where a user's class is found: `protocols.settings.user_code`, by the same rule as a policy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from protocols.errors import EntropilotError, SettingsError
from protocols.settings.user_code import Role, load_class
from simulators.evaluator import Evaluator
from simulators.instrument.drift import Drift
from simulators.instrument.instrument import Instrument
from simulators.instrument.jumps import Jumps
from simulators.instrument.noise import Noise
from simulators.instrument.outliers import Outliers
from simulators.settings import ASE, MOLECULES, STRUCTURAL_MODEL, TABLE, SimulatorSettings

if TYPE_CHECKING:
    from simulators.oracle_table import OracleTable, OracleTableSettings

EVALUATOR: Final = Role("evaluator", "evaluate", "evaluate(self, request) -> tuple[Quantity, ...]")
"""What a class of the user's own must be: it is checked before anything is called, for a scenario from elsewhere must
not name a function of the system."""


def make_instrument(settings: SimulatorSettings) -> Instrument:
    """Return what a simulator errs by."""
    name, noise, outliers, drift, jumps = settings.id, settings.noise, settings.outliers, settings.drift, settings.jumps
    return Instrument(
        noise=Noise(noise, name) if noise else None,
        outliers=Outliers(outliers, name) if outliers else None,
        bias=settings.bias,
        drift=Drift(drift, name) if drift else None,
        jumps=Jumps(jumps, name) if jumps else None,
        calibration=settings.counted_by,
    )


def _complete(oracle: OracleTable, table: OracleTableSettings, settings: SimulatorSettings) -> Evaluator:
    """Return the oracle with what answers where its table does not."""
    if table.miss == "nearest" and table.tolerance is not None:
        from simulators.oracle.nearest_misses import NearestMisses

        return NearestMisses(oracle, table.tolerance)
    if table.miss != "calculate":
        return oracle
    from simulators.oracle.calculated import CalculatedMisses

    def maker(evaluator: str) -> Callable[[], Evaluator]:
        return lambda: make_evaluator(settings.model_copy(update={"evaluator": evaluator}))

    return CalculatedMisses(oracle, crystals=maker(ASE), molecules=maker(MOLECULES))


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

        return _complete(OracleTable.from_settings(settings.table), settings.table, settings)
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
