from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from scipy.optimize import minimize_scalar

from protocols.errors import SettingsError
from protocols.wire.messages import CandidateRequest, FailureReason, WantedProperty
from simulators.calculators.catalogue import EMT_METALS, choose_calculator
from simulators.calculators.choice import CalculatorChoice
from simulators.crystals.catalogue import CRYSTAL_PROPERTIES, FORMATION_ENERGY, VOLUME
from simulators.crystals.crystal_properties import CrystalProperties
from simulators.crystals.settings import CrystalSettings
from simulators.evaluator import EvaluationFailed, Evaluator
from tests.support.labs.crystals import crystal, request

B2 = bulk("CuAu", "cesiumchloride", a=3.1)
TETRAGONAL = bulk("Cu", "fcc", cubic=True)
TETRAGONAL.set_cell(np.array(TETRAGONAL.cell) @ np.diag([1, 1, 1.1]), scale_atoms=True)


def calculated(atoms: Atoms, evaluator: CrystalProperties | None = None) -> tuple[float, float]:
    energy, volume = (evaluator or CrystalProperties()).measure(crystal(atoms), (FORMATION_ENERGY, VOLUME)).quantities
    return energy.value, volume.value


def value(evaluator: CrystalProperties, atoms: Atoms, *asked: str) -> dict[str, float]:
    return {each.name: each.value for each in evaluator.measure(crystal(atoms), asked).quantities}


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
    assert isinstance(CrystalProperties(), Evaluator)


def test_energy_and_volume_are_those_of_a_plain_search() -> None:
    """Copper is counted from hcp, EMT's ground state of it, and gold from fcc."""
    copper = searched(bulk("Cu", "hcp", a=2.5386, c=2.5386 * 1.6320))[0]
    energy, volume = searched(B2)
    found = calculated(B2)
    assert found[0] == pytest.approx(energy - (copper + searched(bulk("Au", "fcc"))[0]) / 2, abs=1e-6)
    assert found[1] == pytest.approx(volume, rel=1e-4)


@pytest.mark.parametrize("metal", EMT_METALS)
def test_no_element_lies_below_the_zero_of_the_formation_energy(metal: str) -> None:
    evaluator = CrystalProperties("emt", settings=CrystalSettings(relaxation="cell"))
    found = [
        value(evaluator, atoms, FORMATION_ENERGY)[FORMATION_ENERGY]
        for atoms in (bulk(metal, "fcc"), bulk(metal, "hcp", a=2.8), bulk(metal, "bcc", a=3.2))
    ]
    assert min(found) == pytest.approx(0, abs=1e-6)


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


def test_the_settings_say_what_is_relaxed_for_energies() -> None:
    """Strained copper stays strained where the volume is relaxed alone, and becomes cubic where the cell is."""
    strained, free = (CrystalProperties(settings=CrystalSettings(relaxation=each)) for each in ("volume", "cell"))
    assert value(strained, TETRAGONAL, "energy_per_atom")["energy_per_atom"] > 0
    assert value(free, TETRAGONAL, "energy_per_atom")["energy_per_atom"] == pytest.approx(-0.00704, abs=1e-5)


def test_a_value_does_not_depend_on_what_else_is_asked_for() -> None:
    evaluator = CrystalProperties()
    names = ("volume_per_atom", "energy_per_atom", "lattice_a", "lattice_alpha", "bulk_modulus_vrh", FORMATION_ENERGY)
    together = value(evaluator, TETRAGONAL, *names)
    alone = {name: value(CrystalProperties(), TETRAGONAL, name)[name] for name in reversed(names)}
    assert together == alone
    assert together["lattice_a"] == pytest.approx(3.58983, rel=1e-4)
    assert together["lattice_alpha"] == pytest.approx(90)


def test_several_properties_relax_the_crystal_once() -> None:
    def builds(*asked: str) -> int:
        emt, made = choose_calculator("emt"), []

        def build() -> object:
            made.append(1)
            return emt.build()

        choice = CalculatorChoice("emt", EMT_METALS, build, emt.contact_distance)
        CrystalProperties(choice).measure(crystal(B2), asked)
        return len(made)

    bulk_alone, both = builds("bulk_modulus_vrh"), builds("bulk_modulus_vrh", "shear_modulus_vrh", "elastic_c44")
    assert both == bulk_alone == 1 + 2 + 1 + 1 + 12, "one at the start, two elements, a volume, a cell, twelve strains"


def test_what_was_done_travels_with_the_values() -> None:
    measured = CrystalProperties().evaluate(request(crystal(TETRAGONAL), "bulk_modulus_vrh"))
    told = measured.provenance
    assert (told["calculator"], told["converged"]) == ("emt", "yes")
    assert isinstance(told["steps"], int)
    assert told["steps"] > 0
    assert 0 < float(told["fmax_ev_per_angstrom"]) <= 1e-4
    assert "12 strains of 0.002, ions relaxed to" in str(told["elastic"])
    ended = measured.structure
    assert ended is not None
    assert [ended.cell[axis][axis] for axis in range(3)] == pytest.approx([3.58983] * 3, rel=1e-4)


def test_an_energy_brings_the_volume_and_the_crystal_at_it() -> None:
    measured = CrystalProperties().evaluate(request(crystal(B2)))
    assert [(q.name, q.unit) for q in measured.quantities] == [
        ("formation_energy_per_atom", "eV/atom"),
        ("volume_per_atom", "Å^3"),
    ]
    assert measured.structure is not None
    assert measured.structure.volume / 2 == pytest.approx(measured.quantities[1].value, rel=1e-6)
    assert str(measured.provenance["references"]).startswith("Au:fcc:-0.000135 Cu:hcp:-0.007977")


def test_only_what_is_asked_for_is_calculated() -> None:
    found = CrystalProperties("lennard_jones").evaluate(request(crystal(bulk("O", "fcc", a=4)), "volume_per_atom"))
    assert [each.name for each in found.quantities] == ["volume_per_atom"]


@pytest.mark.parametrize(
    ("asked", "reason", "says"),
    [
        (request(None), FailureReason.INVALID_REQUEST, "no structure"),
        (request(crystal(B2), "band_gap"), FailureReason.UNSUPPORTED, "band_gap; .*bulk_modulus_vrh"),
        (
            request(crystal(B2), VOLUME, wanted=(WantedProperty(name=VOLUME, unit="nm^3"),)),
            FailureReason.UNSUPPORTED,
            "volume_per_atom in nm.3; this simulator tells it in Å",
        ),
        (request(crystal(bulk("Fe", "bcc", a=2.9))), FailureReason.UNSUPPORTED, "Fe.*Ag, Al, Au, Cu, Ni, Pd, Pt"),
        (request(crystal(bulk("C", "diamond", a=3.57))), FailureReason.UNSUPPORTED, "has C;"),
        (request(crystal(bulk("Cu", "fcc", a=9.0))), FailureReason.CALCULATION_FAILED, "expected 0.25 to 8 times"),
        (request(crystal(bulk("Cu", "fcc", a=0.5))), FailureReason.INVALID_REQUEST, "expected 1 to 5000"),
        (
            request(crystal(Atoms("Cu2", cell=np.eye(3) * 2.8, pbc=True))),
            FailureReason.INVALID_REQUEST,
            "Cu and Cu are 0 Å apart",
        ),
        (
            request(crystal(TETRAGONAL), "bulk_modulus_vrh", deadline_s=1e-6),
            FailureReason.DEADLINE_EXCEEDED,
            "not done within",
        ),
    ],
)
def test_what_cannot_be_evaluated_says_why(asked: CandidateRequest, reason: FailureReason, says: str) -> None:
    with pytest.raises(EvaluationFailed, match=says) as failed:
        CrystalProperties().evaluate(asked)
    assert failed.value.reason is reason


def test_what_does_not_converge_is_a_failure_and_no_number() -> None:
    evaluator = CrystalProperties(settings=CrystalSettings(max_steps=2))
    with pytest.raises(EvaluationFailed, match=r"not converged, the largest force is .* after 2 steps") as failed:
        evaluator.evaluate(request(crystal(TETRAGONAL), "lattice_a"))
    assert failed.value.reason is FailureReason.CALCULATION_FAILED


@pytest.mark.parametrize("name", ["lennard_jones", "morse"])
def test_pair_potentials_take_every_element_and_prefer_a_close_packing(name: str) -> None:
    evaluator = CrystalProperties(name)
    assert calculated(bulk("Fe", "fcc", a=3.7), evaluator)[0] == pytest.approx(0, abs=2e-3)
    assert calculated(bulk("Fe", "sc", a=2.6), evaluator)[0] > 0.05


def test_parameters_reach_the_calculator() -> None:
    shallow, deep = (
        value(CrystalProperties("morse", {"epsilon": depth}), bulk("Cu", "fcc"), "energy_per_atom")["energy_per_atom"]
        for depth in (0.1, 0.3)
    )
    assert deep == pytest.approx(3 * shallow, rel=1e-5)


def test_identity_tells_apart_whatever_values_depend_on() -> None:
    evaluators = (
        CrystalProperties(),
        CrystalProperties(settings=CrystalSettings(relaxation="cell")),
        CrystalProperties("morse"),
        CrystalProperties("morse", {"epsilon": 0.1}),
    )
    assert len({tuple(sorted(each.identity().items())) for each in evaluators}) == len(evaluators)
    assert CrystalProperties().identity() == CrystalProperties().identity()


def test_every_property_says_what_it_is() -> None:
    for name, each in CRYSTAL_PROPERTIES.items():
        assert each.name == name
        assert each.method
        assert each.source
        assert each.needs


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
