from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Element

from agent.pool.features import composition_features
from agent.pool.statistics import composition_statistics, statistic_names, with_statistics
from protocols.errors import TableError

NAMES = statistic_names()


def row(formula: str) -> dict[str, float]:
    return dict(zip(NAMES, composition_statistics([formula])[0].tolist(), strict=True))


def test_each_statistic_is_what_the_paper_says() -> None:
    """Fe2O3: Z = 26 and 8, weights 2/5 and 3/5 (Ward et al. 2016, supplementary note 1)."""
    found = row("Fe2O3")
    assert found["atomic_number_mean"] == pytest.approx(15.2)
    assert found["atomic_number_deviation"] == pytest.approx(2 / 5 * 10.8 + 3 / 5 * 7.2)
    assert (found["atomic_number_min"], found["atomic_number_max"], found["atomic_number_range"]) == (8, 26, 18)
    assert found["atomic_number_mode"] == 8


def test_the_mode_of_equal_fractions_is_the_smallest() -> None:
    assert row("NaCl")["atomic_number_mode"] == 11
    assert row("ClNa")["electronegativity_mode"] == pytest.approx(0.93)


def test_electrons_are_counted_beyond_the_noble_gas() -> None:
    zinc, oxygen, hafnium = row("Zn"), row("O"), row("Hf")
    shells = ("valence_s_mean", "valence_p_mean", "valence_d_mean", "valence_f_mean", "valence_mean", "unfilled_mean")
    assert [zinc[name] for name in shells] == [2, 0, 10, 0, 12, 0]
    assert [oxygen[name] for name in shells] == [2, 4, 0, 0, 6, 2]
    assert [hafnium[name] for name in shells] == [2, 0, 2, 14, 18, 8]


@pytest.mark.filterwarnings("error")
def test_every_element_has_finite_statistics() -> None:
    assert np.isfinite(composition_statistics([each.symbol for each in Element])).all()


def test_rows_depend_on_nothing_but_their_own_formula() -> None:
    alone = composition_statistics(["SrTiO3"])
    among = composition_statistics(["Cu", "SrTiO3", "Fe2O3", "UO2"])
    assert np.array_equal(alone[0], among[1])
    assert np.array_equal(composition_statistics(["Fe2O3"]), composition_statistics(["O6Fe4"]))
    assert composition_statistics([]).shape == (0, len(NAMES))


def test_what_stands_there_already_is_not_repeated_and_means_the_same() -> None:
    ours, names = composition_features(["Fe2O3", "NaCl"])
    matrix, of_them = with_statistics(ours, names, ["Fe2O3", "NaCl"])
    assert len(set(of_them)) == len(of_them) == 31 + 88
    shared = [name for name in names if name in NAMES]
    assert len(shared) == 20
    made = composition_statistics(["Fe2O3", "NaCl"])
    for name in shared:
        assert np.allclose(matrix[:, of_them.index(name)], made[:, NAMES.index(name)], atol=2e-6)


@pytest.mark.parametrize(("formula", "says"), [("", "number 2 has no formula"), ("Xx2", "number 2 cannot be read")])
def test_a_formula_that_is_missing_or_cannot_be_read_is_named(formula: str, says: str) -> None:
    with pytest.raises(TableError, match=says):
        with_statistics(np.zeros((2, 0)), (), ["Cu", formula])
