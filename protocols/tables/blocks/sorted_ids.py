"""Ids of many candidates, ascending, in an array of bytes: sixteen bytes each, where a Python text takes eighty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray

from protocols.tables.blocks.mapped_array import give_back

IDS_AT_ONCE: Final = 65_536
"""Ids that are written out at a time when all are asked for."""


class SortedIds(Sequence[str]):
    """Ids, ascending and distinct; of ASCII, whose order as bytes is that of texts.

    Args:
        ids: Shape (n,), of bytes of a fixed width.
    """

    __slots__ = ("_ids",)

    def __init__(self, ids: NDArray[np.bytes_]) -> None:
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> str | tuple[str, ...]:
        """Return an id, or some."""
        if isinstance(place, slice):
            return tuple(each.decode() for each in self._ids[place].tolist())
        return bytes(self._ids[place]).decode()

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), IDS_AT_ONCE):
            yield from self[start : start + IDS_AT_ONCE]
            give_back(self._ids)

    def __contains__(self, candidate_id: object) -> bool:
        return self.find(candidate_id) is not None

    def find(self, candidate_id: object) -> int | None:
        """Return the place of an id, by bisection; None where it is not among them."""
        if not isinstance(candidate_id, str) or not candidate_id.isascii():
            return None
        if not 0 < len(candidate_id) <= self._ids.dtype.itemsize or candidate_id.endswith("\0"):
            return None
        wanted = np.array(candidate_id.encode(), dtype=self._ids.dtype)
        place = int(np.searchsorted(self._ids, wanted))
        return place if place < len(self._ids) and self._ids[place] == wanted else None


Ids = tuple[str, ...] | SortedIds
"""Ids in an order."""


class IdsWithAdded(Sequence[str]):
    """Ids of a pool, and of what is about to join it, without a copy of the first.

    Args:
        ids: Of the pool.
        added: Of what joins it.
    """

    __slots__ = ("_added", "_ids")

    def __init__(self, ids: Ids, added: Sequence[str]) -> None:
        self._ids, self._added = ids, added

    def __len__(self) -> int:
        return len(self._ids) + len(self._added)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        """Return an id, or some."""
        if isinstance(place, slice):
            return tuple(self[each] for each in range(*place.indices(len(self))))
        return self._ids[place] if place < len(self._ids) else self._added[place - len(self._ids)]


class PlaceOfId(Mapping[str, int]):
    """The place of each id.

    Args:
        ids: Ascending.
    """

    __slots__ = ("_ids",)

    def __init__(self, ids: SortedIds) -> None:
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __getitem__(self, candidate_id: str) -> int:
        """Return its place."""
        place = self._ids.find(candidate_id)
        if place is None:
            raise KeyError(candidate_id)
        return place


class OfId(Mapping[str, str]):
    """What each id has, such as its family.

    Args:
        ids: Ascending.
        names: What there is, length f.
        codes: Index into `names` of each, shape (n,); None where each id has itself.
    """

    __slots__ = ("_codes", "_ids", "_names")

    def __init__(self, ids: SortedIds, names: Sequence[str] = (), codes: NDArray[Any] | None = None) -> None:
        self._ids, self._names, self._codes = ids, names, codes

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __getitem__(self, candidate_id: str) -> str:
        """Return what it has."""
        place = self._ids.find(candidate_id)
        if place is None:
            raise KeyError(candidate_id)
        return candidate_id if self._codes is None else self._names[int(self._codes[place])]
