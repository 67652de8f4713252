from __future__ import annotations

import numpy as np
import pytest

from protocols.errors import SettingsError
from protocols.wire.structure import CrystalStructure
from scenarios.settings.crystals import SubstitutionSettings
from scenarios.world.crystals.parents import Parent
from scenarios.world.crystals.sizes import covalent_radius
from scenarios.world.crystals.substitutions import substitution_draws

EDGE = 5.64
NACL = Parent(
    "NaCl",
    CrystalStructure(
        cell=((0.0, EDGE / 2, EDGE / 2), (EDGE / 2, 0.0, EDGE / 2), (EDGE / 2, EDGE / 2, 0.0)),
        symbols=("Na", "Cl"),
        scaled_positions=((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)),
    ),
)
SETTINGS = SubstitutionSettings(path="parents", kept=("Cl",))


def test_a_substituted_crystal_is_larger_as_its_bonds_are_longer() -> None:
    draws = substitution_draws(SETTINGS, (NACL,), ("K",))
    name, drawn = draws.draw(np.random.default_rng(0), "")
    assert (name, drawn.composition.reduced_formula) == ("as NaCl", "KCl")
    longer = (covalent_radius("K") + covalent_radius("Cl")) / (covalent_radius("Na") + covalent_radius("Cl"))
    assert drawn.volume == pytest.approx(NACL.crystal.volume * longer**3)


def test_different_elements_become_different_ones_as_far_as_there_are_enough() -> None:
    draws = substitution_draws(SubstitutionSettings(path="parents"), (NACL,), ("Mg", "O", "S"))
    rng = np.random.default_rng(2)
    assert all(len(draws.draw(rng, "")[1].composition) == 2 for _ in range(30))
    alone = substitution_draws(SubstitutionSettings(path="parents"), (NACL,), ("Mg",))
    assert alone.draw(rng, "")[1].composition.reduced_formula == "Mg"


def test_a_strain_keeps_the_volume() -> None:
    draws = substitution_draws(SubstitutionSettings(path="p", kept=("Cl",), strain=0.1), (NACL,), ("Na",))
    drawn = draws.draw(np.random.default_rng(0), "")[1]
    assert drawn.volume == pytest.approx(NACL.crystal.volume)
    assert not np.allclose(drawn.lattice.angles, 60.0)


@pytest.mark.parametrize(
    ("kept", "says"), [(("Br",), "No parent holds 'Br'"), (("Na", "Cl"), "every element of the parents")]
)
def test_what_cannot_stay_or_leaves_nothing_to_change_is_refused(kept: tuple[str, ...], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        substitution_draws(SubstitutionSettings(path="parents", kept=kept), (NACL,), ("K",))
