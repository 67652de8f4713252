"""The crystal in a request is the same crystal for ASE, for pymatgen and after a trip over the wire."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from protocols.wire.codec import decode_payload, encode
from protocols.wire.limits import MAX_ATOMS
from protocols.wire.messages import CandidateRequest
from protocols.wire.structure import MAX_CELL_LENGTH, MIN_CELL_VOLUME, CrystalStructure
from tests.support import sample_messages as messages

TRICLINIC: dict[str, Any] = {
    "cell": ((4.1, 0.0, 0.0), (0.7, 5.2, 0.0), (-0.9, 1.3, 6.3)),
    "symbols": ("Ni", "Al", "Cu"),
    "scaled_positions": ((0.0, 0.0, 0.0), (0.25, 0.5, 0.75), (0.9, 0.1, 0.4)),
}


def crystal(**fields: Any) -> CrystalStructure:
    return CrystalStructure.model_validate(TRICLINIC | fields)


def test_ase_gets_the_same_crystal() -> None:
    atoms = crystal().to_ase()
    assert atoms.get_chemical_symbols() == ["Ni", "Al", "Cu"]
    assert atoms.pbc.all()
    np.testing.assert_allclose(atoms.cell[:], TRICLINIC["cell"])
    np.testing.assert_allclose(atoms.get_scaled_positions(wrap=False), TRICLINIC["scaled_positions"], atol=1e-12)
    assert crystal().volume == pytest.approx(atoms.get_volume())


def test_pymatgen_gets_the_same_crystal() -> None:
    structure = crystal().to_pymatgen()
    assert [site.specie.symbol for site in structure] == ["Ni", "Al", "Cu"]
    np.testing.assert_allclose(structure.lattice.matrix, TRICLINIC["cell"])
    np.testing.assert_allclose(structure.frac_coords, TRICLINIC["scaled_positions"])
    assert crystal().volume == pytest.approx(structure.volume)


def test_the_two_libraries_agree_on_every_distance() -> None:
    structure = crystal()
    # Distances over periodic boundaries need cell, positions and periodicity to be right, all at once.
    np.testing.assert_allclose(
        structure.to_ase().get_all_distances(mic=True), structure.to_pymatgen().distance_matrix, atol=1e-9
    )


def test_a_crystal_survives_the_way_to_pymatgen_and_back() -> None:
    assert CrystalStructure.from_pymatgen(crystal().to_pymatgen()) == crystal()


def test_a_crystal_survives_the_wire_to_the_last_bit() -> None:
    odd = crystal(scaled_positions=((1 / 3, 2 / 3, 0.1 + 0.2), (-1.0, 2.0, 5e-324), (0.0, -0.0, 1.0)))
    request = messages.request(structure=odd)
    again = decode_payload(encode(request))
    assert isinstance(again, CandidateRequest)
    assert again.structure == odd


def test_the_last_bits_of_a_platform_do_not_change_the_bytes() -> None:
    structure = crystal().to_pymatgen()
    shaken = structure.copy()
    shaken.translate_sites(range(3), [1e-11, -1e-11, 1e-11], to_unit_cell=False)
    same = CrystalStructure.from_pymatgen(structure), CrystalStructure.from_pymatgen(shaken)
    assert same[0].model_dump_json() == same[1].model_dump_json()
    assert "-0.0" not in same[1].model_dump_json()


def test_a_position_just_below_the_far_face_is_one_on_the_near_face() -> None:
    structure = crystal(scaled_positions=((1 - 1e-12, -1e-12, 1.0),) * 3).to_pymatgen()
    assert CrystalStructure.from_pymatgen(structure).scaled_positions[0] == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "cell",
    [
        ((0.0, 0.0, 0.0),) * 3,
        ((4.0, 0.0, 0.0), (0.0, 4.0, 0.0), (4.0, 4.0, 0.0)),
        ((4.0, 0.0, 0.0), (8.0, 0.0, 0.0), (0.0, 0.0, 4.0)),
        ((1e-2, 0.0, 0.0), (0.0, 1e-2, 0.0), (0.0, 0.0, 1e-2)),
    ],
)
def test_a_flat_or_empty_cell_is_refused(cell: object) -> None:
    with pytest.raises(ValidationError, match="flat or left empty"):
        crystal(cell=cell)


def test_a_left_handed_cell_has_a_volume_too() -> None:
    rows = TRICLINIC["cell"]
    assert crystal(cell=(rows[1], rows[0], rows[2])).volume == pytest.approx(crystal().volume)
    assert crystal().volume > MIN_CELL_VOLUME


@pytest.mark.parametrize(
    "fields",
    [
        {"symbols": ("Ni", "Al")},
        {"scaled_positions": ((0.0, 0.0, 0.0),)},
        {"symbols": (), "scaled_positions": ()},
        {"symbols": ("ni", "Al", "Cu")},
        {"symbols": ("Nii", "Al", "Cu")},
        {"symbols": ("Ni\n", "Al", "Cu")},
        {"symbols": (28, 13, 29)},
        {"scaled_positions": ((0.0, 0.0, 2.1),) * 3},
        {"scaled_positions": ((0.0, 0.0, -1.1),) * 3},
        {"scaled_positions": ((0.0, 0.0, float("nan")),) * 3},
        {"scaled_positions": ((0.0, 0.0),) * 3},
        {"scaled_positions": (("0", "0", "0"),) * 3},
        {"cell": ((1.1 * MAX_CELL_LENGTH, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.0, 4.0))},
        {"cell": ((float("inf"), 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.0, 4.0))},
        {"cell": ((4.0, 0.0, 0.0), (0.0, 4.0, 0.0))},
        {"magnetic_moments": (1.0, 0.0, 0.0)},
    ],
)
def test_what_is_no_crystal_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        crystal(**fields)


def test_the_largest_cell_fits_a_message_and_one_atom_more_is_refused() -> None:
    spot = (0.12345678, 0.12345678, 0.12345678)
    largest = crystal(symbols=("Ni",) * MAX_ATOMS, scaled_positions=(spot,) * MAX_ATOMS)
    encode(messages.request(structure=largest, formula=f"Ni{MAX_ATOMS}"))
    with pytest.raises(ValidationError):
        crystal(symbols=("Ni",) * (MAX_ATOMS + 1), scaled_positions=(spot,) * (MAX_ATOMS + 1))
