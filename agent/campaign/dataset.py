"""The dataset that the events of a journal make, for whoever reads it: the store keeps its own views of the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from agent.campaign.event_descriptions import Observation, observations_of, taken_away_by
from agent.campaign.events import CampaignStarted, Event
from agent.campaign.plan import CampaignPlan
from protocols.wire.replicates import combined


def dataset_of(events: Iterable[Event], additional: Sequence[str] = ()) -> dict[str, Observation]:
    """Return the dataset that events make, by candidate: in the order in which the values came, as corrected.

    Of a campaign with several methods it is what the target method says, its repetitions taken together.

    Args:
        events: A journal from its beginning.
        additional: Names of the additional properties whose values are wanted.
    """
    found: dict[str, Observation] = {}
    plan: CampaignPlan | None = None
    for event in events:
        if isinstance(event, CampaignStarted):
            plan = event.plan
        found.pop(taken_away_by(event), None)
        found |= {each.candidate_id: each for each in observations_of(event, additional)}
    return found if plan is None or plan.methods is None else _by_candidate(plan, found)


def _by_candidate(plan: CampaignPlan, found: Mapping[str, Observation]) -> dict[str, Observation]:
    """Return the values by the target method, one for each candidate."""
    several: dict[str, list[Observation]] = {}
    for row_id, each in found.items():
        if plan.is_of_target(row_id):
            several.setdefault(plan.measurement_of(row_id).candidate_id, []).append(each)
    return {which: _together(which, each) for which, each in several.items()}


def _together(candidate_id: str, several: Sequence[Observation]) -> Observation:
    if len(several) == 1:
        return replace(several[0], candidate_id=candidate_id)
    value, deviation = combined([each.value for each in several], [each.standard_deviation or 0.0 for each in several])
    columns = zip(*(each.additional for each in several), strict=True)
    additional = tuple(combined(column, (0.0,) * len(several))[0] for column in columns)
    return replace(
        several[0],
        candidate_id=candidate_id,
        value=value,
        additional=additional,
        standard_deviation=deviation or None,
        details={"measurements": [each.value for each in several]},
    )
