from __future__ import annotations

import numpy as np

from agent.pool.features import structure_features
from protocols.structures.child import Describe
from protocols.structures.reader import StructureReader
from protocols.wire.structure import CrystalStructure
from scenarios.world.structures import DESCRIBE, described_by, structure_reader


def crystal(length: float) -> CrystalStructure:
    cell = ((length, 0.0, 0.0), (0.0, length, 0.0), (0.0, 0.0, length))
    return CrystalStructure(cell=cell, symbols=("Cu",), scaled_positions=((0.0, 0.0, 0.0),))


CRYSTALS = [crystal(length) for length in (3.6, 3.7, 3.8)]


def reader_with(*known: tuple[CrystalStructure, float]) -> StructureReader:
    reader = structure_reader("a table", describes=True)
    reader.features |= {each: np.full(45, number) for each, number in known}
    return reader


def test_features_that_a_reader_has_are_not_made_again() -> None:
    describe = described_by(reader_with((CRYSTALS[1], 1.0), (CRYSTALS[0], 0.0)))
    matrix, names = describe(CRYSTALS[:2], 0.01, -1.0)
    assert matrix[:, 0].tolist() == [0.0, 1.0]
    assert (matrix.shape, names) == ((2, 45), structure_features([], 0.01, -1.0)[1])


def test_features_that_a_reader_lacks_are_made() -> None:
    matrix, names = described_by(reader_with((CRYSTALS[1], 1.0)))(CRYSTALS, 0.01, -1.0)
    expected, same = structure_features(CRYSTALS, 0.01, -1.0)
    np.testing.assert_array_equal(matrix, expected)
    assert names == same


def test_no_structures_have_no_features() -> None:
    assert described_by(reader_with())([], 0.01, -1.0)[0].shape == (0, 45)


def test_the_describer_is_there_by_its_name() -> None:
    from agent.pool import features

    module, _, name = DESCRIBE.partition(":")
    assert module == features.__name__
    describe: Describe = getattr(features, name)
    assert len(describe(CRYSTALS[0], 0.01, -1.0)) == 45
