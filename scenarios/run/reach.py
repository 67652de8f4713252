"""What a campaign can reach: the ceilings of its families, and what its model knows; in words: `reach_words`.

Made where a run is begun, summed up or reported, never within a decision: it takes about a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from agent.acquisition.ceilings import Known, ceilings
from agent.acquisition.model_skill import model_skills
from agent.campaign.context import pool_arrays
from agent.campaign.life_cycle import OPEN, CandidateStatus, Phase
from agent.campaign.state import Campaign
from agent.entropy.bias import MIN_DEFINED
from agent.entropy.ceiling import Ceiling
from agent.entropy.model_skill import ModelSkill

FURTHER: Final = 50
"""Values that a family may get where no budget is left: about what a small campaign would spend on one."""

REMAINING: Final = (CandidateStatus.AVAILABLE, *OPEN)
"""Candidates that may still get a value."""


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
    if not _compares_families(campaign):
        return ()
    return ceilings(_known(campaign), further_values(campaign), seed=campaign.plan.seed, on_family=on_family)


def skills_of(campaign: Campaign) -> tuple[ModelSkill, ...]:
    """Return what the model of each property knows of it as the campaign stands; empty where that cannot be told."""
    return model_skills(_known(campaign)) if _compares_families(campaign) else ()


def _compares_families(campaign: Campaign) -> bool:
    return not campaign.plan.metrics or len(campaign.pool.families) >= MIN_DEFINED


def _known(campaign: Campaign) -> Known:
    fidelities = campaign.pool.fidelities
    statuses = campaign.statuses if fidelities is None else campaign.statuses.copy()
    if fidelities is not None:
        statuses[~fidelities.is_candidate] = CandidateStatus.EXCLUDED  # they are no values that the dataset may have
    observed = np.flatnonzero(statuses == CandidateStatus.OBSERVED)
    values = np.column_stack((campaign.values[observed], campaign.additional[observed]))
    remaining = np.flatnonzero(np.isin(statuses, REMAINING))
    return Known(pool_arrays(campaign.pool), observed, values, remaining, campaign.plan.targets)
