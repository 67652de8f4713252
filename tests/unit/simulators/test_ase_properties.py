from __future__ import annotations

from datetime import UTC, datetime
from math import exp
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from scipy.optimize import minimize_scalar

from protocols.errors import SettingsError
from protocols.wire.messages import CandidateRequest, FailureReason
from protocols.wire.structure import CrystalStructure
from simulators.ase_properties import AseProperties, _minimum, _Point
from simulators.calculators.catalogue import EMT_METALS, choose_calculator
from simulators.evaluator import EvaluationFailed, Evaluator

B2 = bulk("CuAu", "cesiumchloride", a=3.1)


def crystal(atoms: Atoms) -> CrystalStructure:
    a, b, c = (_vector(row) for row in atoms.cell)
    return CrystalStructure(
        cell=(a, b, c),
        symbols=tuple(atoms.get_chemical_symbols()),
        scaled_positions=tuple(_vector(row) for row in atoms.get_scaled_positions()),
    )


def _vector(row: Any) -> tuple[float, float, float]:
    x, y, z = (float(each) for each in row)
    return x, y, z


def request(structure: CrystalStructure | None, *properties: str) -> CandidateRequest:
    return CandidateRequest(
        campaign="c",
        message_id="m",
        sent_at=datetime(2026, 1, 1, tzinfo=UTC),
        attempt_id="a",
        candidate_id="x",
        decision=0,
        attempt=1,
        family="cubic",
        structure=structure,
        properties=properties or ("formation_energy_per_atom",),
        deadline_s=10,
    )


def calculated(atoms: Atoms, evaluator: AseProperties | None = None) -> tuple[float, float]:
    energy, volume = (evaluator or AseProperties()).calculate(crystal(atoms))
    return energy.value, volume.value


def searched(atoms: Atoms) -> tuple[float, float]:
    """Energy and volume per atom by a plain search over the scale, without stresses."""
    cell = np.array(atoms.cell)

    def energy(scale: float) -> float:
        scaled = atoms.copy()
        scaled.set_cell(cell * scale, scale_atoms=True)
        scaled.calc = EMT()
        return float(scaled.get_potential_energy()) / len(atoms)

    best = minimize_scalar(energy, bounds=(0.8, 1.3), method="bounded", options={"xatol": 1e-7})
    return float(best.fun), float(abs(np.linalg.det(cell))) * best.x**3 / len(atoms)


def test_it_is_an_evaluator() -> None:
    assert isinstance(AseProperties(), Evaluator)


def test_energy_and_volume_are_those_of_a_plain_search() -> None:
    elements = [searched(bulk(metal, "fcc"))[0] for metal in ("Cu", "Au")]
    energy, volume = searched(B2)
    found = calculated(B2)
    assert found[0] == pytest.approx(energy - sum(elements) / 2, abs=1e-6)
    assert found[1] == pytest.approx(volume, rel=1e-4)


@pytest.mark.parametrize("metal", EMT_METALS)
def test_the_fcc_metals_are_the_zero_of_the_formation_energy(metal: str) -> None:
    assert calculated(bulk(metal, "fcc", cubic=True))[0] == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("edge", [2.6, 3.0, 3.4, 3.9])
def test_the_given_volume_does_not_matter(edge: float) -> None:
    energy, volume = calculated(bulk("CuAu", "cesiumchloride", a=edge))
    expected = calculated(B2)
    assert energy == pytest.approx(expected[0], abs=1e-7)
    assert volume == pytest.approx(expected[1], rel=2e-4)


def test_the_choice_of_the_cell_does_not_matter() -> None:
    turned = B2.repeat((1, 2, 1))
    turned.rotate(33, (1, 2, 3), rotate_cell=True)
    assert calculated(turned) == pytest.approx(calculated(B2), rel=1e-6)


def test_the_shape_of_the_cell_is_kept() -> None:
    """A tetragonal copper stays strained: its energy is above that of the cubic one by far."""
    atoms = bulk("Cu", "fcc")
    atoms.set_cell(np.array(atoms.cell) @ np.diag([1, 1, 1.15]), scale_atoms=True)
    assert calculated(atoms)[0] > 0.01


def test_a_relaxation_takes_few_energies() -> None:
    evaluator = AseProperties()
    assert all(evaluator.reference(metal).evaluations <= 6 for metal in EMT_METALS)


def test_an_element_is_relaxed_once() -> None:
    evaluator = AseProperties()
    assert evaluator.reference("Cu") is evaluator.reference("Cu")


def test_a_request_gets_both_properties_with_units() -> None:
    quantities = AseProperties().evaluate(request(crystal(B2), "volume_per_atom"))
    assert [(q.name, q.unit) for q in quantities] == [
        ("formation_energy_per_atom", "eV/atom"),
        ("volume_per_atom", "Å^3"),
    ]


@pytest.mark.parametrize(
    ("asked", "reason", "says"),
    [
        (request(None), FailureReason.INVALID_REQUEST, "no structure"),
        (request(crystal(B2), "band_gap"), FailureReason.UNSUPPORTED, "band_gap"),
        (request(crystal(bulk("Fe", "bcc", a=2.9))), FailureReason.UNSUPPORTED, "Fe.*Ag, Al, Au, Cu, Ni, Pd, Pt"),
        (request(crystal(bulk("C", "diamond", a=3.57))), FailureReason.UNSUPPORTED, "has C;"),
        (request(crystal(bulk("Cu", "fcc", a=9.0))), FailureReason.CALCULATION_FAILED, "expected 0.25 to 8 times"),
        (request(crystal(bulk("Cu", "fcc", a=0.5))), FailureReason.INVALID_REQUEST, "expected 1 to 5000"),
        (
            request(crystal(Atoms("Cu2", cell=np.eye(3) * 2.8, pbc=True))),
            FailureReason.INVALID_REQUEST,
            "Cu and Cu are 0 Å apart",
        ),
    ],
)
def test_what_cannot_be_evaluated_says_why(asked: CandidateRequest, reason: FailureReason, says: str) -> None:
    with pytest.raises(EvaluationFailed, match=says) as failed:
        AseProperties().evaluate(asked)
    assert failed.value.reason is reason


def test_a_curve_without_a_minimum_is_a_failed_calculation() -> None:
    calls: list[float] = []

    def repulsive(x: float) -> _Point:
        calls.append(x)
        return _Point(x, exp(-3 * x), -3 * exp(-3 * x))

    with pytest.raises(EvaluationFailed, match="no volume without pressure") as failed:
        _minimum(repulsive, 90.0)
    assert failed.value.reason is FailureReason.CALCULATION_FAILED
    assert len(calls) <= 30


def test_a_maximum_is_not_taken_for_a_minimum() -> None:
    """The slope vanishes at the start, on top of a hill; the minimum is beside it."""
    found, curvature = _minimum(lambda x: _Point(x, -np.cos(40 * x + np.pi), 40 * np.sin(40 * x + np.pi)), 90.0)
    assert abs(found.x) == pytest.approx(np.pi / 40, abs=1e-5)
    assert curvature > 0


@pytest.mark.parametrize("name", ["lennard_jones", "morse"])
def test_pair_potentials_take_every_element_and_prefer_a_close_packing(name: str) -> None:
    evaluator = AseProperties(name)
    assert calculated(bulk("Fe", "fcc", a=3.7), evaluator)[0] == pytest.approx(0, abs=1e-6)
    assert calculated(bulk("Fe", "sc", a=2.6), evaluator)[0] > 0.05


def test_parameters_reach_the_calculator() -> None:
    shallow, deep = (AseProperties("morse", {"epsilon": depth}).reference("Cu").energy for depth in (0.1, 0.3))
    assert deep == pytest.approx(3 * shallow, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("vasp", {}, "'vasp' is not in the list.*emt, lennard_jones, morse"),
        ("emt", {"asap_cutoff": True}, "asap_cutoff"),
        ("lennard_jones", {"sigma": -1.0}, "sigma = -1"),
        ("morse", {"rcut1": 2.5, "rcut2": 2.0}, "larger than"),
    ],
)
def test_a_calculator_outside_of_the_list_is_refused(name: str, parameters: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        choose_calculator(name, parameters)
