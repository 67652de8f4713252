"""Structures of a table: read and described in processes, once, and kept for every later start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray
from agent.pool.tables import DescribeStructures
from protocols.structures.reader import StructureReader
from protocols.wire.structure import CrystalStructure
from scenarios.display.progress import ProgressCall, no_progress

DESCRIBE: Final = "agent.pool.features:structure_row"
"""What makes the features of a crystal."""


def structure_reader(name: str, progress: ProgressCall = no_progress, *, describes: bool = False) -> StructureReader:
    """Return what reads the structures of a table.

    Args:
        name: Of the table, for the progress bar.
        progress: For a progress bar.
        describes: Whether features are made of the structures, too.
    """
    return StructureReader(
        describe=DESCRIBE if describes else "",
        progress=lambda done, total: progress(f"reading structures of {name}", done, total),
    )


def described_by(reader: StructureReader) -> DescribeStructures:
    """Return what has the features of the structures that a reader has read, and makes those of others."""

    def describe(
        structures: Sequence[CrystalStructure | None], symmetry_tolerance: float, angle_tolerance: float
    ) -> tuple[FloatArray, tuple[str, ...]]:
        from agent.pool.features import structure_feature_names, structure_features

        names = structure_feature_names()
        known = [None if each is None else reader.features.get(each) for each in structures]
        if all(row is not None for row in known):
            return np.array(known, dtype=np.float64).reshape(len(known), len(names)), names
        return structure_features(structures, symmetry_tolerance, angle_tolerance)

    return describe
