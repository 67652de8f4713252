"""A simulator announces what its evaluator can do, and what its settings say beside that."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.wire.codec import decode
from protocols.wire.messages import Capabilities
from simulators.crystals.catalogue import CRYSTAL_UNITS, units_at_hand
from simulators.messages import Messages
from simulators.serving.capabilities import capabilities_of
from simulators.settings import SimulatorSettings
from tests.support.campaigns import NOW


def said(**settings: Any) -> Capabilities:
    """What a simulator of these settings announces."""
    message = decode(*Messages("s", lambda: NOW).capabilities("demo", capabilities_of(SimulatorSettings(**settings))))
    assert isinstance(message, Capabilities)
    return message


def properties(message: Capabilities) -> dict[str, str]:
    return {each.name: each.unit for each in message.properties or ()}


def test_a_calculator_says_its_properties_and_elements_and_has_its_usual_method_alone() -> None:
    message = said(concurrency=3, latency={"mean_s": 0.5})
    assert properties(message) == units_at_hand()
    assert properties(message)["shear_modulus_vrh"] == "GPa"
    assert {"Cu", "Au"} <= set(message.elements or ())
    assert (message.fidelities, message.slots, message.expected_s, message.simulated) == ((), 3, 0.5, True)
    assert said(calculator="lennard_jones").elements is None


def test_without_phonopy_no_frequency_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.crystals.catalogue.is_installed", lambda package: False)
    assert set(CRYSTAL_UNITS) - set(properties(said())) == {"smallest_frequency"}


def test_a_lab_of_molecules_says_its_methods() -> None:
    message = said(evaluator="molecules")
    assert message.fidelities == ("gfn2", "b3lyp")
    assert properties(message)["dipole_moment"] == properties(message)["dipole"] == "D"


def test_a_table_says_its_columns_and_plays_any_method() -> None:
    columns = {
        "family": "f",
        "property": "gap",
        "unit": "eV",
        "composition": "x",
        "additional_properties": {"dipole": "D"},
    }
    message = said(evaluator="table", table={"path": "x.csv", "columns": columns})
    assert properties(message) == {"gap": "eV", "dipole": "D"}
    assert message.fidelities is None


def test_a_structural_model_says_its_variables() -> None:
    model = {"variables": ["x", "y"], "target": "y", "edges": [["x", "y", 1.0]]}
    assert properties(said(evaluator="structural_model", structural_model=model)) == {"x": "", "y": ""}


def test_a_class_of_the_users_own_says_what_the_settings_say_and_nothing_else() -> None:
    message = said(evaluator="a:B")
    assert (message.properties, message.elements, message.fidelities, message.expected_s) == (None, None, None, None)
    ranges = {"temperature": {"low": 300.0, "high": 900.0, "unit": "K"}}
    serves = {"elements": ("Cu",), "fidelities": ("slow",), "parameters": ranges, "expected_s": 9.0, "simulated": False}
    message = said(evaluator="a:B", serves=serves)
    assert (message.elements, message.fidelities, message.expected_s) == (("Cu",), ("slow",), 9.0)
    assert [(each.name, each.low, each.high, each.unit) for each in message.parameters] == [
        ("temperature", 300.0, 900.0, "K")
    ]
    assert not message.simulated
