"""The lab of molecules measures by a rule that it states, and refuses by name what it cannot measure."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.extras import ExtraMissingError
from protocols.molecules.conformers import SEEDS
from protocols.wire.limits import MAX_REMARK_LENGTH
from protocols.wire.messages import CandidateRequest, FailureReason
from protocols.wire.molecule import Molecule, MoleculeGeometry
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.molecules import gfn2, molecule_properties
from simulators.molecules.gfn2 import Relaxation
from simulators.molecules.molecule_properties import CONFORMER_RULE, MOLECULE_PROPERTIES, MoleculeProperties
from simulators.settings import SimulatorSettings
from tests.support import sample_messages as messages
from tests.support.samples.molecules import hide, needs_xtb

WATER = MoleculeGeometry(symbols=("H", "O", "H"), positions=((0.0, 0.8, -0.5), (0.0, 0.0, 0.1), (0.0, -0.8, -0.5)))


def request(smiles: str | None, geometry: MoleculeGeometry | None = None, **fields: Any) -> CandidateRequest:
    molecule = None if smiles is None else Molecule(smiles=smiles, geometry=geometry)
    return messages.request(**({"structure": None, "molecule": molecule, "properties": ("dipole_moment",)} | fields))


def evaluate(*asked: Any, **fields: Any) -> Measurement:
    return MoleculeProperties().evaluate(request(*asked, **fields))


def values(measured: Measurement) -> dict[str, float]:
    return {quantity.name: quantity.value for quantity in measured.quantities}


@needs_xtb
def test_all_properties_come_with_their_units() -> None:
    measured = evaluate("O")
    assert [(quantity.name, quantity.unit) for quantity in measured.quantities] == [
        ("dipole_moment", "D"),
        ("energy", "eV"),
        ("homo_lumo_gap", "eV"),
    ]
    assert values(measured) == pytest.approx(
        {"dipole_moment": 2.217, "energy": -137.977, "homo_lumo_gap": 14.39}, abs=0.01
    )


@needs_xtb
def test_the_names_that_tables_have_are_answered_beside_our_own() -> None:
    measured = values(evaluate("O", properties=("dipole", "gap")))
    assert measured["dipole"] == measured["dipole_moment"] == pytest.approx(2.217, abs=0.01)
    assert measured["gap"] == measured["homo_lumo_gap"]
    assert set(values(evaluate("O", properties=("dipole",)))) == {*MOLECULE_PROPERTIES, "dipole"}


@needs_xtb
def test_what_was_done_comes_back_with_the_values() -> None:
    told = evaluate("OCCN").provenance
    assert (told["method"], told["conformer_rule"]) == ("GFN2-xTB", CONFORMER_RULE)
    assert (told["conformers"], told["unconverged"], told["fmax_ev_per_angstrom"]) == (5, 0, 0.05)
    energies = [float(energy) for energy in str(told["gfn2_energies_ev"]).split()]
    assert told["seed_kept"] == SEEDS[energies.index(min(energies))]
    assert len(str(told["steps"]).split()) == 5
    assert {name for name in told if name.startswith("version_")} == {"version_ase", "version_rdkit", "version_tblite"}
    assert all(len(remark) <= MAX_REMARK_LENGTH for remark in told.values() if isinstance(remark, str))
    assert all(str(seed) in CONFORMER_RULE for seed in SEEDS)


@needs_xtb
def test_the_lowest_of_the_relaxed_conformers_is_kept_and_comes_out_again() -> None:
    first, again = evaluate("OCCN"), evaluate("NCCO")
    assert first == again
    energies = [float(energy) for energy in str(first.provenance["gfn2_energies_ev"]).split()]
    assert max(energies) - min(energies) > 0.01, "the conformers differ, so the choice matters"
    assert values(first)["energy"] == pytest.approx(min(energies), abs=1e-5)


@needs_xtb
def test_given_coordinates_are_relaxed_and_no_conformer_is_looked_for() -> None:
    given, found = evaluate("O", WATER), evaluate("O")
    assert values(given) == pytest.approx(values(found), abs=0.02)
    assert given.provenance["conformer_rule"] == "the coordinates of the request, relaxed"
    assert given.provenance["conformers"] == 1
    assert "seed_kept" not in given.provenance


@needs_xtb
def test_a_molecule_that_the_force_field_does_not_know_is_relaxed_from_its_embedding() -> None:
    assert str(evaluate("F").provenance["mmff94"]).startswith("no parameters")
    assert evaluate("N").provenance["mmff94"] == "used"


@needs_xtb
@pytest.mark.parametrize(
    ("asked", "reason", "says"),
    [
        (request(None), FailureReason.INVALID_REQUEST, "no molecule"),
        (request("O", properties=("band_gap",)), FailureReason.UNSUPPORTED, "band_gap; this simulator calculates only"),
        (request("O", fidelity="ccsd"), FailureReason.UNSUPPORTED, "'ccsd'; this simulator has gfn2, b3lyp"),
        (request("[NH4+]"), FailureReason.UNSUPPORTED, "a charge of .1"),
        (request("[CH3]"), FailureReason.UNSUPPORTED, "a radical"),
        (request("[CH2]"), FailureReason.UNSUPPORTED, "a radical"),
        (request("C.C"), FailureReason.UNSUPPORTED, "more than one molecule"),
        (request("[2H]O"), FailureReason.UNSUPPORTED, "an isotope"),
        (request("[Cu]"), FailureReason.UNSUPPORTED, "a metal"),
        (request("C1CC"), FailureReason.UNSUPPORTED, "not closed"),
        (request("C1#CC1"), FailureReason.CALCULATION_FAILED, "none of the embeddings with the seeds .11, 23"),
        (request("N", WATER), FailureReason.INVALID_REQUEST, "the coordinates are of H2O, the SMILES of H3N"),
        (request("[NH3+]CC(=O)[O-]"), FailureReason.CALCULATION_FAILED, "it became another molecule: .* bond N-H is"),
    ],
)
def test_what_cannot_be_measured_says_why(asked: CandidateRequest, reason: FailureReason, says: str) -> None:
    with pytest.raises(EvaluationFailed, match=says) as failed:
        MoleculeProperties().evaluate(asked)
    assert failed.value.reason is reason


@needs_xtb
def test_a_lowest_conformer_that_has_not_come_to_rest_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gfn2, "MAX_STEPS", 1)
    with pytest.raises(EvaluationFailed, match=r"forces above 0\.05 eV/Å after 1 steps") as failed:
        evaluate("OCCN")
    assert failed.value.reason is FailureReason.CALCULATION_FAILED


def test_of_energies_that_are_one_the_first_is_kept() -> None:
    energies = (-1.0, -2.0, -2.0 - 1e-9, -1.5)
    relaxed = [Relaxation(atoms=None, energy=energy, steps=1, converged=True) for energy in energies]
    assert molecule_properties._lowest(relaxed) == 1


@needs_xtb
def test_a_method_whose_extra_is_not_installed_is_unsupported_and_the_lab_lives_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hide(monkeypatch, "pyscf")
    evaluator = MoleculeProperties()
    with pytest.raises(
        EvaluationFailed, match=r"'b3lyp' cannot be had: pyscf is not installed.*entropilot\[dft\]"
    ) as no:
        evaluator.evaluate(request("O", fidelity="b3lyp"))
    assert no.value.reason is FailureReason.UNSUPPORTED
    assert evaluator.evaluate(request("O"))


def test_without_its_extra_the_lab_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    from simulators.registry import make_evaluator

    hide(monkeypatch, "rdkit", "tblite")
    with pytest.raises(ExtraMissingError, match=r"rdkit is not installed.*entropilot\[molecules\]"):
        make_evaluator(SimulatorSettings(evaluator="molecules"))


@needs_xtb
def test_the_settings_name_it() -> None:
    from simulators.registry import make_evaluator

    assert isinstance(make_evaluator(SimulatorSettings(evaluator="molecules")), MoleculeProperties)
    assert MOLECULE_PROPERTIES == ("dipole_moment", "energy", "homo_lumo_gap")
