"""What a campaign says of effects, folded from its journal, and against the truth where the scenario knows it.

A policy never sees the truth: it is what the world of a scenario was made with, and stands beside what the campaign
believes so that people can see how far off that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from agent.acquisition.registry import make_meter
from agent.campaign.context import pool_arrays
from agent.campaign.event_descriptions import additions_of, observations_of, taken_away_by
from agent.campaign.events import CampaignStarted, Event
from agent.campaign.plan import CampaignPlan
from agent.campaign.target_values import changes_target
from agent.metrics import DatasetMeter, Effect, EffectMeter, Meter
from agent.pool.candidates import Pool
from agent.pool.growth import grown
from protocols.settings.user_code import CodeSource
from scenarios.effects.truth import AgainstTruth, against_truth, holds


@dataclass(frozen=True, slots=True)
class Effects:
    """What is believed of the effects.

    Attributes:
        effects: At the end.
        unit: Of the property.
        truth: Of each, by name; empty where it is not known.
        against_truth: How far off they are, by observation; empty where that is not known.
    """

    effects: tuple[Effect, ...]
    unit: str
    truth: Mapping[str, float] = field(default_factory=dict)
    against_truth: Mapping[int, AgainstTruth] = field(default_factory=dict)

    def in_words(self) -> list[str]:
        """Return a line for each effect."""
        return [f"{each.name}: {_interval(each)} {self.unit}".rstrip() + self._truth_of(each) for each in self.effects]

    def _truth_of(self, effect: Effect) -> str:
        if effect.name not in self.truth:
            return ""
        true = self.truth[effect.name]
        return f" (truth {_number(true)}{'' if holds(effect, true) else ', outside'})"


def effects_of(
    events: Iterable[Event], pool: Pool, truth: Mapping[str, float], code: CodeSource, *, at_ends_only: bool = False
) -> Effects | None:
    """Return what a campaign says of effects; None where it keeps no metrics of any.

    Args:
        events: Its journal.
        pool: The candidates at the start.
        truth: Of the effects by name; empty where nobody knows it.
        code: Where a policy of the user's own may come from.
        at_ends_only: Hold effects against the truth after the first and the last observation alone: after each of them
            takes as long as the campaign's own metrics did.
    """
    plan: CampaignPlan | None = None
    meter: DatasetMeter[EffectMeter] | None = None
    against: dict[int, AgainstTruth | None] = {}
    observation = -1
    for event in events:
        if isinstance(event, CampaignStarted):
            plan, meter = event.plan, _meter_of(event.plan, pool, code)
        if plan is None or meter is None:
            return None
        pool = grown(pool, additions_of(event))
        _put(meter, event, pool, plan)
        if changes_target(event, plan):
            observation += 1
            if truth and (observation == 0 or not at_ends_only):
                against[observation] = against_truth(meter.meter.effects(), truth)
    if plan is None or meter is None:
        return None
    effects = meter.meter.effects()
    if truth and observation >= 0:
        against[observation] = against_truth(effects, truth)
    known = {observation: each for observation, each in against.items() if each is not None}
    return Effects(effects, plan.unit, truth, known)


def _put(meter: DatasetMeter[EffectMeter], event: Event, pool: Pool, plan: CampaignPlan) -> None:
    """Let a meter see how an event changes what the target method says."""
    for each in observations_of(event, plan.property_names[1:]):
        if plan.is_of_target(each.candidate_id):
            which = plan.measurement_of(each.candidate_id).candidate_id
            meter.put(pool.index_of[which], (each.value, *each.additional))
    if (gone := taken_away_by(event)) and plan.is_of_target(gone):
        meter.remove(pool.index_of[plan.measurement_of(gone).candidate_id])


def _meter_of(plan: CampaignPlan, pool: Pool, code: CodeSource) -> DatasetMeter[EffectMeter] | None:
    if not plan.metrics:
        return None
    name, options = plan.metered_by
    arrays = pool_arrays(pool)

    def make() -> Meter:
        return make_meter(name, options, arrays, plan.property_names, code, seed=plan.seed)

    kept = DatasetMeter(make)
    return cast("DatasetMeter[EffectMeter]", kept) if isinstance(kept.meter, EffectMeter) else None


def _interval(effect: Effect) -> str:
    return f"{_number(effect.mean)} ± {effect.half_width:.3g}"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
