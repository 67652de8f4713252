"""What families can reach and what a model knows, in words.

From the figures alone, so that a summary can be shown without making them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agent.entropy.bias import GAP_TOLERANCE_NAT
from agent.entropy.ceiling import Ceiling, level_of
from agent.entropy.model_skill import ModelSkill

MOST_NAMED: Final = 5
"""Most families that are named one by one."""


def who_falls_short(found: Sequence[Ceiling], tolerance: float = GAP_TOLERANCE_NAT) -> list[str]:
    """Say which families cannot come to the richest, a sentence for each; the worst first.

    A family that cannot be helped is told from one that can be, but not all the way (see `Ceiling`).
    """
    level = level_of(tuple(found))
    if level is None:
        return []
    short = [each for each in found if each.falls_short(level, tolerance)]
    short.sort(key=lambda each: (not each.is_hopeless(level, tolerance), -(each.gap_left(level) or 0.0), each.family))
    said = [_shortfall(each, level, hopeless=each.is_hopeless(level, tolerance)) for each in short[:MOST_NAMED]]
    return [*said, f"{len(short) - MOST_NAMED} further families fall short too"] if len(short) > MOST_NAMED else said


def what_is_hardly_known(skills: Sequence[ModelSkill]) -> list[str]:
    """Say of which properties the model knows too little to choose by, and what to do, a sentence for each."""
    return [
        f"the model predicts {each.target or 'the property'} hardly better than the mean of each family does: of "
        f"{each.values:,} values, left out by fifths, it errs by {each.model_error:.3g}, the mean by "
        f"{each.mean_error:.3g}, so that what it chooses is little better than chance; add features that say more "
        "(structures, cheaper measurements), or take random"
        for each in skills
        if each.is_too_little
    ]


def reach_in_words(found: Sequence[Ceiling], further: int) -> str:
    """Say what the poorest families have and could have; empty where nothing is known."""
    known = sorted((each for each in found if each.at_most is not None), key=_poorest_first)
    if not known:
        return ""
    told = "; ".join(f"{each.family}: {_nat(each.now)} now, {with_band(each)} at most" for each in known[:MOST_NAMED])
    more = f"; {len(known) - MOST_NAMED} richer families" if len(known) > MOST_NAMED else ""
    return f"with up to {further:,} more values each [nat]: {told}{more}"


def with_band(ceiling: Ceiling) -> str:
    """Write a ceiling and half the width of its band."""
    if ceiling.at_most is None or ceiling.low is None or ceiling.high is None:
        return "–"
    return f"{_nat(ceiling.at_most)} ± {(ceiling.high - ceiling.low) / 2:.2f}"


def _shortfall(ceiling: Ceiling, level: float, *, hopeless: bool) -> str:
    now = "no value yet" if ceiling.now is None else f"{_nat(ceiling.now)} nat now"
    reach = f"{now}, {_nat(ceiling.high)} at the very most"
    left = f"{ceiling.gap_left(level) or 0.0:.2f}"
    gap = "" if ceiling.now is None else f" of {level - ceiling.now:.2f} nat"
    if hopeless:
        why = " (it has no candidates left)" if ceiling.remaining == 0 else ""
        return f"{ceiling.family} cannot be helped{why}: {reach}; of its gap{gap} {left} stays"
    return f"{ceiling.family} cannot come all the way: {reach}; of its gap{gap} {left} stays"


def _poorest_first(ceiling: Ceiling) -> tuple[bool, float, str]:
    return ceiling.now is not None, 0.0 if ceiling.now is None else ceiling.now, ceiling.family


def _nat(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")
