"""The crystals of the Materials Project are read as it has them, all of them."""

from __future__ import annotations

import pytest

from protocols.storage.kept import KeptValues
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
    assert all(reader.features[each.crystal].shape == (45,) for each in read)
    starts = processes.starts()
    again = StructureReader(describe=DESCRIBE, kept=kept)
    assert again([each.cif for each in crystals], SETTINGS) == outcomes
    assert processes.starts() == starts, "a second start reads nothing"
