"""The stop rules: what they look at, when one fires, and which can never.

A rule decides what a campaign asks for, so it must look at what a decision may look at, and at nothing else: with
`ordering = "in_order"` at the results of the decisions up to d − lag, decision by decision, whoever answered first. So
it fires between the same two decisions however the answers came, and also after a crash (`agent.campaign.context` does
the same for the policy). With `as_completed` it looks at every result, as it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.acquisition.base import PoolArrays
from agent.campaign.event_descriptions import observations_of
from agent.campaign.events import (
    DecisionMade,
    Event,
    ObservationAdded,
    ObservationAmended,
    ObservationRetracted,
    ResultAccepted,
    StartSetLoaded,
    StopRuleFired,
)
from agent.campaign.gap_progress import Finding, GapProgress, Moment, values_needed
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.plan import CampaignPlan, CampaignPlanSettings, Ordering
from agent.campaign.state import Campaign
from agent.campaign.stop_settings import OFF, STOP
from agent.campaign.target_values import target_value
from agent.entropy.bias import MIN_DEFINED
from agent.entropy.dataset import DatasetBias

WHEN_EVEN = "when_even"
WHEN_NO_GAIN = "when_no_gain"


@dataclass(frozen=True, slots=True)
class Noticed:
    """What the metrics say that a campaign may have to act on.

    Attributes:
        findings: Evenness and stalls of the mean gap so far, in order.
        fired: The stop rule that what may be looked at lets fire.
    """

    findings: Sequence[Finding] = ()
    fired: StopRuleFired | None = None


NOTHING_NOTICED = Noticed()


def due(campaign: Campaign, noticed: Noticed) -> tuple[Event, ...]:
    """Return what was noticed and the journal does not know yet."""
    new = tuple(noticed.findings[campaign.findings :])
    if noticed.fired is None or campaign.fired is not None or not _may_ask(campaign):
        return new
    return (*new, noticed.fired)


def _may_ask(campaign: Campaign) -> bool:
    """Whether there is anything left that a rule could change."""
    return (
        campaign.phase is Phase.RUNNING
        and campaign.policy_exhausted is None
        and campaign.affordable_count > 0
        and (campaign.choosable_count > 0 or campaign.may_grow)
    )


class RuleWatch:
    """Follows what a decision may look at, and tells which rule fires on it.

    Args:
        campaign: The state, before any of its observations.
        pool: Its pool.
    """

    def __init__(self, campaign: Campaign, pool: PoolArrays) -> None:
        plan = campaign.plan
        self._campaign = campaign
        self._bias = DatasetBias(pool.families, plan.targets)
        self._needed = values_needed(pool)
        self._progress = GapProgress(plan.stop, self._needed)
        self._seen: set[int] = set()
        """Rows of the pool whose values may be looked at."""
        self._acquired = 0
        self._next = 0
        self._chosen: dict[int, list[int]] = {}
        """Decision number -> pool indices, of the decisions that are not looked at yet."""

    def note(self, event: Event) -> None:
        """Take in an event that the campaign has folded."""
        index_of, plan = self._campaign.pool.index_of, self._campaign.plan
        match event:
            case StartSetLoaded():
                for each in observations_of(event):
                    if plan.is_of_target(each.candidate_id):
                        self._add(index_of[each.candidate_id])
                self._see()
            case DecisionMade():
                of_target = filter(plan.is_of_target, event.candidate_ids)
                self._chosen[event.decision] = sorted(index_of[each] for each in of_target)
            case ObservationAdded() if self._is_visible(event.candidate_id):
                self._add(index_of[event.candidate_id])
                self._see()
            case ResultAccepted() if self._is_visible(event.candidate_id):
                self._acquire(index_of[event.candidate_id])
            case ObservationRetracted() if index_of[event.candidate_id] in self._seen:
                self._remove(index_of[event.candidate_id])
                self._begin_again()
            case ObservationAmended() if index_of[event.candidate_id] in self._seen:
                self._add(index_of[event.candidate_id])
                self._begin_again()
            case _:
                pass
        if self._campaign.plan.ordering is Ordering.IN_ORDER:
            self._look_at_decisions()

    def fired(self) -> StopRuleFired | None:
        """Return the rule that fires, of both the first; None while none does."""
        stop, progress = self._campaign.plan.stop, self._progress
        rules = (
            (WHEN_EVEN, stop.when_even, progress.first_even, f"within the tolerance of {stop.tolerance_nat:g} nat"),
            (
                WHEN_NO_GAIN,
                stop.when_no_gain,
                progress.first_without_gain,
                f"and its best has not fallen by {stop.gain_nat:g} nat in {stop.patience} acquisitions",
            ),
        )
        on = [(when, name, then, why) for name, then, when, why in rules if then != OFF and when is not None]
        if not on:
            return None
        when, name, then, why = min(on, key=lambda rule: rule[0].acquired)
        policy = "" if then == STOP else stop.rest_policy
        return StopRuleFired(name, when.acquired, when.gap, _reason(name, when, why), policy)

    def _is_visible(self, candidate_id: str) -> bool:
        """Whether a value may be looked at now; that of a chosen candidate waits until its decision is looked at.

        One by another method than the target never is.
        """
        if not self._campaign.plan.is_of_target(candidate_id):
            return False
        decision = self._campaign.decision_of.get(candidate_id)
        in_order = self._campaign.plan.ordering is Ordering.IN_ORDER
        return decision is None or decision < self._next or not in_order

    def _look_at_decisions(self) -> None:
        """Look at the decisions that the next one may look at, each when all its candidates have their outcome."""
        campaign = self._campaign
        while self._next <= campaign.next_decision - campaign.plan.lag and self._next not in campaign.open_decisions:
            for index in self._chosen.pop(self._next):
                chosen_by = campaign.decision_of.get(
                    campaign.pool.candidate_ids[index]
                )  # another, if it was given back
                if chosen_by == self._next and campaign.statuses.item(index) == CandidateStatus.OBSERVED:
                    self._acquire(index)
            self._next += 1

    def _begin_again(self) -> None:
        """Forget what was found: it rested on a value that is no longer so."""
        self._progress = GapProgress(self._campaign.plan.stop, self._needed)
        self._see()

    def _acquire(self, index: int) -> None:
        self._add(index)
        self._acquired += 1
        self._see()

    def _add(self, index: int) -> None:
        self._seen.add(index)
        self._measure(index)

    def _remove(self, index: int) -> None:
        self._seen.remove(index)
        self._measure(index)

    def _measure(self, index: int) -> None:
        """Let the dataset have what may be looked at of a row's candidate."""
        known = self._campaign.pool.fidelities
        candidate = index if known is None else known.candidate.item(index)
        value = target_value(self._campaign, candidate, self._seen)
        if value is None:
            self._bias.remove(candidate)
        else:
            self._bias.put(candidate, self._campaign.pool.family_codes.item(candidate), value.values)

    def _see(self) -> None:
        self._progress.see(self._acquired, self._bias.meter.point())


def rules_in_vain(campaign: Campaign) -> tuple[str, ...]:
    """Return a sentence for each rule of a campaign that is on and can never fire."""
    choosable, known = campaign.choosable, campaign.pool.fidelities
    candidates = int((choosable if known is None else choosable & known.is_candidate).sum()) + campaign.chosen_count
    return tuple(never_fires(campaign.plan, families=len(campaign.pool.families), candidates=candidates))


def never_fires(plan: CampaignPlanSettings | CampaignPlan, *, families: int, candidates: int) -> Iterator[str]:
    """Yield a sentence for each rule that is on and can never fire, with the cause.

    Args:
        plan: With the rules.
        families: Of the pool.
        candidates: That may be asked for: the pool without the start set.
    """
    stop = plan.stop
    on = [name for name in (WHEN_EVEN, WHEN_NO_GAIN) if getattr(stop, name) != OFF]
    if on and families < MIN_DEFINED:
        yield (
            f"campaign.stop.{' and '.join(on)} can never fire: the pool has {families} family, and a mean gap needs "
            "two; the whole budget will be spent"
        )
        return
    room = min(plan.budget // plan.target_cost, candidates)
    seen = _seen_by_the_last_decision(plan, room)
    if WHEN_NO_GAIN in on and stop.patience > seen:
        yield (
            f"campaign.stop.when_no_gain can never fire: it waits for {stop.patience} acquisitions without a gain, and "
            f"the last decision about {room} candidates sees {seen}; give a smaller campaign.stop.patience or a larger "
            "budget"
        )
    if on and stop.rest_policy and plan.policy == stop.rest_policy:
        yield f"campaign.stop can give the rest of the budget to {plan.policy}, which decides from the start anyway"


def _reason(rule: str, when: Moment, why: str) -> str:
    return f"{rule}: the mean gap is {when.gap:.3f} nat after {when.acquired} acquisitions, {why}"


def _seen_by_the_last_decision(plan: CampaignPlanSettings | CampaignPlan, room: int) -> int:
    """Return how many acquisitions there are at most when the last decision of so many candidates is made."""
    lag = max(1, plan.parallel // plan.batch) if plan.ordering is Ordering.IN_ORDER else 1
    decisions = -(-room // plan.batch)
    return max(0, decisions - lag) * plan.batch
