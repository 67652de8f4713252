"""The words that the text and the figure share."""

from __future__ import annotations

import math
from typing import Final

from agent.acquisition.bias import BiasPoint, poverty_rank
from agent.why.explanation import CandidateTold, Explanation, FamilyThen, StateThen

MAX_FAMILIES_SHOWN: Final = 14
"""Most families in the table: it stays on a screen with what stands around it."""

RICHEST_SHOWN: Final = 3
"""Of too many families, how many of the richest are shown; the rest of the rows go to the poorest, and the target."""

MOST_DECIMALS: Final = 6
"""Of a prediction; a smaller one is told with an exponent."""


def poorest_first(then: StateThen) -> list[FamilyThen]:
    """Return the families, the poorest first (see `agent.acquisition.bias.poverty_rank`)."""
    return sorted(then.families, key=lambda each: poverty_rank(each.entropy, each.size, each.name))


def shown_rows(ordered: list[FamilyThen], target: str | None, most: int = MAX_FAMILIES_SHOWN) -> list[int]:
    """Return which rows are shown: all, or of too many the poorest, the richest and the target."""
    if len(ordered) <= most:
        return list(range(len(ordered)))
    targets = [at for at, family in enumerate(ordered) if family.name == target]
    richest = list(range(len(ordered) - RICHEST_SHOWN, len(ordered)))
    poorest = [at for at in range(len(ordered)) if at not in {*targets, *richest}]
    return sorted({*targets, *richest, *poorest[: most - len({*targets, *richest})]})


def nat(value: float | None) -> str:
    """Return an entropy, or that it is not defined."""
    return "–" if value is None else f"{value:.3f}".replace("-", "−")


def quantity(value: float, unit: str = "") -> str:
    """Return a figure with four digits, a real minus sign and its unit."""
    return f"{value:.4g}".replace("-", "−") + (f" {unit}" if unit else "")


def deviations_in_words(deviations: float) -> str:
    """Return how far off a prediction was: "1.3 predicted deviations above the prediction"."""
    return f"{abs(deviations):.1f} predicted deviations {'above' if deviations >= 0 else 'below'} the prediction"


def prediction_in_words(told: Explanation) -> str:
    """Return what was predicted, to two digits of its deviation: "0.12 ± 0.03 eV"; empty if the policy did not say."""
    mean, std = told.prediction.mean, told.prediction.std
    if mean is None:
        return "" if std is None else f"± {quantity(std, told.unit)} (the policy tells no mean)"
    if not std:
        return quantity(mean, told.unit)
    decimals = 1 - math.floor(math.log10(std))
    if not 0 <= decimals <= MOST_DECIMALS:
        return f"{quantity(mean)} ± {quantity(std, told.unit)}"
    return f"{mean:.{decimals}f} ± {std:.{decimals}f} {told.unit}".replace("-", "−").rstrip()


def named(candidate: CandidateTold) -> str:
    """Return a candidate's formula, id and family."""
    formula = f"{candidate.formula} " if candidate.formula else ""
    return f"{formula}{candidate.candidate_id} ({candidate.family or 'family not known'})"


def entropy_of(point: BiasPoint | None, family: str) -> float | None:
    """Return the entropy of one family [nat]; None where undefined."""
    if point is None or family not in point.families:
        return None
    return point.entropies[point.families.index(family)]
