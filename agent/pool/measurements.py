"""The measurements that a campaign may choose from, as rows of its pool: what each is called, and the pool with all.

    <candidate>                         the candidate itself: by the target method, for the first time
    <candidate>--<method>               by another method
    <candidate>--<method>--r1           again, by any

A row lives the life of a candidate: it is chosen, asked for, abandoned, retracted by its id. What is said to a lab is
the candidate, the method and the repetition. The candidates come first, and what joins the pool later comes after all
of them, each time with its own rows behind it, so that no index ever changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from agent.pool.candidates import Pool
from agent.pool.fidelities import Fidelities

MARK: Final = "--"
"""Between the parts of a row's id."""

AGAIN: Final = f"{MARK}r"
"""Before the number of a repetition in a row's id."""

MAX_ROWS: Final = 20_000_000
"""Most rows of a pool with all its measurements: beyond what a policy looks through between two answers."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A candidate, measured by a method, for the first time or again."""

    candidate_id: str
    fidelity: str | None
    """The method; None for the lab's usual one."""
    replicate: int = 0


@dataclass(frozen=True, slots=True)
class Methods:
    """The methods that a campaign may choose from.

    Attributes:
        names: Of each, the target last.
        costs: Of one measurement by each [unit of the budget].
        repetitions: How often one candidate may be measured by one method.
    """

    names: tuple[str, ...]
    costs: tuple[int, ...]
    repetitions: int = 1

    @classmethod
    def of(cls, fidelities: Fidelities) -> Self:
        """Return the methods of a pool's rows."""
        return cls(fidelities.names, fidelities.costs, int(fidelities.replicate.max()) + 1)

    @property
    def target(self) -> str:
        """The method whose values make the dataset."""
        return self.names[-1]

    @property
    def beside_the_first(self) -> tuple[tuple[int, int], ...]:
        """Method and repetition of each row of a candidate but its first, in the order of the rows."""
        target = len(self.names) - 1
        every = ((method, again) for method in range(len(self.names)) for again in range(self.repetitions))
        return tuple(each for each in every if each != (target, 0))

    def id_of(self, measurement: Measurement) -> str:
        """Return the id of a measurement's row."""
        is_usual = measurement.fidelity in {None, self.target}
        if is_usual and not measurement.replicate:
            return measurement.candidate_id
        again = f"{AGAIN}{measurement.replicate}" if measurement.replicate else ""
        return f"{measurement.candidate_id}{MARK}{measurement.fidelity or self.target}{again}"

    def measurement_of(self, row_id: str) -> Measurement:
        """Return what the row of an id measures."""
        first, mark, number = row_id.rpartition(AGAIN)
        is_again = bool(mark) and number.isdecimal() and 0 < int(number) < self.repetitions
        named, again = (first, int(number)) if is_again else (row_id, 0)
        for name in self.names:
            if named.endswith(f"{MARK}{name}") and (again or name != self.target):
                return Measurement(named.removesuffix(f"{MARK}{name}"), name, again)
        return Measurement(row_id, self.target)

    def cost_of(self, row_id: str) -> int:
        """Return what a request of the row of an id costs [unit of the budget]."""
        return self.costs[self.names.index(self.measurement_of(row_id).fidelity or self.target)]

    def breaches(self, pool: Pool) -> Iterator[str]:
        """Yield what is against measuring the candidates of a pool by these methods, in words."""
        if pool.in_blocks:
            yield "the pool is read in blocks, and measurements by several methods are rows of one in memory"
            return
        rows = len(pool) * len(self.names) * self.repetitions
        if rows > MAX_ROWS:
            yield f"{len(pool):,} candidates make {rows:,} measurements; expected at most {MAX_ROWS:,}"
        for each in pool.candidate_ids:
            if self.is_row_id(each):
                yield f"the id {each!r} of a candidate reads as that of a measurement"

    def is_row_id(self, candidate_id: str) -> bool:
        """Tell whether an id reads as that of a measurement, and is none that a candidate may have."""
        return self.measurement_of(candidate_id).candidate_id != candidate_id


def measured(pool: Pool, methods: Methods, first: int = 0) -> Pool:
    """Return a pool with the rows of its measurements.

    Args:
        pool: It has the rows of its candidates before `first`, and those from there on are candidates.
        methods: By which they may be measured.
        first: Index of the first candidate whose rows are to come; they come after the last one.
    """
    new, beside = np.arange(first, len(pool), dtype=np.int64), methods.beside_the_first
    rows = (
        replace(each, candidate_id=methods.id_of(Measurement(each.candidate_id, methods.names[method], again)))
        for method, again in beside
        for each in pool.candidates[first:]
    )
    features = np.vstack((pool.features, np.tile(pool.features[first:], (len(beside), 1))))
    features.setflags(write=False)
    kinds = np.array([(len(methods.names) - 1, 0), *beside], dtype=np.int64)
    added = (
        np.tile(new, len(kinds)),
        np.repeat(kinds[:, 0], len(new)),
        np.repeat(kinds[:, 1], len(new)),
    )
    before = pool.fidelities
    known = () if before is None else (before.candidate, before.method, before.replicate)
    columns = (np.concatenate(both) for both in zip(known, added, strict=True)) if known else iter(added)
    told = Fidelities(methods.names, methods.costs, *columns)
    return replace(pool, candidates=(*pool.candidates, *rows), features=features, fidelities=told)
