"""What an instrument can do, from its settings alone: nothing is calculated, and no table is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.wire.messages import ServedProperty, ServedRange
from simulators.settings import ASE, MOLECULES, STRUCTURAL_MODEL, TABLE, SimulatorSettings


def capabilities_of(settings: SimulatorSettings) -> Mapping[str, Any]:
    """Return the fields of `protocols.wire.messages.Capabilities` that say what an instrument can do."""
    serves = settings.serves
    properties, elements, fidelities = _of_the_evaluator(settings)
    return {
        "simulated": serves.simulated,
        "properties": None if properties is None else tuple(
            ServedProperty(name=name, unit=unit) for name, unit in properties.items()
        ),
        "fidelities": fidelities if serves.fidelities is None else serves.fidelities,
        "elements": serves.elements or elements,
        "parameters": tuple(
            ServedRange(name=name, unit=each.unit, low=each.low, high=each.high)
            for name, each in serves.parameters.items()
        ),
        "slots": settings.concurrency,
        "expected_s": serves.expected_s or settings.latency.mean_s or None,
    }  # fmt: skip


def _of_the_evaluator(
    settings: SimulatorSettings,
) -> tuple[dict[str, str] | None, tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return properties with their units, elements, and methods, as far as they are known; None where they are not."""
    match settings.evaluator:
        case evaluator if evaluator == ASE:
            from simulators.calculators.catalogue import choose_calculator
            from simulators.crystals.catalogue import units_at_hand

            choice = choose_calculator(settings.calculator, settings.calculator_parameters, settings.allowed_calculator)
            return units_at_hand(), choice.elements, ()
        case evaluator if evaluator == MOLECULES:
            from simulators.molecules.molecule_properties import FIDELITIES, MOLECULE_UNITS

            return dict(MOLECULE_UNITS), None, FIDELITIES
        case evaluator if evaluator == TABLE and settings.table is not None:
            columns = settings.table.columns
            return {columns.property: columns.unit, **columns.additional_properties}, None, None
        case evaluator if evaluator == STRUCTURAL_MODEL and settings.structural_model is not None:
            return dict.fromkeys(settings.structural_model.variables, ""), None, None
        case _:
            return None, None, None
