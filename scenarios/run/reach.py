"""What a campaign can reach: the ceilings of its families, from its journal, and in words.

Made where a run is begun, summed up or reported, never within a decision: it takes about a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from agent.acquisition.ceilings import Ceiling, Known, ceilings, level_of
from agent.campaign.context import pool_arrays
from agent.campaign.life_cycle import OPEN, CandidateStatus, Phase
from agent.campaign.state import Campaign
from agent.entropy.bias import GAP_TOLERANCE_NAT, MIN_DEFINED

FURTHER: Final = 50
"""Values that a family may get where no budget is left: about what a small campaign would spend on one."""

REMAINING: Final = (CandidateStatus.AVAILABLE, *OPEN)
"""Candidates that may still get a value."""

MOST_NAMED: Final = 5
"""Most families that are named one by one."""


def further_values(campaign: Campaign) -> int:
    """Return how many values a family could still get: the budget that is left, or `FURTHER` where none is."""
    left = (campaign.budget - campaign.spent) // campaign.plan.target_cost
    return left if left > 0 and campaign.phase is not Phase.FINISHED else FURTHER


def ceilings_of(campaign: Campaign, on_family: Callable[[int], None] = lambda _done: None) -> tuple[Ceiling, ...]:
    """Return the ceilings of a campaign's families as it stands; none where it compares no families.

    Args:
        campaign: The campaign.
        on_family: Called with the number of families that are done.
    """
    if campaign.plan.metrics and len(campaign.pool.families) < MIN_DEFINED:
        return ()
    fidelities = campaign.pool.fidelities
    statuses = campaign.statuses if fidelities is None else campaign.statuses.copy()
    if fidelities is not None:
        statuses[~fidelities.is_candidate] = CandidateStatus.EXCLUDED  # they are no values that the dataset may have
    observed = np.flatnonzero(statuses == CandidateStatus.OBSERVED)
    values = np.column_stack((campaign.values[observed], campaign.additional[observed]))
    remaining = np.flatnonzero(np.isin(statuses, REMAINING))
    known = Known(pool_arrays(campaign.pool), observed, values, remaining, campaign.plan.targets)
    return ceilings(known, further_values(campaign), seed=campaign.plan.seed, on_family=on_family)


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
