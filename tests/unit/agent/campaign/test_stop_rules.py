"""The stop rules: what they look at, what follows when one fires, and which can never fire."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.campaign.decide import Consequence, decide_expiry, decide_result
from agent.campaign.events import (
    BecameEven,
    CampaignFinished,
    CampaignStarted,
    DecisionMade,
    Event,
    GapStalled,
    ObservationAdded,
    PolicyExhausted,
    RequestIssued,
    ResultAccepted,
    StartSetLoaded,
    StopRuleFired,
)
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import Ordering
from agent.campaign.state import Attempt
from agent.campaign.stop_rules import never_fires
from agent.campaign.stop_settings import StopSettings
from protocols.wire.messages import ControlAction
from tests.support.campaigns import control, first_available, quantity, result_of, small_plan, small_pool

POOL = small_pool(60, families=2)
START = tuple(POOL.candidate_ids[:12])
"""Six of each family."""

PickNext = Callable[[list[Attempt]], Attempt]


def value_by_family(which: str) -> float:
    """Family 0 is spread wide from the start; family 1 is narrow in the start set and wide beyond it."""
    index = POOL.index_of[which]
    wide = (index * 7919 % 60) / 6 - 5
    return wide if index % 2 == 0 or index >= len(START) else wide / 50


def first_of_rest(context: AcquisitionContext, count: int) -> Proposal:
    """Chooses from the front; where the rest is decided, from the back."""
    if context.policy:
        return Proposal(tuple(Choice(int(index)) for index in context.available[::-1][:count]), "the rest")
    return first_available(context, count)


def oldest(in_flight: list[Attempt]) -> Attempt:
    return in_flight[0]


class Played:
    """A campaign of the ledger, its lab answering in any order."""

    def __init__(
        self,
        *,
        policy: Callable[[AcquisitionContext, int], Proposal] = first_of_rest,
        pick: PickNext = oldest,
        **changes: Any,
    ) -> None:
        plan = small_plan(POOL, **({"budget": 40, "estimator": "m_spacing", "resolution": 0.01} | changes))
        self.ledger = Ledger(POOL)
        self.events: list[Event] = []
        self.committed: list[int] = []
        """How many events there were after every transaction."""
        self._policy, self._pick = policy, pick
        start = StartSetLoaded(START, tuple(map(value_by_family, START)))
        self.take(CampaignStarted(plan), start)

    def take(self, *events: Event) -> None:
        """Fold events, and what follows by itself."""
        self.events += [change.event for change in self.ledger.take(Consequence(events))]
        self.events += [change.event for change in self.ledger.settle(self._policy).changes]
        self.committed.append(len(self.events))

    def answer(self) -> bool:
        """Answer one request; tell whether there was one."""
        in_flight = list(self.ledger.campaign.in_flight.values())
        if not in_flight:
            return False
        attempt = self._pick(in_flight)
        result = result_of(attempt, quantity(value_by_family(attempt.candidate_id)))
        self.take(*decide_result(self.ledger.campaign, result).events)
        return True

    def play(self) -> Played:
        while self.answer():
            pass
        return self

    def of_kind(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def fired(self) -> StopRuleFired:
        (event,) = self.of_kind(StopRuleFired)
        assert isinstance(event, StopRuleFired)
        return event

    @property
    def decisions(self) -> list[tuple[str, tuple[str, ...]]]:
        """Who decided, and what."""
        return [(event.policy, event.candidate_ids) for event in self.events if isinstance(event, DecisionMade)]


def stop(**settings: Any) -> StopSettings:
    return StopSettings(**({"tolerance_nat": 0.3, "patience": 6} | settings))


def test_without_a_rule_evenness_and_stalls_are_journalled_and_the_whole_budget_is_spent() -> None:
    played = Played(stop=stop(tolerance_nat=0.0, gain_nat=5.0)).play()
    assert played.of_kind(GapStalled)
    even = Played(stop=stop()).play()
    assert even.of_kind(BecameEven)
    for each in (played, even):
        assert not each.of_kind(StopRuleFired)
        assert each.ledger.campaign.requested == 40
        assert each.ledger.campaign.finish_reason == "the budget is spent"


def test_what_is_found_stands_right_behind_the_observation_that_shows_it() -> None:
    played = Played(stop=stop()).play()
    (even,) = played.of_kind(BecameEven)
    assert isinstance(even, BecameEven)
    before = played.events[: played.events.index(even)]
    assert isinstance(before[-1], ResultAccepted)
    assert sum(isinstance(event, ResultAccepted) for event in before) == even.observation


def test_when_even_stop_ends_the_campaign_and_says_why() -> None:
    played = Played(stop=stop(when_even="stop")).play()
    campaign = played.ledger.campaign
    assert played.fired.rule == "when_even"
    assert played.fired.policy == ""
    assert campaign.requested == played.fired.acquired < 40
    assert campaign.phase is Phase.FINISHED
    assert campaign.finish_reason.startswith("the stop rule when_even: the mean gap is 0.")
    assert campaign.finish_reason.endswith(
        f"nat after {played.fired.acquired} acquisitions, within the tolerance of 0.3 nat"
    )


def test_what_is_in_flight_when_a_rule_stops_is_awaited() -> None:
    played = Played(stop=stop(when_even="stop"), parallel=4)
    while not played.of_kind(StopRuleFired):
        assert played.answer()
    assert len(played.ledger.campaign.in_flight) == 3
    assert played.ledger.campaign.phase is Phase.RUNNING
    decided = len(played.decisions)
    played.play()
    assert len(played.decisions) == decided
    assert played.ledger.campaign.phase is Phase.FINISHED
    assert isinstance(played.events[-1], CampaignFinished)


def test_when_even_coverage_lets_the_policy_of_that_name_decide_the_rest() -> None:
    played = Played(stop=stop(when_even="coverage")).play()
    policies = [policy for policy, _ in played.decisions]
    switched = played.fired.acquired
    assert policies == ["random"] * switched + ["coverage"] * (40 - switched)
    assert played.decisions[switched][1] == (POOL.candidate_ids[-1],)  # the rest begins at the back
    assert played.ledger.campaign.finish_reason == "the budget is spent"
    assert played.events.index(played.fired) < played.events.index(
        next(event for event in played.events if isinstance(event, DecisionMade) and event.policy == "coverage")
    )


def test_when_no_gain_fires_after_the_patience_whether_it_is_even_or_not() -> None:
    for tolerance in (0.0, 0.3):
        played = Played(stop=stop(when_no_gain="stop", tolerance_nat=tolerance, gain_nat=5.0)).play()
        assert played.fired.rule == "when_no_gain"
        assert played.fired.acquired == 6
        assert "its best has not fallen by 5 nat in 6 acquisitions" in played.fired.reason


def test_of_two_rules_the_first_that_fires_holds() -> None:
    settings = stop(when_even="coverage", when_no_gain="stop", tolerance_nat=0.3)
    both = Played(stop=settings.model_copy(update={"patience": 30})).play()
    assert (both.fired.rule, both.fired.policy) == ("when_even", "coverage")
    assert both.ledger.campaign.requested == 40  # no gain any more, and the rest of the budget is the model's
    other = Played(stop=settings.model_copy(update={"patience": 2, "gain_nat": 5.0})).play()
    assert (other.fired.rule, other.fired.policy) == ("when_no_gain", "")


def test_a_start_set_that_is_even_fires_before_the_first_decision() -> None:
    played = Played(stop=stop(when_even="stop", tolerance_nat=9.0)).play()
    assert [type(event) for event in played.events] == [
        CampaignStarted, StartSetLoaded, BecameEven, StopRuleFired, CampaignFinished,
    ]  # fmt: skip
    assert played.fired.acquired == 0


@pytest.mark.parametrize("then", ["stop", "coverage"])
@pytest.mark.parametrize(("parallel", "batch"), [(4, 1), (4, 2), (3, 3)])
def test_in_order_who_answers_first_changes_no_decision(then: str, parallel: int, batch: int) -> None:
    settings = stop(when_even=then)
    plain = Played(stop=settings, parallel=parallel, batch=batch).play()
    for seed in range(12):
        pick = random.Random(seed).choice
        other = Played(stop=settings, parallel=parallel, batch=batch, pick=pick).play()
        assert other.fired == plain.fired
        assert other.decisions == plain.decisions


def test_as_completed_a_rule_looks_at_every_result_as_it_comes() -> None:
    played = Played(stop=stop(when_even="stop"), parallel=4, ordering=Ordering.AS_COMPLETED).play()
    (even,) = played.of_kind(BecameEven)
    assert isinstance(even, BecameEven)
    assert (played.fired.acquired, played.fired.mean_gap) == (even.observation, even.mean_gap)


def test_a_campaign_folded_from_any_prefix_of_its_journal_goes_on_the_same() -> None:
    settings: dict[str, Any] = {"stop": stop(when_even="coverage"), "parallel": 3}
    plain = Played(**settings).play()
    for length in plain.committed:
        again = Played(**settings)
        again.ledger = Ledger.of_journal(POOL, plain.events[:length])
        again.events = list(plain.events[:length])
        again.take()
        again.play()
        assert again.decisions == plain.decisions
        assert again.fired == plain.fired


def test_an_answer_to_the_policy_of_before_is_dropped_when_a_rule_has_fired_meanwhile() -> None:
    """As completed, a rule may fire while the policy thinks."""

    def later(_context: AcquisitionContext, _count: int) -> Proposal | None:
        return None

    for then, asked_again in (("coverage", "coverage"), ("stop", None)):
        settings = stop(when_no_gain=then, gain_nat=5.0, patience=1)
        ordering = Ordering.AS_COMPLETED
        played = Played(stop=settings, parallel=2, ordering=ordering, policy=first_available)
        ledger = played.ledger
        first, second = ledger.campaign.in_flight.values()
        ledger.take(decide_result(ledger.campaign, result_of(first, quantity(0.1))))
        assert ledger.campaign.fired is None
        question = ledger.question()
        assert question is not None
        ledger.settle(later)
        assert ledger.campaign.fired is not None
        assert ledger.answer(question, first_available(question.context, 1)) == Consequence()
        asked = ledger.question()
        assert (None if asked is None else asked.needed.policy) == asked_again
        assert second.in_flight


@pytest.mark.parametrize("ordering", Ordering)
def test_a_value_that_comes_after_its_candidate_was_abandoned_counts_for_a_rule(ordering: Ordering) -> None:
    rule = stop(when_no_gain="stop", gain_nat=5.0, patience=3, tolerance_nat=0.0)
    played = Played(stop=rule, max_attempts=1, ordering=ordering)
    campaign = played.ledger.campaign
    given_up = next(iter(campaign.in_flight.values()))
    played.take(*decide_expiry(campaign, given_up.attempt_id).events)
    played.answer()
    played.take(*decide_result(campaign, result_of(given_up, quantity(0.1))).events)
    assert not played.of_kind(StopRuleFired)
    played.answer()
    assert played.fired.acquired == 3
    assert Ledger.of_journal(POOL, played.events).campaign.fired == played.fired


def test_a_manual_observation_counts_for_a_rule_and_is_no_acquisition() -> None:
    played = Played(stop=stop(when_even="stop"))
    for which in POOL.candidate_ids[13:40:2]:
        if played.of_kind(StopRuleFired):
            break
        played.take(ObservationAdded(which, value_by_family(which), f"m-{which}"))
    assert played.fired.acquired == 0


def test_a_manual_observation_of_a_chosen_candidate_waits_for_its_decision() -> None:
    played = Played(stop=stop(when_even="stop"), parallel=4)
    plain = Played(stop=stop(when_even="stop"), parallel=4).play()
    last = list(played.ledger.campaign.in_flight.values())[-1].candidate_id
    played.take(ObservationAdded(last, value_by_family(last), "m-1"))
    assert played.play().fired.mean_gap == plain.fired.mean_gap


def test_a_paused_campaign_fires_nothing_until_it_goes_on() -> None:
    played = Played(stop=stop(when_no_gain="stop", gain_nat=5.0, patience=1))
    ledger = played.ledger
    played.take(*ledger.decide(control(ControlAction.PAUSE)).events)
    assert played.answer()
    assert not played.of_kind(StopRuleFired)
    played.take(*ledger.decide(control(ControlAction.RESUME)).events)
    assert ledger.campaign.phase is Phase.FINISHED
    assert played.fired.acquired == 1


def test_a_rule_that_has_nothing_left_to_change_does_not_fire() -> None:
    played = Played(stop=stop(when_no_gain="stop", gain_nat=5.0, patience=5), budget=5).play()
    assert not played.of_kind(StopRuleFired)
    assert played.ledger.campaign.finish_reason == "the budget is spent"


def test_the_policy_of_the_rest_may_have_nothing_more_to_ask_for() -> None:
    def content(context: AcquisitionContext, count: int) -> Proposal:
        return Proposal((), "all is known") if context.policy else first_available(context, count)

    played = Played(stop=stop(when_even="coverage"), policy=content).play()
    (ended,) = played.of_kind(PolicyExhausted)
    assert isinstance(ended, PolicyExhausted)
    assert ended.policy == "coverage"
    assert played.ledger.campaign.finish_reason == "the policy has nothing more to ask for: all is known"


def test_requests_of_the_rest_are_requests_as_all() -> None:
    played = Played(stop=stop(when_even="coverage")).play()
    assert len(played.of_kind(RequestIssued)) == 40


def sentences(families: int = 3, candidates: int = 100, **changes: Any) -> list[str]:
    return list(never_fires(small_plan(POOL, budget=50, **changes), families=families, candidates=candidates))


def test_a_rule_that_can_fire_is_not_mentioned() -> None:
    assert sentences() == []
    assert sentences(stop=StopSettings(when_even="stop", when_no_gain="coverage")) == []
    assert sentences(families=1, stop=StopSettings(patience=60)) == []  # no rule is on


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"stop": StopSettings(when_even="stop"), "families": 1}, "when_even can never fire: the pool has 1 family"),
        (
            {"stop": StopSettings(when_even="stop", when_no_gain="stop"), "families": 1},
            "when_even and when_no_gain can never fire: the pool has 1 family, and a mean gap needs two",
        ),
        (
            {"stop": StopSettings(when_no_gain="stop", patience=50)},
            "it waits for 50 acquisitions without a gain, and the last decision about 50 candidates sees 49",
        ),
        (
            {"stop": StopSettings(when_no_gain="stop"), "candidates": 30},
            "it waits for 40 acquisitions without a gain, and the last decision about 30 candidates sees 29",
        ),
        (
            {"stop": StopSettings(when_no_gain="stop", patience=47), "parallel": 4},
            "the last decision about 50 candidates sees 46; give a smaller campaign.stop.patience or a larger budget",
        ),
        (
            {"stop": StopSettings(when_even="coverage"), "policy": "coverage"},
            "campaign.stop can give the rest of the budget to coverage, which decides from the start anyway",
        ),
    ],
)
def test_a_rule_that_can_never_fire_is_told_with_its_cause(changes: dict[str, Any], cause: str) -> None:
    (sentence,) = sentences(**changes)
    assert cause in sentence


@pytest.mark.parametrize(("parallel", "batch"), [(1, 1), (4, 1), (4, 2), (3, 3)])
def test_the_longest_patience_that_is_not_warned_of_does_fire(parallel: int, batch: int) -> None:
    def rules(patience: int) -> StopSettings:
        return StopSettings(when_no_gain="stop", gain_nat=9.0, patience=patience)

    plan: dict[str, Any] = {"parallel": parallel, "batch": batch, "budget": 20}
    longest = max(
        patience
        for patience in range(1, 20)
        if not list(never_fires(small_plan(POOL, stop=rules(patience), **plan), families=2, candidates=48))
    )
    assert Played(stop=rules(longest), **plan).play().of_kind(StopRuleFired)
    assert not Played(stop=rules(longest + batch), **plan).play().of_kind(StopRuleFired)
