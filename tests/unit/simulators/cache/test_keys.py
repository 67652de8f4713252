"""Two requests are one when the same content is asked of the same evaluator, and never otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.wire.messages import Quantity
from protocols.wire.molecule import Molecule
from protocols.wire.structure import CrystalStructure
from simulators.cache.keys import cache_key
from tests.support.sample_messages import ALUMINIUM, request

IDENTITY = {"evaluator": "test", "version": "1"}


def moved(by: float) -> CrystalStructure:
    return ALUMINIUM.model_copy(update={"scaled_positions": ((by, 0.0, 0.0),)})


@pytest.mark.parametrize(
    "fields",
    [
        {"attempt_id": "another"},
        {"candidate_id": "another"},
        {"campaign": "another"},
        {"family": "trigonal"},
        {"formula": "Al1"},
        {"replicate": 3},
        {"deadline_s": 9.0},
        {"features": (Quantity(name="f", value=1.0, unit=""),)},
        {"structure": moved(-0.0)},
    ],
)
def test_who_asks_when_and_under_which_name_makes_no_other_key(fields: dict[str, Any]) -> None:
    assert cache_key(IDENTITY, request(**fields)) == cache_key(IDENTITY, request())


@pytest.mark.parametrize(
    "fields",
    [
        {"structure": moved(1e-16)},
        {"structure": None, "molecule": Molecule(smiles="C")},
        {"properties": ("volume",)},
        {"properties": ("energy", "volume")},
        {"fidelity": "dear"},
        {"parameters": (Quantity(name="pressure", value=1.0, unit="GPa"),)},
        {"labels": {"solvent": "water"}},
    ],
)
def test_other_content_makes_another_key(fields: dict[str, Any]) -> None:
    assert cache_key(IDENTITY, request(**fields)) not in {None, cache_key(IDENTITY, request())}


def test_another_version_of_the_evaluator_makes_another_key() -> None:
    assert cache_key(IDENTITY | {"version": "2"}, request()) != cache_key(IDENTITY, request())


def test_what_has_no_content_has_no_key() -> None:
    assert cache_key(IDENTITY, request(structure=None)) is None
