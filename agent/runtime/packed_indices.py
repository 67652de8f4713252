"""Indices of a pool as they travel to the process of a policy: a bit for each, and not eight bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.acquisition.base import IndexArray


@dataclass(frozen=True, slots=True)
class PackedIndices:
    """Ascending indices as a bit for each: of a pool of ten million candidates a megabyte in place of eighty.

    Attributes:
        bits: Eight of them in a byte.
    """

    bits: bytes

    @classmethod
    def of(cls, indices: IndexArray) -> PackedIndices:
        """Pack indices, ascending, shape (a,)."""
        mask = np.zeros(int(indices[-1]) + 1 if len(indices) else 0, dtype=bool)
        mask[indices] = True
        return cls(np.packbits(mask).tobytes())

    def unpacked(self) -> IndexArray:
        """Return the indices, ascending, shape (a,)."""
        return np.flatnonzero(np.unpackbits(np.frombuffer(self.bits, dtype=np.uint8)))
