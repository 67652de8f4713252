"""What no calculator should be asked about is refused before any is, with all images, and quickly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.structures.checks import MIN_SHARE_OF_BOND
from protocols.wire.limits import MAX_ATOMS
from protocols.wire.messages import FailureReason
from protocols.wire.structure import CrystalStructure
from simulators.calculators.catalogue import choose_calculator
from simulators.calculators.choice import CalculatorChoice
from simulators.calculators.soundness import require_sound
from simulators.evaluator import EvaluationFailed

INVALID, UNSUPPORTED = FailureReason.INVALID_REQUEST, FailureReason.UNSUPPORTED
COPPER_CONTACT = 2 * 1.32
"""Twice the covalent radius of copper in ASE's table [Å]."""


def crystal(atoms: Atoms) -> CrystalStructure:
    content = {
        "cell": tuple(map(tuple, np.array(atoms.cell).tolist())),
        "symbols": tuple(atoms.get_chemical_symbols()),
        "scaled_positions": tuple(map(tuple, atoms.get_scaled_positions(wrap=True).tolist())),
    }
    return CrystalStructure.model_validate(content)


def unchecked(cell: Any = None, symbols: Any = ("Cu",), positions: Any = ((0.0, 0.0, 0.0),)) -> CrystalStructure:
    """A structure that no message could bring, for there is more than one way to a calculator."""
    cell = ((3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 3.0)) if cell is None else cell
    return CrystalStructure.model_construct(cell=cell, symbols=symbols, scaled_positions=positions)


def two(distance: float, symbols: str = "Cu2", edge: float = 6.0) -> Atoms:
    return Atoms(symbols, positions=[[0, 0, 0], [distance, 0, 0]], cell=np.eye(3) * edge, pbc=True)


def learned_like() -> CalculatorChoice:
    """As the machine-learned ones are held to it, without their packages."""
    choice = choose_calculator("emt")
    return CalculatorChoice(
        "like-7net", None, choice.build, choice.contact_distance, least_share=0.65, isolation_distance=5.0
    )


def refused(structure: CrystalStructure, choice: CalculatorChoice | None = None) -> tuple[FailureReason, str]:
    with pytest.raises(EvaluationFailed) as failed:
        require_sound(choice or choose_calculator("emt"), structure)
    return failed.value.reason, failed.value.detail


@pytest.mark.parametrize(
    "atoms",
    [
        bulk("Cu"),
        bulk("Cu", cubic=True).repeat(3),
        bulk("Al", "bcc", a=3.2),
        bulk("Cu", "hcp", a=2.54, c=4.15),
        bulk("Pt", "fcc", a=3.0),
        Atoms("CuAu", scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], cell=np.eye(3) * 3.1, pbc=True),
    ],
    ids=["fcc", "108 atoms", "bcc", "hcp", "compressed by 45 % in volume", "B2"],
)
def test_a_crystal_is_sound(atoms: Atoms) -> None:
    require_sound(choose_calculator("emt"), crystal(atoms))
    require_sound(learned_like(), crystal(atoms))


@pytest.mark.parametrize(
    ("atoms", "reason", "says"),
    [
        (two(0.0), INVALID, "Cu and Cu are 0 Å apart; at least 1.32 Å"),
        (two(1.31), INVALID, "1.31 Å apart"),
        (two(5.0), INVALID, "Cu and Cu are 1 Å apart"),  # through the wall of the cell
        (two(1.0, "CuAg"), INVALID, "at least 1.39 Å"),
        (two(1.9, "FeCu"), UNSUPPORTED, "the structure has Fe;"),
        (bulk("Cu", a=1.7), INVALID, "own image in the next cell; at least 1.32 Å"),
        (Atoms("Cu", cell=np.diag([9, 9, 1.1]), pbc=True), INVALID, "Cu is 1.1 Å from its own image"),
        (Atoms("Cu", cell=np.eye(3) * 18, pbc=True), INVALID, "expected 1 to 5000"),
        (Atoms("Cu", cell=np.diag([1, 1, 0.5]), pbc=True), INVALID, "0.5 Å³ an atom"),
    ],
)
def test_what_is_no_crystal_is_refused_with_what_is_wrong(atoms: Atoms, reason: FailureReason, says: str) -> None:
    found, detail = refused(crystal(atoms))
    assert (found, says in detail) == (reason, True), detail


@pytest.mark.parametrize(
    ("structure", "reason", "says"),
    [
        (unchecked(positions=((float("nan"), 0.0, 0.0),)), INVALID, "no finite number"),
        (unchecked(cell=((float("inf"), 0.0, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 3.0))), INVALID, "no finite number"),
        (unchecked(cell=((0.0,) * 3,) * 3), INVALID, "flat"),
        (unchecked(cell=((3.0, 0.0, 0.0), (6.0, 0.0, 0.0), (0.0, 0.0, 3.0))), INVALID, "flat"),
        (unchecked(cell=((3.0, 0.0), (0.0, 3.0))), INVALID, "three lattice vectors"),
        (unchecked(cell=((1e9, 0.0, 0.0), (0.0, 1e-4, 0.0), (0.0, 0.0, 1e-3))), INVALID, "at most 1000 Å along"),
        (unchecked(symbols=("Cu",) * 10_000, positions=((0.0,) * 3,) * 10_000), INVALID, "10000 atoms; at most 500"),
        (unchecked(symbols=("Cu", "Cu")), INVALID, "three coordinates an atom"),
    ],
)
def test_what_no_message_could_bring_is_refused_too(
    structure: CrystalStructure, reason: FailureReason, says: str
) -> None:
    found, detail = refused(structure)
    assert (found, says in detail) == (reason, True), detail


@pytest.mark.parametrize("symbol", ["X", "Qq", "D", "Xx"])
def test_an_element_that_there_is_not_is_refused_also_by_who_treats_all_alike(symbol: str) -> None:
    reason, detail = refused(unchecked(symbols=(symbol,)), choose_calculator("lennard_jones"))
    assert reason is UNSUPPORTED
    assert f"has {symbol}, which is no chemical element" in detail


def test_a_learned_calculator_is_asked_about_bonds_only() -> None:
    assert MIN_SHARE_OF_BOND * COPPER_CONTACT < 1.6 < 0.65 * COPPER_CONTACT
    require_sound(choose_calculator("emt"), crystal(two(1.6)))
    assert refused(crystal(two(1.6)), learned_like())[0] is INVALID


def test_an_isolated_atom_is_refused_where_its_number_would_mean_nothing() -> None:
    alone = crystal(Atoms("Cu", cell=np.eye(3) * 5.2, pbc=True))
    require_sound(choose_calculator("emt"), alone)
    reason, detail = refused(alone, learned_like())
    assert reason is UNSUPPORTED
    assert "Cu has no neighbour within 5 Å" in detail
    with_a_pair = crystal(Atoms("Cu3", positions=[[0, 0, 0], [2.5, 0, 0], [9, 9, 9]], cell=np.eye(3) * 18, pbc=True))
    assert refused(with_a_pair, learned_like())[0] is UNSUPPORTED
    require_sound(learned_like(), crystal(Atoms("Cu", cell=np.eye(3) * 4.9, pbc=True)))


def test_a_potential_without_elements_is_held_to_its_own_length() -> None:
    small = choose_calculator("lennard_jones", {"sigma": 1.0})
    require_sound(small, crystal(two(0.9)))
    assert refused(crystal(two(0.51)), small)[0] is INVALID
    large = choose_calculator("morse", {"r0": 6.0})
    assert "at least 3.00 Å" in refused(crystal(two(2.9)), large)[1]


@pytest.mark.parametrize(
    "cell",
    [
        [[1000.0, 0, 0], [999.9, 0.02, 0], [0, 0, 1.0]],
        [[1000.0, 1000, 1000], [999.9, 1000, 1000], [1000, 999.9, 1000.0]],
        [[1000.0, 0, 0], [999.123, 1e-3, 0], [123.4, 56.7, 20.0]],
        [[1000.0, 0, 0], [0, 1000.0, 0], [0, 0, 1.1e-6]],
    ],
)
def test_a_needle_of_a_cell_is_refused_before_its_images_are_counted(cell: list[list[float]]) -> None:
    """A list of neighbours within 3 Å of these would have millions of entries, or none of an end."""
    assert refused(unchecked(cell=tuple(map(tuple, cell))))[0] is INVALID


def test_the_choice_of_the_cell_does_not_matter() -> None:
    atoms = bulk("Cu", cubic=True)
    skewed = np.array([[1, 0, 0], [7, 1, 0], [-5, 11, 1]]) @ np.array(atoms.cell)
    again = Atoms(atoms.symbols, positions=atoms.positions, cell=skewed, pbc=True)
    require_sound(choose_calculator("emt"), crystal(again))
    again.positions[0] += [1.0, 1.0, 0.0]
    assert "Cu and Cu are" in refused(crystal(again))[1]


@settings(max_examples=60, deadline=None)
@given(
    cell=st.lists(st.lists(st.floats(-30, 30), min_size=3, max_size=3), min_size=3, max_size=3),
    positions=st.lists(st.tuples(*[st.floats(-1, 2)] * 3), min_size=1, max_size=6),
)
def test_whatever_passes_has_no_two_atoms_upon_each_other(cell: Any, positions: Any) -> None:
    """Held against ASE's distances over 7 × 7 × 7 cells around."""
    structure = unchecked(tuple(map(tuple, cell)), ("Cu",) * len(positions), tuple(positions))
    try:
        require_sound(choose_calculator("emt"), structure)
    except EvaluationFailed:
        return
    images = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3), axis=-1).reshape(-1, 3)
    points = np.array(positions) @ np.array(cell)
    vectors = points[:, None, None] - points[None, :, None] + (images @ np.array(cell))[None, None]
    distances = np.linalg.norm(vectors, axis=-1)
    own = (images == 0).all(axis=1)
    distances[np.arange(len(points)), np.arange(len(points)), np.argmax(own)] = np.inf
    assert distances.min() >= MIN_SHARE_OF_BOND * COPPER_CONTACT - 1e-9


def test_a_cell_as_large_as_a_message_may_bring_is_taken() -> None:
    atoms = bulk("Cu", cubic=True).repeat((5, 5, 5))
    assert len(atoms) == MAX_ATOMS
    require_sound(choose_calculator("emt"), crystal(atoms))
