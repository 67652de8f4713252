"""The crystals of the Materials Project are read as it has them, all of them."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from protocols.storage.kept import KeptValues
from protocols.structures.parse import read_structure
from protocols.structures.reader import StructureReader
from protocols.structures.reading import ReadStructure, StructureSettings
from scenarios.world.structures import DESCRIBE
from tests.support import processes
from tests.support.structures.crystals_3dsc import FOLDER, KnownCrystal, known_crystals

pytestmark = [
    pytest.mark.system,
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/data/mp3dsc is not here"),
]

SETTINGS = StructureSettings(symmetry_tolerance=0.01, angle_tolerance=-1.0, limit_s=120.0)

STEP: Final = 10
"""One crystal in so many is also read by pymatgen, for time."""

SAME_PLACE: Final = 1e-3
"""How far two fractional coordinates of one atom may lie apart: ten times what pymatgen rounds to a fraction."""


@pytest.fixture(scope="module")
def crystals() -> list[KnownCrystal]:
    return known_crystals()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> KeptValues:
    return KeptValues(tmp_path_factory.mktemp("kept") / "kept.db")


def test_all_4704_crystals_are_of_the_system_that_the_materials_project_has(
    crystals: list[KnownCrystal], kept: KeptValues
) -> None:
    reader = StructureReader(describe=DESCRIBE, kept=kept)
    outcomes = reader([each.cif for each in crystals], SETTINGS)
    wrong = [
        (each.row["material_id"], each.crystal_system, outcome)
        for each, outcome in zip(crystals, outcomes, strict=True)
        if not isinstance(outcome, ReadStructure)
        or outcome.crystal_system != each.crystal_system
        or len(outcome.crystal.symbols) != int(each.row["nsites"])
        or outcome.crystal.volume != pytest.approx(float(each.row["volume"]), rel=1e-5)
    ]
    assert wrong == []
    assert len(outcomes) == 4704
    read = [each for each in outcomes if isinstance(each, ReadStructure)]
    assert len({(each.formula, each.content) for each in read}) == 4704
    assert not any(each.converted for each in read)
    assert all(reader.features[each.crystal].shape == (45,) for each in read)
    starts = processes.starts()
    again = StructureReader(describe=DESCRIBE, kept=kept)
    assert again([each.cif for each in crystals], SETTINGS) == outcomes
    assert processes.starts() == starts, "a second start reads nothing"


def test_cells_and_sites_are_those_that_pymatgen_reads(crystals: list[KnownCrystal]) -> None:
    from pymatgen.io.cif import CifParser

    some = crystals[::STEP]
    for each in some:
        ours = read_structure(each.cif, SETTINGS)
        assert isinstance(ours, ReadStructure), each.row["material_id"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pymatgen tells what it rounds
            (theirs,) = CifParser.from_str(each.cif).parse_structures(primitive=False)
        lengths = np.linalg.norm(np.array(ours.crystal.cell), axis=1)
        assert lengths == pytest.approx(np.array(theirs.lattice.abc), rel=1e-6), each.row["material_id"]
        found = by_species(zip(ours.crystal.symbols, ours.crystal.scaled_positions, strict=True))
        expected = by_species((site.specie.symbol, site.frac_coords) for site in theirs)
        assert found.keys() == expected.keys(), each.row["material_id"]
        for symbol, places in found.items():
            assert are_same_places(places, expected[symbol]), (each.row["material_id"], symbol)
    assert len(some) == 471


def by_species(sites: Iterable[tuple[str, Iterable[float]]]) -> dict[str, NDArray[np.float64]]:
    """Return the fractional coordinates of the atoms of each element, each of shape (n, 3)."""
    places = defaultdict(list)
    for symbol, place in sites:
        places[symbol].append(place)
    return {symbol: np.array(each, dtype=np.float64) for symbol, each in places.items()}


def are_same_places(these: NDArray[np.float64], those: NDArray[np.float64]) -> bool:
    """Tell whether two sets of places are one but for their order: each has exactly one of the others on it."""
    apart = these[:, None] - those
    same = (np.abs(apart - np.round(apart)) < SAME_PLACE).all(axis=2)
    return len(these) == len(those) and bool((same.sum(axis=0) == 1).all() and (same.sum(axis=1) == 1).all())
