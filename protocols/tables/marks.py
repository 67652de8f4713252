"""What stands for a missing cell: one rule for every column, whatever file it comes from."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Final

WORDS: Final = frozenset({
    "", "-", "--", "---", "–", "—", "?", ".",
    "na", "n/a", "n.a.", "n.a", "<na>", "nan", "-nan", "+nan", "nat", "null", "(null)", "<null>", "nil", "none",
    "<none>", "(none)", "missing", "\\n",
    "#n/a", "#na", "#n/a n/a", "#num!", "#div/0!", "#value!", "#ref!", "#name?", "#null!",
    "#spill!", "#calc!", "#field!",
    "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "nan(ind)", "-nan(ind)", "nan(snan)", "-nan(snan)",
})  # fmt: skip
"""What stands for a missing cell, in lower case: what programs write for one (R, pandas, SQL, spreadsheets, C), the
dashes of printed tables, and the marks of a CIF."""

SODIUM: Final = "Na"
"""An element, as no program writes its mark for a missing cell (NA, na): it is never one."""

FORMULAS: Final = frozenset({"NaN"})
"""Marks that are formulas too: sodium nitride."""


def _in_all_capitals(word: str) -> set[str]:
    return set(map("".join, itertools.product(*({each.lower(), each.upper()} for each in word))))


SPELLINGS: Final = frozenset().union(*map(_in_all_capitals, WORDS)) - {SODIUM}
"""These words in all capitals that there are, some hundreds: a set of them is faster than a call for each cell."""


def is_missing(text: str, own: Collection[str] = (), *, formulas: bool = False) -> bool:
    """Tell whether a cell counts as missing.

    Args:
        text: Of the cell, without blanks around it.
        own: Marks of the table itself (`TableFormat.missing`), as they stand; they hold for formulas too.
        formulas: Whether the column is one of formulas.
    """
    return text in own or (text in SPELLINGS and not (formulas and text in FORMULAS))


def in_words(mark: str) -> str:
    """Return what is said of a missing cell that has this text."""
    return f"{mark!r}, which counts as missing" if mark else "an empty cell"
