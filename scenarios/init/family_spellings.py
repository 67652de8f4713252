"""Families that are likely one under several names: what a person decides, and the scenario proposes."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from typing import Final

from protocols.tables.spelling import alike

SLIP: Final = 0.85
"""Likeness of two words from which one may be a slip of the pen of the other (`difflib`): Garnett, garnet."""

RARE: Final = 0.2
"""Largest share of the other's rows that a slip of the pen has."""

SHORT: Final = 5
"""Shortest word that is looked at [character]: of short ones one letter makes another word."""


def likely_meant(names: Iterable[str]) -> dict[str, str]:
    """Return each family -> the more frequent one that is likely meant.

    Args:
        names: Of all rows; an empty one is none.
    """
    counts = Counter(" ".join(name.split()) for name in names if name)
    found = alike(counts.elements())
    kept = [name for name in counts if name not in found]
    for name in kept:
        others = [each for each in kept if counts[name] <= RARE * counts[each]]
        near = difflib.get_close_matches(name.lower(), [each.lower() for each in others], n=1, cutoff=SLIP)
        if near and len(name) >= SHORT and not any(map(str.isdigit, name)):
            found[name] = next(each for each in others if each.lower() == near[0])
    return found
