"""What sets a candidate of a closure of designs apart: the edit of one design that makes it, against the reference.

Several designs may make one candidate (exchanged sites), so that it is the product of several edits: nitroaniline is
aniline with a nitro group, and nitrobenzene with an amino group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.pool.designs import Designs


@dataclass(frozen=True, slots=True)
class DesignEdit:
    """A level of the queried factor in place of the reference, all else kept.

    Attributes:
        factor: The queried factor.
        level: Its level.
        reference_level: The level that effects are stated against.
        kept: The other factors and their levels.
        reference: Pool index of the candidate that the design with the reference level makes.
    """

    factor: str
    level: str
    reference_level: str
    kept: tuple[tuple[str, str], ...]
    reference: int

    @property
    def words(self) -> str:
        """What was changed: "x: H → NO2"."""
        return f"{self.factor}: {self.reference_level} → {self.level}"

    @property
    def kept_words(self) -> str:
        """What was kept: "y = NH2, position = para"."""
        return ", ".join(f"{factor} = {level}" for factor, level in self.kept)


def levels_in_words(designs: Designs, candidate: int) -> tuple[str, ...]:
    """Return the designs that make a candidate: "x = NO2, y = NH2, position = para"."""
    return tuple(
        ", ".join(
            f"{factor} = {names[code]}"
            for factor, names, code in zip(designs.factors, designs.levels, designs.codes[row].tolist(), strict=True)
        )
        for row in np.flatnonzero(designs.candidate == candidate).tolist()
    )


def edits_to(designs: Designs, candidate: int) -> tuple[DesignEdit, ...]:
    """Return the edits that make a candidate, in the order of its designs.

    None of a candidate that only designs with the reference level make, and none where the design with the reference
    level is missing.
    """
    query = designs.query
    others = np.delete(designs.codes, query, axis=1)
    found = []
    for row in np.flatnonzero(designs.candidate == candidate).tolist():
        if designs.codes[row, query] == designs.reference:
            continue
        alike = (designs.codes[:, query] == designs.reference) & (others == others[row]).all(axis=1)
        for other in np.flatnonzero(alike).tolist():
            levels = [names[code] for names, code in zip(designs.levels, designs.codes[row].tolist(), strict=True)]
            kept = tuple(
                (factor, level)
                for place, (factor, level) in enumerate(zip(designs.factors, levels, strict=True))
                if place != query
            )
            reference_level = designs.groups[designs.reference]
            found.append(
                DesignEdit(designs.queried, levels[query], reference_level, kept, int(designs.candidate[other]))
            )
    return tuple(found)
