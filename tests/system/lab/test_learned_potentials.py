"""Machine-learned potentials: their numbers, and that nobody gets one for what they have never seen.

They need PyTorch, and are skipped without it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from protocols.extras import is_installed
from protocols.wire.messages import FailureReason
from protocols.wire.structure import CrystalStructure
from simulators.calculators.catalogue import choose_calculator
from simulators.calculators.choice import CalculatorChoice
from simulators.calculators.learned import CHGNET, LEARNED_LEAST_SHARE, MPTRJ_ELEMENTS, SEVENNET
from simulators.calculators.provenance import weights_inside
from simulators.calculators.soundness import require_sound
from simulators.evaluator import EvaluationFailed

PACKAGE = {SEVENNET: "sevenn", CHGNET: "chgnet"}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(params=PACKAGE)
def choice(request: pytest.FixtureRequest) -> CalculatorChoice:
    package = PACKAGE[request.param]
    if not is_installed(package):
        pytest.skip(f"{package} is not installed (extra {'mlip' if package == 'sevenn' else package!r})")
    return choose_calculator(request.param)


def crystal(atoms: Atoms) -> CrystalStructure:
    content = {
        "cell": tuple(map(tuple, np.array(atoms.cell).tolist())),
        "symbols": tuple(atoms.get_chemical_symbols()),
        "scaled_positions": tuple(map(tuple, atoms.get_scaled_positions(wrap=True).tolist())),
    }
    return CrystalStructure.model_validate(content)


def energy(choice: CalculatorChoice, atoms: Atoms) -> float:
    atoms.calc = choice.build()
    return float(atoms.get_potential_energy()) / len(atoms)


OVERLAPPING = Atoms("Cu2", positions=[[0, 0, 0], [0.01, 0, 0]], cell=np.eye(3) * 4, pbc=True)
ISOLATED = Atoms("Cu", cell=np.eye(3) * 12, pbc=True)


def test_there_are_89_elements_and_none_that_was_never_seen() -> None:
    assert len(set(MPTRJ_ELEMENTS)) == len(MPTRJ_ELEMENTS) == 89
    assert not {"Po", "At", "Rn", "Fr", "Ra"} & set(MPTRJ_ELEMENTS)


def test_copper_has_its_energy(choice: CalculatorChoice) -> None:
    """PBE in the Materials Project: -4.10 eV/atom."""
    assert energy(choice, bulk("Cu", a=3.61)) == pytest.approx(-4.09, abs=0.02)


def test_atoms_upon_each_other_have_a_number_and_are_refused_before_it(choice: CalculatorChoice) -> None:
    nonsense = energy(choice, OVERLAPPING.copy())
    assert nonsense > 1e8 if choice.name == SEVENNET else -10 < nonsense < 10, "no calculator refuses by itself"
    with pytest.raises(EvaluationFailed, match=r"Cu and Cu are 0.01 Å apart; at least 1.72 Å") as failed:
        require_sound(choice, crystal(OVERLAPPING))
    assert failed.value.reason is FailureReason.INVALID_REQUEST
    assert choice.least_share == LEARNED_LEAST_SHARE


def test_an_isolated_atom_is_refused(choice: CalculatorChoice) -> None:
    if choice.name == SEVENNET:
        assert -2 < energy(choice, ISOLATED.copy()) < 0, "a plausible number"
    with pytest.raises(EvaluationFailed, match="no neighbour within") as failed:
        require_sound(choice, crystal(ISOLATED))
    assert failed.value.reason is FailureReason.UNSUPPORTED


def test_an_element_that_it_has_never_seen_is_refused(choice: CalculatorChoice) -> None:
    polonium = crystal(bulk("Po", "sc", a=3.35))
    with pytest.raises(EvaluationFailed, match="has Po;") as failed:
        require_sound(choice, polonium)
    assert failed.value.reason is FailureReason.UNSUPPORTED


def test_the_digest_of_the_weights_is_that_of_their_file(choice: CalculatorChoice) -> None:
    folder = Path(weights_inside(PACKAGE[choice.name], "__init__.py")).parent
    file = next(
        each
        for each in folder.rglob(choice.provenance["weights"])
        if hashlib.sha256(each.read_bytes()).hexdigest() == choice.provenance["weights_sha256"]
    )
    assert file.stat().st_size > 1_000_000
    assert choice.provenance["torch"].startswith("torch ")


def test_it_calculates_on_one_thread_of_the_cpu_and_is_loaded_once(choice: CalculatorChoice) -> None:
    made = choice.build()
    assert made is choice.build()
    import torch

    assert torch.get_num_threads() == 1
    assert str(made.device) == "cpu"


def test_the_elements_are_those_that_the_network_has_a_type_for(choice: CalculatorChoice) -> None:
    if choice.name != SEVENNET:
        pytest.skip("chgnet has a type for five elements that it has never seen")
    from ase.data import chemical_symbols

    assert {chemical_symbols[number] for number in choice.build().type_map} == set(MPTRJ_ELEMENTS)
