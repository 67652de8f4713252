"""Whether a trim is worth having: said plainly where it is not, before anything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.entropy.bias import BiasPoint
    from scenarios.trim.trim import Figure

JUDGED: Final = ("entropy_range", "mean_gap", "entropy_std")
"""Figures of bias by which a trim is held against the whole table and against random trims."""

SHOWN: Final = 5e-4
"""What is seen of a difference of entropies [nat]: figures are told with three decimals."""


def worse_than_nothing(figures: Iterable[Figure], families: Sequence[str], trimmed: BiasPoint) -> str:
    """Return in which figures the kept rows are worse than the whole table, or than random ones; "" where in none.

    Args:
        figures: Of the whole table.
        families: Names.
        trimmed: Bias of the kept rows.
    """
    judged = [each for each in figures if each.quantity in JUDGED]
    undefined = [each for each in judged if each.trimmed is None and each.full is not None]
    if undefined:
        few = min((size, family) for size, family in zip(trimmed.sizes, families, strict=True))
        return (
            f"The kept rows are worse than the whole table: {_listed(each.label for each in undefined)} cannot be told"
            f" of them, because families have too few rows ({few[1]!r} has {few[0]}). Keep more rows (--keep)."
        )
    over_whole = [each for each in judged if _is_above(each.trimmed, each.full)]
    over_random = [each for each in judged if each not in over_whole and _is_above(each.trimmed, each.over_random()[0])]
    said = []
    if over_whole:
        changes = _listed(f"{each.label} {_told(each.full)} → {_told(each.trimmed)} nat" for each in over_whole)
        said.append(f"The kept rows are worse than the whole table: {changes}.")
    if over_random:
        changes = _listed(f"{each.label} {_told(each.over_random()[0])}" for each in over_random)
        said.append(f"Random trims of the same size are better on average: {changes} nat.")
    return " ".join((*said, _advice(families, trimmed))) if said else ""


def _advice(families: Sequence[str], trimmed: BiasPoint) -> str:
    known = [
        (h, family, size)
        for h, family, size in zip(trimmed.entropies, families, trimmed.sizes, strict=True)
        if h is not None
    ]
    poorest, family, size = min(known)
    return (
        f"Keep more rows (--keep), or leave out or join what cannot follow the other families: the poorest is"
        f" {family!r} ({_told(poorest)} nat, {size} rows)."
    )


def _is_above(value: float | None, other: float | None) -> bool:
    return value is not None and other is not None and value > other + SHOWN


def _told(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}".replace("-", "−")


def _listed(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
