"""A pool that need not fit in memory: its arrays lie in files, and a candidate is made when it is asked for.

It is the same pool as one that is made in memory of the same table: the same ids in the same order, families, numbers
and digest, so the same campaign. It does not grow, and has neither structures nor parameters: those stand in no array.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, overload

import numpy as np
from numpy.typing import NDArray

from agent.pool.candidates import FEATURE_DECIMALS, Candidate, Pool, require_reportable
from protocols.tables.blocks.limits import BLOCK_ROWS
from protocols.tables.blocks.mapped_array import give_back
from protocols.tables.blocks.mapped_table import MappedTable, ProgressCall
from protocols.tables.blocks.sorted_ids import OfId, PlaceOfId, SortedIds

DIGEST: Final = "pool-digest-1"
"""Name of the digest beside the arrays that it is of; another number where a digest is made otherwise."""


class MappedCandidates(Sequence[Candidate]):
    """The candidates of a table, each made when it is asked for.

    Args:
        table: The table.
        has_ids: Whether the table writes ids itself.
    """

    def __init__(self, table: MappedTable, *, has_ids: bool) -> None:
        self._table, self._has_ids = table, has_ids

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, place: int) -> Candidate: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Candidate, ...]: ...
    def __getitem__(self, place: int | slice) -> Candidate | tuple[Candidate, ...]:
        """Return a candidate, or some."""
        if isinstance(place, slice):
            return tuple(self[each] for each in range(*place.indices(len(self))))
        which = self._table.candidate_ids[place]
        family = self._table.described.families[int(self._table.family_codes[place])]
        return Candidate(which, family, source_id=which if self._has_ids else "")

    def __iter__(self) -> Iterator[Candidate]:
        return (self[place] for place in range(len(self)))


@dataclass(frozen=True)
class MappedPool(Pool):
    """A pool whose arrays lie in files.

    Attributes:
        table: The table; its files stay for as long as this lives.
        known_digest: Its digest.
        has_ids: Whether the table writes ids itself.
    """

    in_blocks: ClassVar[bool] = True
    table: MappedTable | None = None
    known_digest: str = ""
    has_ids: bool = False

    @cached_property
    def _arrays(self) -> MappedTable:
        assert self.table is not None  # noqa: S101 - `mapped_pool` gives it
        return self.table

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know about the table."""
        return self._arrays.described.warnings

    @cached_property
    def candidate_ids(self) -> SortedIds:
        """Ids in pool order, length n."""
        return self._arrays.candidate_ids

    @cached_property
    def families(self) -> tuple[str, ...]:
        """The distinct families, sorted."""
        return self._arrays.described.families

    @cached_property
    def family_codes(self) -> NDArray[np.int64]:
        """Index into `families` of each candidate, shape (n,)."""
        return self._arrays.family_codes

    @cached_property
    def index_of(self) -> Mapping[str, int]:
        """Position of each candidate id in the pool."""
        return PlaceOfId(self.candidate_ids)

    @cached_property
    def family_of(self) -> Mapping[str, str]:
        """Family by candidate id."""
        return OfId(self.candidate_ids, self.families, self.family_codes)

    @cached_property
    def of_source_id(self) -> Mapping[str, str]:
        """Candidate id by the id that the table writes: the same, as others are refused."""
        return OfId(self.candidate_ids) if self.has_ids else {}

    @cached_property
    def source_id_of(self) -> Mapping[str, str]:
        """The id that the table writes by candidate id."""
        return self.of_source_id

    @cached_property
    def smiles(self) -> tuple[str, ...]:
        """Nothing: none is a molecule."""
        return ()

    @cached_property
    def digest(self) -> str:
        """The digest that the pool would have in memory."""
        return self.known_digest


def mapped_pool(table: MappedTable, *, has_ids: bool, progress: ProgressCall = lambda *_: None) -> MappedPool:
    """Return the pool of a table that is read in blocks.

    Args:
        table: The table.
        has_ids: Whether it writes ids itself.
        progress: For a progress bar, where the digest is not known yet.

    Raises:
        TableError: When its families are more than a bias report can hold.
    """
    require_reportable(table.described.families)
    return MappedPool(
        MappedCandidates(table, has_ids=has_ids),
        table.features,
        table.described.feature_names,
        table=table,
        known_digest=table.kept(DIGEST, lambda: digest_in_blocks(table, progress)),
        has_ids=has_ids,
    )


def digest_in_blocks(table: MappedTable, progress: ProgressCall = lambda *_: None) -> str:
    """Return `Pool.digest` of a table, from the same bytes, of which a block at a time is in memory."""
    digest = hashlib.sha256()
    for part in _ids_and_families(table):
        digest.update(part)
    n, told = len(table), _told(progress, len(table))
    for start in range(0, n, BLOCK_ROWS):
        rows = np.asarray(table.features[start : start + BLOCK_ROWS], dtype=np.float64)
        digest.update(np.ascontiguousarray(np.round(rows, FEATURE_DECIMALS) + 0.0).tobytes())
        give_back(table.features)
        told(min(n, start + BLOCK_ROWS))
    return digest.hexdigest()


def _told(progress: ProgressCall, n: int) -> Callable[[int], None]:
    return lambda done: progress("digest of the pool", done, n)


def _ids_and_families(table: MappedTable) -> Iterator[bytes]:
    """Yield the JSON of feature names, and of all ids with their families, in parts."""
    yield f"[{json.dumps(table.described.feature_names)}, [".encode()
    families = table.described.families
    for start in range(0, len(table), BLOCK_ROWS):
        at = slice(start, start + BLOCK_ROWS)
        codes = table.family_codes[at].tolist()
        pairs = [(which, families[code]) for which, code in zip(table.candidate_ids[at], codes, strict=True)]
        yield (", " if start else "").encode() + json.dumps(pairs)[1:-1].encode()
    yield b"]]"
