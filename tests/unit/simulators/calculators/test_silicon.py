"""Silicon by its two many-body potentials: lattice and energy of their papers, by values that are matscipy's too."""

from __future__ import annotations

import pytest
from ase.build import bulk
from ase.filters import UnitCellFilter
from ase.optimize import LBFGS

from simulators.calculators.catalogue import choose_calculator
from simulators.calculators.silicon import SILICON_BOND, StillingerWeberSettings, TersoffSettings

matscipy = pytest.importorskip("matscipy", reason="matscipy is not installed (extra 'potentials')")


@pytest.mark.parametrize(
    ("name", "edge", "energy"),
    [("stillinger_weber", 5.4309, -4.3366), ("tersoff", 5.4320, -4.6296)],
)
def test_silicon_has_the_lattice_and_the_energy_of_the_paper(name: str, edge: float, energy: float) -> None:
    """Stillinger and Weber: 2ε an atom, 5.431 Å by their σ; Tersoff (1989), table II: 4.63 eV, 5.432 Å."""
    choice = choose_calculator(name)
    atoms = bulk("Si", "diamond", a=5.5)
    atoms.calc = choice.build()
    LBFGS(UnitCellFilter(atoms), logfile=None).run(fmax=1e-4, steps=50)
    assert (atoms.get_volume() * 4) ** (1 / 3) == pytest.approx(edge, abs=2e-4)
    assert atoms.get_potential_energy() / 2 == pytest.approx(energy, abs=1e-4)
    assert choice.contact_distance("Si") == SILICON_BOND == pytest.approx(edge * 3**0.5 / 4, abs=5e-3)


def test_the_values_are_those_that_matscipy_ships() -> None:
    from matscipy.calculators.manybody.explicit_forms import stillinger_weber, tersoff_brenner

    shipped = stillinger_weber.Stillinger_Weber_PRB_31_5262_Si
    assert StillingerWeberSettings().model_dump() == {
        name: value for name, value in shipped.items() if name not in {"__ref__", "el", "costheta0"}
    }
    assert shipped["costheta0"] == pytest.approx(1 / 3, abs=1e-11)
    pairs, ours = tersoff_brenner.Tersoff_PRB_39_5566_Si_C, TersoffSettings()
    theirs = {name: pairs["lambda" if name == "lambda1" else name][-1] for name in ours.model_dump()}
    assert ours.model_dump() == theirs


def test_it_says_whether_its_values_are_those_of_the_paper() -> None:
    assert choose_calculator("stillinger_weber").provenance["parameters_from"].endswith("Phys. Rev. B 31, 5262 (1985)")
    changed = choose_calculator("stillinger_weber", {"lambda1": 31.5, "epsilon": 1.64833})
    assert changed.provenance["parameters_from"].endswith("other values")
    assert choose_calculator("tersoff").provenance["parameters_from"].endswith("Phys. Rev. B 39, 5566 (1989)")
    assert choose_calculator("tersoff", {"h": -0.5}).provenance["parameters_from"].endswith("other values")


def test_a_parameter_reaches_the_calculator() -> None:
    energies = []
    for depth in (1.0, 2.0):
        atoms = bulk("Si", "diamond", a=5.4309)
        atoms.calc = choose_calculator("stillinger_weber", {"epsilon": depth}).build()
        energies.append(atoms.get_potential_energy())
    assert energies[1] == pytest.approx(2 * energies[0], rel=1e-12)
