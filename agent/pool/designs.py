"""A finite closure of designs: which candidate each combination of factor levels makes.

| here | meaning |
|---|---|
| factor, level | what may be set, and to what: `x` to `NO2`, `position` to `para` |
| design, m | one level of each of f factors; there are m of them |
| candidate, n | what a design makes; several designs may make one candidate, no design makes two |
| site | a factor of the same levels as the queried one; exchanging the two makes the same candidate |
| place | a factor that is no site |
| origin | the level that stands for nothing added: that of the plainest candidate with one level at all sites, if any |
| reference | the level that effects of the queried factor are stated against: the origin, unless another one is named |
| cell | levels of the sites at a combination of places that occurs, whether there is a design of it or not |

All of it is read off the table; nothing is known of any factor or level by its name. Levels are in the order of the
candidates that they make, and designs in the order of theirs, so that neither names nor the order of rows decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.errors import TableError
from protocols.settings.suggestions import did_you_mean

IndexArray = NDArray[np.int64]

LEAST_OCCURRENCES: Final = 2
"""Designs that a level must be in: of one alone no effect can be told from that of the rest of its design."""


@dataclass(frozen=True, eq=False)
class Designs:
    """The designs of a campaign; made by `make_designs`, which checks them.

    Attributes:
        factors: Names, length f.
        levels: Names of the levels of each factor.
        codes: Levels of each design, shape (m, f), indices into `levels`; sites share their codes.
        candidate: Pool index of what each design makes, shape (m,), ascending; every candidate is made by one.
        queried: Name of the factor whose effects are asked for.
        reference: Level of it that they are stated against.
        origin: Level of it that stands for nothing added; where none was found, the reference in its place.
        has_origin: Whether one was found. Where none was (elements on sublattices), no level is less than the others.
    """

    factors: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    codes: IndexArray
    candidate: IndexArray
    queried: str
    reference: int
    origin: int
    has_origin: bool

    @property
    def query(self) -> int:
        """Position of the queried factor."""
        return self.factors.index(self.queried)

    @cached_property
    def sites(self) -> tuple[int, ...]:
        """Positions of the factors that are interchangeable with the queried one, it included, ascending."""
        return tuple(
            factor
            for factor in range(len(self.factors))
            if factor == self.query or _interchangeable(self.levels, self.codes, self.candidate, factor, self.query)
        )

    @property
    def places(self) -> tuple[int, ...]:
        """Positions of the other factors, ascending."""
        return tuple(factor for factor in range(len(self.factors)) if factor not in self.sites)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the levels of the sites."""
        return self.levels[self.query]

    @property
    def missing_cells(self) -> int:
        """How many cells have no design."""
        places = len(np.unique(self.codes[:, list(self.places)], axis=0))
        return int(places * len(self.groups) ** len(self.sites) - len(self.codes))

    def matched(self, level: int) -> tuple[IndexArray, IndexArray]:
        """Return the designs of a level of the queried factor, and those of the reference that differ in it alone.

        Returns:
            Two arrays of the same length, design by design; shorter than the designs of the level where cells are
            missing.
        """
        others = np.delete(self.codes, self.query, axis=1)
        column = self.codes[:, self.query]
        of_reference = {tuple(others[row].tolist()): row for row in np.flatnonzero(column == self.reference)}
        pairs = [
            (row, of_reference[rest])
            for row in np.flatnonzero(column == level)
            if (rest := tuple(others[row].tolist())) in of_reference
        ]
        both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def in_words(self) -> str:
        """Say what was found, in one sentence."""
        sites = " and ".join(self.factors[each] for each in self.sites)
        alike = f", {sites} interchangeable" if len(self.sites) > 1 else ""
        holes = f", {self.missing_cells} cells without one" if self.missing_cells else ""
        return (
            f"{len(self.codes)} designs of {len(np.unique(self.candidate))} candidates{holes}{alike}; effects of "
            f"{self.queried} against {self.groups[self.reference]}"
        )


def make_designs(
    columns: Mapping[str, Sequence[str]],
    candidate: Sequence[int],
    texts: Sequence[str],
    *,
    queried: str,
    reference: str = "",
) -> Designs:
    """Check a table of designs and freeze it.

    A design that is repeated counts once. Cells may be missing (see `Designs.in_words`).

    Args:
        columns: Factor -> its level in each row, each of length m, m ≥ 1.
        candidate: Pool index of what each row makes, length m.
        texts: A formula or SMILES of each candidate of the pool, length n; the shorter the plainer.
        queried: Factor whose effects are asked for.
        reference: Its level that they are stated against; by default the origin.

    Raises:
        TableError: Where the table is no closure of designs, or no reference can be found in it.
    """
    factors = tuple(columns)
    if queried not in factors:
        raise TableError(
            f"The table of designs has no factor {queried!r}",
            expected=f"one of {', '.join(factors)}",
            action=did_you_mean(queried, factors) or "name the factor whose effects are asked for",
        )
    made = np.asarray(candidate, dtype=np.int64)
    levels = tuple(_ordered_levels(columns, factor, made) for factor in factors)
    codes = np.array(
        [[names.index(name) for name in columns[factor]] for factor, names in zip(factors, levels, strict=True)],
        dtype=np.int64,
    ).T
    order = np.lexsort((*codes.T[::-1], made))
    codes, made = _without_repeats(codes[order], made[order], factors, levels, texts)
    _check_levels(codes, factors, levels, queried)
    _check_made(made, texts)
    draft = Designs(factors, levels, codes, made, queried, -1, -1, has_origin=False)
    return _with_reference(draft, texts, reference)


def asked_again(designs: Designs, texts: Sequence[str], *, queried: str, reference: str = "") -> Designs:
    """Return the same designs with another question.

    Args:
        designs: Any question's.
        texts: A formula or SMILES of each candidate of the pool, length n.
        queried: Factor whose effects are asked for.
        reference: Its level that they are stated against; by default the origin.

    Raises:
        TableError: Where there is no such factor or level, or no reference can be found.
    """
    columns = {
        factor: [names[code] for code in column]
        for factor, names, column in zip(designs.factors, designs.levels, designs.codes.T.tolist(), strict=True)
    }
    return make_designs(columns, designs.candidate.tolist(), texts, queried=queried, reference=reference)


def _ordered_levels(columns: Mapping[str, Sequence[str]], factor: str, made: IndexArray) -> tuple[str, ...]:
    """Return the levels of a factor in the order of all that they make, in any factor that has the same levels."""
    names = set(columns[factor])
    alike = [each for each in columns.values() if set(each) == names]
    making: dict[str, set[int]] = {name: set() for name in names}
    for column in alike:
        for name, candidate in zip(column, made.tolist(), strict=True):
            making[name].add(candidate)

    def makes(name: str) -> tuple[list[int], str]:
        return sorted(making[name]), name

    return tuple(sorted(names, key=makes))


def _without_repeats(
    codes: IndexArray,
    made: IndexArray,
    factors: tuple[str, ...],
    levels: tuple[tuple[str, ...], ...],
    texts: Sequence[str],
) -> tuple[IndexArray, IndexArray]:
    """Drop designs that stand there twice; refuse one that makes two candidates."""
    first: dict[tuple[int, ...], int] = {}
    for row, design in enumerate(map(tuple, codes.tolist())):
        known = first.setdefault(design, row)
        if made[known] != made[row]:
            said = ", ".join(f"{f} = {levels[k][design[k]]}" for k, f in enumerate(factors))
            raise TableError(
                f"The design {said} makes two candidates, {texts[made[known]]!r} and {texts[made[row]]!r}",
                expected="one candidate for each combination of levels",
                action="correct the table, or add the factor that tells them apart",
            )
    kept = np.array(sorted(first.values()), dtype=np.int64)
    return codes[kept], made[kept]


def _check_levels(
    codes: IndexArray, factors: tuple[str, ...], levels: tuple[tuple[str, ...], ...], queried: str
) -> None:
    """Refuse a factor of one level where effects are asked of it, and levels that occur once."""
    for column, (factor, names) in enumerate(zip(factors, levels, strict=True)):
        if factor == queried and len(names) == 1:
            raise TableError(
                f"The factor {factor!r} has one level, {names[0]!r}",
                expected="at least two, so that one can be compared with the other",
                action="query another factor, or add designs",
            )
        counts = np.bincount(codes[:, column], minlength=len(names))
        if (counts < LEAST_OCCURRENCES).any():
            rare = int(np.argmin(counts))
            raise TableError(
                f"The level {names[rare]!r} of {factor!r} occurs in one design",
                expected="every level with more than one combination of the others",
                action="drop this row, or add the other designs of the level",
            )


def _check_made(made: IndexArray, texts: Sequence[str]) -> None:
    """Refuse candidates that no design makes, and designs of what is no candidate."""
    counts = np.bincount(made[made >= 0], minlength=len(texts))
    if made[0] < 0 or len(counts) > len(texts):
        raise TableError(
            f"A design makes candidate number {made[0] if made[0] < 0 else made[-1]}",
            expected=f"a candidate of the pool, 0 to {len(texts) - 1}",
        )
    if (counts == 0).any():
        raise TableError(
            f"No design makes {texts[int(np.argmin(counts))]!r} ({int((counts == 0).sum())} such candidates)",
            expected="a row in the table of designs for every candidate of the pool",
            action="add their designs, or leave them out of the pool",
        )


def _interchangeable(
    levels: tuple[tuple[str, ...], ...], codes: IndexArray, candidate: IndexArray, a: int, b: int
) -> bool:
    """Whether exchanging two factors makes the same candidate wherever both designs are there, somewhere at least."""
    if levels[a] != levels[b]:
        return False
    made = dict(zip(map(tuple, codes.tolist()), candidate.tolist(), strict=True))
    exchanged = codes.copy()
    exchanged[:, [a, b]] = codes[:, [b, a]]
    differs = codes[:, a] != codes[:, b]
    pairs = [
        (here, made[design])
        for here, design in zip(candidate[differs].tolist(), map(tuple, exchanged[differs].tolist()), strict=True)
        if design in made
    ]
    return bool(pairs) and all(here == there for here, there in pairs)


def _with_reference(draft: Designs, texts: Sequence[str], named: str) -> Designs:
    """Find origin and reference, and check that every other level can be compared with it."""
    if named and named not in draft.groups:
        raise TableError(
            f"The reference {named!r} is no level of {draft.queried!r}",
            expected=f"one of {', '.join(draft.groups)}",
            action=did_you_mean(named, draft.groups) or "name another one, or none for the plainest",
        )
    plainest = _plainest(draft, texts)
    if not named and len(plainest) != 1:
        why = "no level has a design with itself at all of them" if not plainest else "several are as plain"
        raise TableError(
            f"No level of {draft.queried!r} is the reference by itself: {why}"
            + (f" ({', '.join(draft.groups[each] for each in plainest)})" if plainest else ""),
            expected="one level whose own candidate has the shortest formula or SMILES",
            action="name the reference",
        )
    reference = draft.groups.index(named) if named else plainest[0]
    has_origin = len(plainest) == 1
    origin = plainest[0] if has_origin else reference
    designs = replace(draft, reference=reference, origin=origin, has_origin=has_origin)
    for level, name in enumerate(designs.groups):
        if len(designs.matched(level)[0]) == 0:
            raise TableError(
                f"No design of {name!r} differs from one of the reference {designs.groups[reference]!r} in "
                f"{draft.queried!r} alone",
                expected="pairs of designs that show the effect of every level",
                action="add such designs, or name another reference",
            )
    return designs


def _plainest(draft: Designs, texts: Sequence[str]) -> list[int]:
    """Return the levels whose design with them at all sites has the shortest text."""
    sites = draft.codes[:, list(draft.sites)]
    own = (sites == sites[:, :1]).all(axis=1)
    shortest: dict[int, int] = {}
    for level, made in zip(sites[own, 0].tolist(), draft.candidate[own].tolist(), strict=True):
        shortest[level] = min(len(texts[made]), shortest.get(level, len(texts[made])))
    return sorted(level for level, length in shortest.items() if length == min(shortest.values()))
