"""Candidates and the pool that holds them, in canonical order.

A candidate's id comes from its content, so that the same material has the same id in every run and on every machine.
The pool sorts its candidates by id: "ties fall to the candidate id" is then "ties fall to the lowest index". What joins
it later comes after them (`agent.pool.growth`).
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from agent.pool.designs import Designs
from agent.pool.earlier_log import EarlierLog
from agent.pool.fidelities import Fidelities
from agent.pool.interventions import Interventions
from protocols.errors import TableError
from protocols.tables.blocks.sorted_ids import Ids
from protocols.wire.limits import MAX_FAMILIES, MAX_PAYLOAD_BYTES
from protocols.wire.parameters import ParameterColumns, Parameters
from protocols.wire.structure import CrystalStructure

FEATURE_DECIMALS: Final = 9
"""Decimal places of features in the pool digest: above the bits in which platforms differ."""

BYTES_BESIDE_A_NAME: Final = 72
"""What one family takes in a metrics report beside its name [byte]: keys, size, entropy, its share of the envelope."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One material that could be evaluated: a crystal with its structure, a molecule with its SMILES, or neither."""

    candidate_id: str
    family: str
    formula: str = ""
    structure: CrystalStructure | None = None
    smiles: str = ""
    origin: str = ""
    """How it came about, where it joined the pool after its start."""
    source_id: str = ""
    """Its id as the table of the pool writes it; empty where that has no ids, and of what joined later."""
    parameters: Parameters | None = None
    """What an instrument sets to make it; None where nobody told. No policy looks at it, and who is asked does."""

    @property
    def name(self) -> str:
        """The id for people: as their table writes it, with ours beside it where they differ."""
        return named(self.candidate_id, self.source_id)


@dataclass(frozen=True)
class Pool:
    """The candidates of a campaign, sorted by id.

    Attributes:
        candidates: Sorted by `candidate_id`, then those that have joined it in order of admission, length n.
        features: Feature matrix, shape (n, d), in the order of `candidates`; not standardised.
        feature_names: Length d.
        designs: Which candidate each combination of factor levels makes; None where the pool is no closure of designs.
        log: Values from before the campaign, which are no observations of it; None where there are none.
        interventions: What the candidates set; None where they are no interventions.
        fidelities: What each row measures, of a pool with all its measurements (`agent.pool.measurements`); None where
            every row is a candidate. Its digest is never asked for: what names a pool is that of its candidates.
        is_whole: Whether these are all candidates of the campaign, with their features.
        in_blocks: Whether they need not fit in memory (`agent.pool.mapped_pool`); such a pool does not grow.
    """

    is_whole: ClassVar[bool] = True
    in_blocks: ClassVar[bool] = False
    candidates: Sequence[Candidate]
    features: NDArray[np.float64]
    feature_names: tuple[str, ...]
    designs: Designs | None = None
    log: EarlierLog | None = None
    interventions: Interventions | None = None
    fidelities: Fidelities | None = None

    def __len__(self) -> int:
        return len(self.candidates)

    @cached_property
    def candidate_ids(self) -> Ids:
        """Ids in pool order, length n."""
        return tuple(candidate.candidate_id for candidate in self.candidates)

    @cached_property
    def families(self) -> tuple[str, ...]:
        """The distinct families, sorted."""
        return tuple(sorted({candidate.family for candidate in self.candidates}))

    @cached_property
    def family_codes(self) -> NDArray[np.int64]:
        """Index into `families` of each candidate, shape (n,)."""
        code = {family: index for index, family in enumerate(self.families)}
        return np.array([code[candidate.family] for candidate in self.candidates], dtype=np.int64)

    @cached_property
    def index_of(self) -> Mapping[str, int]:
        """Position of each candidate id in the pool."""
        return {candidate_id: index for index, candidate_id in enumerate(self.candidate_ids)}

    @cached_property
    def of_source_id(self) -> Mapping[str, str]:
        """Candidate id by the id that the table of the pool writes, of those that have one."""
        first = reversed(self.candidates)  # of several rows of one the first, which is the candidate, stays
        return {each.source_id: each.candidate_id for each in first if each.source_id}

    @cached_property
    def source_id_of(self) -> Mapping[str, str]:
        """The id that the table of the pool writes by candidate id, of those that have one."""
        return {each.candidate_id: each.source_id for each in self.candidates if each.source_id}

    @cached_property
    def family_of(self) -> Mapping[str, str]:
        """Family by candidate id."""
        return {each.candidate_id: each.family for each in self.candidates}

    @cached_property
    def parameter_units(self) -> dict[str, str]:
        """Unit of each parameter that the candidates of the table have; nothing where they have none."""
        columns = self._parameter_columns
        return {} if columns is None else dict(zip(columns.names, columns.units, strict=True))

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """Names of the words that an instrument is told of the table's candidates."""
        columns = self._parameter_columns
        return () if columns is None else columns.labels

    @cached_property
    def _parameter_columns(self) -> ParameterColumns | None:
        """What the parameters of the table are called: those of its first candidate; what joins comes after them."""
        first = self.candidates[0].parameters
        return None if first is None else first.columns

    def candidate(self, candidate_id: str) -> Candidate:
        """Return a candidate by its id."""
        return self.candidates[self.index_of[candidate_id]]

    @cached_property
    def smiles(self) -> tuple[str, ...]:
        """SMILES in pool order, length n, empty where a candidate is no molecule; nothing where none is one."""
        found = tuple(candidate.smiles for candidate in self.candidates)
        return found if any(found) else ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over ids, families, rounded features, parameters: what a resumed run or a replay must find again."""
        digest = hashlib.sha256()
        digest.update(json.dumps([self.feature_names, [(c.candidate_id, c.family) for c in self.candidates]]).encode())
        digest.update(np.ascontiguousarray(np.round(self.features, FEATURE_DECIMALS) + 0.0).tobytes())
        if any(each.parameters is not None for each in self.candidates):
            told = [None if each.parameters is None else each.parameters.content for each in self.candidates]
            digest.update(json.dumps(told).encode())
        if self.designs is not None:
            made = self.designs
            levels = [made.factors, made.levels, made.queried, made.reference]
            digest.update(json.dumps([*levels, made.codes.tolist(), made.candidate.tolist()]).encode())
        if self.log is not None:
            digest.update(json.dumps([self.log.codes.tolist(), self.log.values.tolist()]).encode())
        if self.interventions is not None:
            done = self.interventions
            digest.update(json.dumps([done.variables, done.target, done.variable.tolist()]).encode())
            for numbers in (done.value, done.passive):
                digest.update(np.ascontiguousarray(np.round(numbers, FEATURE_DECIMALS) + 0.0).tobytes())
        return digest.hexdigest()


def make_pool(candidates: Iterable[Candidate], features: NDArray[np.float64], feature_names: Sequence[str]) -> Pool:
    """Sort, check and freeze the candidates of a campaign.

    Args:
        candidates: In the order of the rows of `features`.
        features: Shape (n, d), finite.
        feature_names: Length d.

    Raises:
        TableError: On an empty pool, a repeated id, a feature that is not finite, or more families than a bias
            report can hold.
    """
    rows = tuple(candidates)
    if not rows:
        raise TableError("The pool has no candidates", expected="at least one", action="check the table or the filter")
    if features.shape != (len(rows), len(feature_names)):
        raise TableError(
            f"The feature matrix has shape {features.shape}",
            expected=f"({len(rows)}, {len(feature_names)}), a row per candidate and a column per name",
        )
    bad = np.argwhere(~np.isfinite(features))
    if len(bad):
        row, column = (int(x) for x in bad[0])
        raise TableError(
            f"Feature {feature_names[column]!r} of candidate {rows[row].candidate_id!r} is {features[row, column]}"
            f" ({len(bad)} such values in all)",
            expected="finite numbers",
            action="fill or drop these rows, or leave the column out",
        )
    order = sorted(range(len(rows)), key=lambda index: rows[index].candidate_id)
    candidates_sorted = tuple(rows[index] for index in order)
    for before, after in itertools.pairwise(candidates_sorted):
        if before.candidate_id == after.candidate_id:
            raise TableError(
                f"Candidate {after.candidate_id!r} occurs twice in the pool",
                expected="one row per candidate",
                action="drop the repeated rows",
            )
    matrix = np.ascontiguousarray(features[order], dtype=np.float64)
    matrix.setflags(write=False)
    pool = Pool(candidates_sorted, matrix, tuple(feature_names))
    require_reportable(pool.families)
    return pool


def require_reportable(families: Sequence[str]) -> None:
    """Check that a bias report can hold all families.

    Raises:
        TableError: When they are too many, or their names too long.
    """
    if len(families) > MAX_FAMILIES:
        raise TableError(
            f"The pool has {len(families)} families",
            expected=f"at most {MAX_FAMILIES}",
            action="choose a coarser column as the family",
        )
    report_bytes = sum(len(family.encode()) + BYTES_BESIDE_A_NAME for family in families)
    if report_bytes > MAX_PAYLOAD_BYTES:
        raise TableError(
            f"The names of the {len(families)} families are too long for a metrics report ({report_bytes} bytes)",
            expected=f"at most {MAX_PAYLOAD_BYTES} bytes",
            action="choose shorter names",
        )


def named(candidate_id: str, source_id: str) -> str:
    """Return how a candidate is named to people: `MP 10/α (mp-10-27a1…)`; by our id alone where there is no other."""
    return candidate_id if source_id in {"", candidate_id} else f"{source_id} ({candidate_id})"


def content_id(prefix: str, content: str) -> str:
    """Return an id made of content: the same content, the same id.

    Args:
        prefix: A short lower-case word that a reader recognises (a formula, say).
        content: The canonical text of the material.
    """
    slug = "".join(ch for ch in prefix.lower() if ch.isalnum() and ch.isascii())[:24] or "c"
    return f"{slug}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
