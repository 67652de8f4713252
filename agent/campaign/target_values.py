"""The values that make the dataset: one for each candidate, of all its measurements by the target method."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from agent.campaign.event_descriptions import changes_dataset
from agent.campaign.events import Event, StartSetLoaded
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Campaign
from protocols.wire.replicates import combined


@dataclass(frozen=True, slots=True)
class TargetValue:
    """What the measurements of a candidate by the target method say together.

    Attributes:
        values: Of the campaign's properties, in its order [their units].
        uncertainties: Standard uncertainties of these, 0 where none is known [their units].
        count: How many measurements they are made of.
    """

    values: tuple[float, ...]
    uncertainties: tuple[float, ...]
    count: int


def changes_target(event: Event, plan: CampaignPlan) -> bool:
    """Tell whether an event is a point of the trajectory: a value by another method than the target is none."""
    if not changes_dataset(event) or isinstance(event, StartSetLoaded):
        return changes_dataset(event)
    return plan.is_of_target(event.candidate_id)  # type: ignore[union-attr]  # whatever changes it names one


def candidate_index(campaign: Campaign, row_id: str) -> int:
    """Return the pool index of the candidate that a row measures."""
    return campaign.pool.index_of[campaign.plan.measurement_of(row_id).candidate_id]


def target_value(campaign: Campaign, candidate: int, rows: Container[int] | None = None) -> TargetValue | None:
    """Return what is known of a candidate by the target method; None where nothing is.

    Args:
        campaign: The state.
        candidate: Its pool index.
        rows: Rows of the pool whose values may be looked at; None for all.
    """
    known = campaign.pool.fidelities
    every = [candidate] if known is None else known.rows_of(candidate, known.target).tolist()
    seen = [row for row in every if not math.isnan(campaign.values.item(row)) and (rows is None or row in rows)]
    if not seen:
        return None
    if len(seen) == 1:
        row = seen[0]
        values = (campaign.values.item(row), *campaign.additional[row].tolist())
        return TargetValue(values, tuple(campaign.uncertainties[row].tolist()), 1)
    columns = np.column_stack((campaign.values[seen], campaign.additional[seen]))
    pairs = zip(columns.T.tolist(), campaign.uncertainties[seen].T.tolist(), strict=True)
    told = [combined(each, deviations) for each, deviations in pairs]
    return TargetValue(tuple(value for value, _ in told), tuple(known_by for _, known_by in told), len(seen))
