"""Rows of a pool that may lie in a file: read in blocks, and what was read is given back to the system.

A pool in a file has the numbers of the same pool in memory, so what follows from them is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from protocols.tables.blocks.mapped_array import give_back

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

BLOCK_ROWS: Final = 16_384
"""Rows of one block: 8 MiB of 64 features."""


def rows_of(features: NDArray[Any], indices: IndexArray) -> NDArray[Any]:
    """Return rows of a pool, as they stand there, shape (r, d).

    Args:
        features: Shape (n, d); may be a mapped file, of which nothing stays in memory.
        indices: Shape (r,).
    """
    is_run = len(indices) > 1 and int(indices[-1]) - int(indices[0]) + 1 == len(indices) and _ascends(indices)
    if is_run:  # a copy of what lies together is several times faster than a gathering
        rows = np.array(features[int(indices[0]) : int(indices[-1]) + 1], subok=False)
    else:
        rows = np.asarray(features[indices])
    give_back(features)
    return rows


def blocks_of(features: NDArray[Any]) -> Iterator[FloatArray]:
    """Yield all rows of a pool, block by block, in double precision."""
    for start in range(0, len(features), BLOCK_ROWS):
        yield np.asarray(features[start : start + BLOCK_ROWS], dtype=np.float64)
        give_back(features)


def _ascends(indices: IndexArray) -> bool:
    return bool((indices[1:] > indices[:-1]).all())
