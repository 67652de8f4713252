"""Arrays in files: mapped, never read whole, and handed to another process by name.

Pages of a mapped file that were read count as memory of the process until they are given back; they stay in the
system's cache, which is nobody's. So whoever reads an array from end to end gives its pages back after every block
(`give_back`), and the memory of the process stays what it works on.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protocols.errors import StoreError


class MappedArray(np.memmap[Any, Any]):
    """A read-only array in a file; who gets it by a pipe maps the file too, and of a part of it gets the values."""

    is_whole = False

    def __array_finalize__(self, obj: Any) -> None:
        """Let a part of an array, or what was computed with it, be none of a whole file."""
        super().__array_finalize__(obj)
        self.is_whole = False

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Return the name of the file, or of a part its values."""
        if self.is_whole:
            return mapped, (str(self.filename), self.dtype.str, self.shape)
        return np.array(self, subok=False).__reduce_ex__(protocol)


def mapped(path: str, dtype: str, shape: tuple[int, ...]) -> MappedArray:
    """Map a file.

    Args:
        path: The file.
        dtype: Of its elements, as NumPy writes it.
        shape: Of the array, in C order.

    Raises:
        StoreError: When the file is not there, or too short.
    """
    try:
        array = MappedArray(path, dtype=np.dtype(dtype), mode="r", shape=shape)
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path} cannot be mapped ({error})",
            expected="the arrays that were made of the table, as long as they are used",
            action="start again: they are made again of the table",
        ) from error
    array.is_whole = True
    return array


def give_back(array: NDArray[Any]) -> None:
    """Give the pages of a mapped array back to the system; nothing happens with any other array."""
    file: Any = array.base
    if isinstance(file, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)
