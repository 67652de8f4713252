"""The molecule in a request is bounded, says what is bonded, and says where the atoms are or leaves that out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from protocols.wire.codec import decode_payload, encode
from protocols.wire.limits import MAX_ATOMS, MAX_SMILES_LENGTH
from protocols.wire.messages import CandidateRequest
from protocols.wire.molecule import MIN_DISTANCE, Molecule, MoleculeGeometry
from protocols.wire.structure import MAX_CELL_LENGTH
from tests.support import sample_messages as messages

WATER: dict[str, Any] = {
    "symbols": ("O", "H", "H"),
    "positions": ((0.0, 0.0, 0.119), (0.0, 0.763, -0.477), (0.0, -0.763, -0.477)),
}


def geometry(**fields: Any) -> MoleculeGeometry:
    return MoleculeGeometry.model_validate(WATER | fields)


def test_ase_gets_the_same_molecule() -> None:
    atoms = geometry().to_ase()
    assert atoms.get_chemical_symbols() == ["O", "H", "H"]
    assert not atoms.pbc.any()
    np.testing.assert_array_equal(atoms.positions, WATER["positions"])


@pytest.mark.parametrize(
    "known", [None, geometry(positions=((1 / 3, 0.1 + 0.2, 5e-324), (2.0, -0.0, 0.0), (-1000, 0, 0)))]
)
def test_a_molecule_survives_the_wire_to_the_last_bit(known: MoleculeGeometry | None) -> None:
    molecule = Molecule(smiles="C/C=C\\[C@@H](O)c1ccc([N+](=O)[O-])cc1", geometry=known)
    again = decode_payload(encode(messages.request(structure=None, molecule=molecule, fidelity="b3lyp")))
    assert isinstance(again, CandidateRequest)
    assert (again.molecule, again.fidelity, again.structure) == (molecule, "b3lyp", None)


def test_a_request_without_a_molecule_is_written_as_it_was_before_there_were_any() -> None:
    payload = encode(messages.request())
    assert b"molecule" not in payload
    assert b"fidelity" not in payload


def test_a_result_that_does_not_say_how_it_was_measured_is_written_as_before() -> None:
    assert b"provenance" not in encode(messages.result())
    assert b'"provenance":{"steps":3.0}' in encode(messages.result(provenance={"steps": 3}))


def test_a_candidate_is_not_a_crystal_and_a_molecule() -> None:
    with pytest.raises(ValidationError, match="a crystal or a molecule, not both"):
        messages.request(molecule=Molecule(smiles="O"))


@pytest.mark.parametrize("smiles", ["", "C C", "C\n", "é", "C" * (MAX_SMILES_LENGTH + 1), None, 6])
def test_a_text_that_cannot_be_a_smiles_is_refused(smiles: object) -> None:
    with pytest.raises(ValidationError):
        Molecule.model_validate({"smiles": smiles})


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"symbols": ("O", "H")}, "2 symbols but 3 positions"),
        ({"symbols": ("O", "H", "Xx1")}, "pattern"),
        ({"symbols": (), "positions": ()}, "at least 1"),
        ({"positions": ((0.0, 0.0, 0.0), (0.0, 0.0, float("nan")), (0.0, 1.0, 0.0))}, "finite"),
        ({"positions": ((0.0, 0.0, 0.0), (0.0, 0.0, 1.01 * MAX_CELL_LENGTH), (0.0, 1.0, 0.0))}, "less than"),
        ({"positions": ((0.0, 0.0, 0.0), (0.0, 0.96, 0.0), (0.1, 0.1, 0.1))}, "two atoms are 0.173 Å apart"),
        ({"positions": ((0.0, 0.0, 0.0), (0.0, 0.96, 0.0), (0.0, 0.0, 0.0))}, "at least 0.5 Å"),
    ],
)
def test_a_geometry_that_is_none_is_refused_with_its_reason(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        geometry(**fields)


def test_atoms_may_be_as_near_as_the_bound_in_any_direction() -> None:
    for axis in range(3):
        other = [0.0, 0.0, 0.0]
        other[axis] = MIN_DISTANCE
        assert MoleculeGeometry(symbols=("H", "H"), positions=((0.0, 0.0, 0.0), tuple(other)))  # type: ignore[arg-type]


def test_the_nearest_atoms_are_found_wherever_they_stand_in_a_large_molecule() -> None:
    places = [(float(x), 0.0, 0.0) for x in np.random.default_rng(1).permutation(MAX_ATOMS)]
    symbols = ("C",) * MAX_ATOMS
    assert MoleculeGeometry(symbols=symbols, positions=tuple(places))
    places[17] = (places[401][0] + 0.3, 0.3, 0.0)
    with pytest.raises(ValidationError, match=r"two atoms are 0\.424 Å apart"):
        MoleculeGeometry(symbols=symbols, positions=tuple(places))
