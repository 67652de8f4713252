"""The pool of files that has the ids, families and features of a pool in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agent.pool.candidates import Pool
from agent.pool.mapped_pool import MappedPool, mapped_pool
from protocols.tables.blocks.mapped_table import CODES, FEATURES, IDS, MEASURED, Described, MappedTable


def in_files(pool: Pool, folder: Path) -> MappedPool:
    """Write the arrays of a pool into a folder, and map them; its property is not known."""
    ids = np.array([each.encode() for each in pool.candidate_ids])
    said = Described(len(pool), ids.dtype.itemsize, "<f8", pool.feature_names, pool.families, ("y",))
    unknown = np.full(len(pool), np.nan)
    arrays = {IDS: ids, CODES: pool.family_codes, FEATURES: pool.features, f"{MEASURED}-0": unknown}
    for name, array in arrays.items():
        array.tofile(folder / name)
    return mapped_pool(MappedTable(folder, said), has_ids=True)
