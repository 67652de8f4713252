"""Whether a trim is worth having: said plainly where it is not, before anything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.entropy.bias import BiasPoint
    from scenarios.trim.trim import Figure

JUDGED: Final = ("entropy_range", "mean_gap", "entropy_std")
"""Figures of bias by which a trim is held against the whole table and against random trims."""

SHOWN: Final = 5e-4
"""What is seen of a difference of entropies [nat]: figures are told with three decimals."""

THAN_WHOLE: Final = "worse than the whole table"
THAN_RANDOM: Final = "worse than random rows"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a trim is not worth having.

    Attributes:
        short: In a few words, for the title of a picture.
        words: With the figures, and what to do.
    """

    short: str
    words: str


def verdict_on(figures: Iterable[Figure], families: Sequence[str], trimmed: BiasPoint) -> Verdict | None:
    """Return in which figures of bias the kept rows are worse than the whole table, or than random ones.

    Args:
        figures: Of the whole table.
        families: Names.
        trimmed: Bias of the kept rows.

    Returns:
        None where they are worse in none.
    """
    judged = [each for each in figures if each.quantity in JUDGED]
    undefined = [each.label for each in judged if each.trimmed is None and each.full is not None]
    if undefined:
        size, family = min(zip(trimmed.sizes, families, strict=True))
        return Verdict(
            THAN_WHOLE,
            f"The kept rows are {THAN_WHOLE}: of them {_listed(undefined)} cannot be told, because families have too"
            f" few rows ({family!r} has {size}). Keep more rows (--keep).",
        )
    over_whole = [each for each in judged if _is_above(each.trimmed, each.full)]
    over_random = [each for each in judged if _is_above(each.trimmed, each.over_random()[0])]
    if not (over_whole or over_random):
        return None
    said = []
    if over_whole:
        changes = _listed(f"{each.label} {in_words(each.full)} → {in_words(each.trimmed)} nat" for each in over_whole)
        said.append(f"The kept rows are {THAN_WHOLE} in {len(over_whole)} of {len(judged)} figures of bias: {changes}.")
    if over_random:
        changes = _listed(f"{each.label} {in_words(each.over_random()[0])} nat" for each in over_random)
        said.append(f"Random trims of the same size are better on average: {changes}.")
    return Verdict(THAN_WHOLE if over_whole else THAN_RANDOM, " ".join((*said, _advice(families, trimmed))))


def in_words(value: float | None, form: str = "{:.3f}") -> str:
    """Return a figure as people read it."""
    return "undefined" if value is None else form.format(value).replace("-", "−")


def _advice(families: Sequence[str], trimmed: BiasPoint) -> str:
    told = zip(trimmed.entropies, families, trimmed.sizes, strict=True)
    poorest, family, size = min((h, family, size) for h, family, size in told if h is not None)
    return (
        f"Keep more rows (--keep), or leave out or join what cannot follow the other families: the poorest is"
        f" {family!r} ({in_words(poorest)} nat, {size} rows)."
    )


def _is_above(value: float | None, other: float | None) -> bool:
    return value is not None and other is not None and value > other + SHOWN


def _listed(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
