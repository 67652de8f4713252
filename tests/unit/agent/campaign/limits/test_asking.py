"""No policy is offered what may not be asked for, no stock is overdrawn, and a journal tells what was used up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.acquisition.base import Choice, Proposal
from agent.campaign.decide import Consequence
from agent.campaign.events import (
    CampaignFinished,
    CandidateAbandoned,
    DecisionMade,
    LimitsChanged,
    RequestExpired,
    RequestIssued,
)
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import Phase
from agent.campaign.limits.asking import Asking
from agent.campaign.plan import Ordering
from agent.campaign.proposals import decide_proposal, decision_needed
from agent.pool.candidates import Candidate, Pool, make_pool
from agent.pool.growth import NewCandidate
from agent.pool.limits.settings import AskingLimits
from protocols.errors import InvariantViolation
from tests.support.campaigns import Play, first_available, refold, small_plan, state_of

FORMULAS = ("FeO", "PbO", "NaCl", "PbI2", "Fe2O3", "KCl")


def pool_of(prices: list[float]) -> Pool:
    rows = [Candidate(f"c{n:03d}", f"family-{n % 3}", FORMULAS[n % len(FORMULAS)]) for n in range(len(prices))]
    return make_pool(rows, np.array([[price, float(n)] for n, price in enumerate(prices)]), ("price", "place"))


POOL = pool_of([1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0, 3.0])


def limits(**given_limits: Any) -> AskingLimits:
    return AskingLimits.model_validate(given_limits)


def cost(available: float, **more: Any) -> AskingLimits:
    return limits(cost={"available": available, "column": "price", "unit": "EUR"} | more)


def play(kept: AskingLimits, pool: Pool = POOL, **changes: Any) -> Play:
    played = Play(pool, small_plan(pool, limits=kept, **({"budget": 12} | changes)))
    played.settle()
    return played


def answer_all(played: Play) -> None:
    while played.awaited:
        played.answer(played.awaited[0])


def spent(played: Play) -> float:
    return sum(each.takes.get("cost", 0.0) for each in played.of_kind(RequestIssued))


def test_what_a_rule_bars_is_available_to_no_policy_and_is_never_asked_for() -> None:
    played = play(limits(forbidden_elements=["Pb"], parameters={"place": [0, 8]}))
    answer_all(played)
    offered = {index for context in played.contexts for index in context.available.tolist()}
    assert offered == {0, 2, 4, 5, 6, 8}
    assert played.campaign.phase is Phase.FINISHED
    (finished,) = played.of_kind(CampaignFinished)
    assert "of 6, 4: it holds Pb (limits.forbidden_elements)" in finished.reason
    assert state_of(refold(POOL, played.journal)) == state_of(played.campaign)


def test_a_request_takes_from_the_stock_when_it_is_decided_and_the_journal_says_how_much() -> None:
    played = play(cost(100.0, per_request=0.5), parallel=2)
    assert [each.takes for each in played.of_kind(RequestIssued)] == [{"cost": 1.5}, {"cost": 2.5}]
    assert played.campaign.asking.left == {"cost": 96.0}


def test_a_campaign_ends_when_nothing_is_left_that_it_can_pay() -> None:
    played = play(cost(5.5))
    answer_all(played)
    assert spent(played) == 5.0  # 1 + 2, and then 1 + 1: the cheapest are still to be had
    (finished,) = played.of_kind(CampaignFinished)
    assert "too little is left of cost (limits.cost)" in finished.reason


def test_the_last_of_a_stock_is_used_in_spite_of_rounding() -> None:
    played = play(cost(0.3, column=None, per_request=0.1))
    answer_all(played)
    assert len(played.of_kind(RequestIssued)) == 3


@given(
    prices=st.lists(st.floats(0.0, 5.0), min_size=4, max_size=14),
    available=st.floats(0.0, 20.0),
    at_once=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    ordering=st.sampled_from(Ordering),
    data=st.data(),
)
def test_no_stock_is_ever_overdrawn_whatever_fails_and_however_many_are_chosen_at_once(
    prices: list[float], available: float, at_once: tuple[int, int], ordering: Ordering, data: st.DataObject
) -> None:
    pool, (parallel, batch) = pool_of(prices), at_once
    played = play(cost(available), pool, parallel=max(parallel, batch), batch=batch, ordering=ordering)
    while played.awaited:
        attempt = played.awaited[data.draw(st.integers(0, len(played.awaited) - 1))]
        if data.draw(st.booleans()):
            played.answer(attempt)
        else:
            played.expire(attempt)
        assert spent(played) <= available * (1 + 1e-6)
    assert played.campaign.phase is Phase.FINISHED or played.campaign.paused_itself
    assert played.campaign.asking.used["cost"] == pytest.approx(spent(played))
    again = refold(pool, played.journal)
    assert again.asking == played.campaign.asking
    assert hash(again.asking) == hash(played.campaign.asking)


def test_a_batch_is_as_large_as_what_is_left_surely_suffices_for() -> None:
    played = play(cost(6.5), parallel=4, batch=4)
    sizes = [len(each.candidate_ids) for each in played.of_kind(DecisionMade)]
    assert sizes == [2]  # the two dearest cost 6: three might not be paid


def test_what_failed_is_not_tried_again_when_too_little_is_left_for_it() -> None:
    played = play(cost(3.0))
    played.answer(played.awaited[0])  # 1 of 3
    played.expire(played.awaited[0])  # 2 of 3
    (abandoned,) = played.of_kind(CandidateAbandoned)
    assert (
        abandoned.reason
        == "no answer within the deadline; for another attempt too little is left of cost (limits.cost)"
    )


def test_retries_of_one_moment_share_what_is_left() -> None:
    played = play(limits(stock={"tips": {"available": 5, "per_request": 1}}), parallel=3, batch=3)
    played.fold(*(RequestExpired(each.attempt_id, each.candidate_id) for each in played.awaited))
    played.settle()
    assert len(played.of_kind(RequestIssued)) == 5
    assert len(played.of_kind(CandidateAbandoned)) == 1


def test_a_policy_that_proposes_what_may_not_be_asked_for_breaks_its_contract() -> None:
    ledger = _begun(limits(forbidden_elements=["Pb"]))
    question = ledger.question()
    assert question is not None
    with pytest.raises(InvariantViolation, match="'c001', which was not available"):
        ledger.answer(question, Proposal((Choice(1, 1.0),), "lead, all the same"))


def test_a_proposal_that_a_stock_has_overtaken_is_asked_for_again() -> None:
    ledger = _begun(cost(3.0), parallel=2)
    question = ledger.question()
    assert question is not None
    first = ledger.answer(question, first_available(question.context, 1))
    ledger.take(first)
    late = ledger.question()
    assert late is not None
    ledger.take(Consequence((LimitsChanged(cost(1.5)),)))
    needed = decision_needed(ledger.campaign)
    assert (
        needed is None
        or decide_proposal(ledger.campaign, needed, late.based_on, first_available(late.context, 1)) == Consequence()
    )


def test_what_a_policy_makes_is_held_against_the_limits_and_takes_from_the_stocks() -> None:
    kept = limits(forbidden_elements=["Pb"], stock={"Pd": {"available": 4, "column": "price"}})
    ledger = _begun(kept, grows_pool=True, budget=4)
    question = ledger.question()
    assert question is not None
    assert question.context.limits is not None

    def proposing(formula: str, price: float) -> Proposal:
        new = NewCandidate(f"new-{formula.lower()}", "family-0", (price, 0.0), formula)
        return Proposal((Choice(len(POOL), 1.0),), "made", new_candidates=(new,))

    for formula, price in (("PbO2", 1.0), ("FeO2", 4.5)):
        with pytest.raises(InvariantViolation, match="not available"):
            ledger.answer(question, proposing(formula, price))
    events = ledger.answer(question, proposing("FeO2", 3.5)).events
    assert [each.takes for each in events if isinstance(each, RequestIssued)] == [{"Pd": 3.5}]


def test_other_limits_hold_from_then_on_and_what_was_used_stays_used() -> None:
    played = play(cost(3.0))
    played.answer(played.awaited[0])
    assert played.campaign.asking.left == {"cost": 0.0}
    played.take(Consequence((LimitsChanged(cost(10.0)),)))
    assert played.campaign.asking.left == {"cost": 7.0}
    assert len(played.contexts[-1].available) == 7
    played.take(Consequence((LimitsChanged(cost(2.0)),)))
    assert played.campaign.asking.left == {"cost": 0.0}


def test_of_a_pool_that_is_not_known_whole_nothing_is_barred_and_a_repetition_takes_what_was_taken() -> None:
    asking, partial = Asking(cost(9.0)), replace_whole(POOL)
    asking.use("c001", {"cost": 2.0})
    assert asking.may_ask(partial).all()
    assert asking.takes_of(partial, 1) == {"cost": 2.0}
    assert asking.takes_of(partial, 2) == {"cost": 0.0}
    assert asking != object()


def test_why_not_is_told_of_one_and_counted_of_many() -> None:
    asking = Asking(limits(forbidden_elements=["Pb"], cost={"available": 2, "column": "price"}))
    assert asking.why_not(POOL, 0) == ""
    assert asking.why_not(POOL, 1) == "it holds Pb (limits.forbidden_elements)"
    assert asking.why_not(POOL, 2) == "too little is left of cost (limits.cost)"
    told = asking.reasons(POOL, range(6))
    assert list(told.items()) == [
        ("it holds Pb (limits.forbidden_elements)", 2),
        ("too little is left of cost (limits.cost)", 2),
    ]


class Partial(Pool):
    """A pool of which not all is known."""

    is_whole = False


def replace_whole(pool: Pool) -> Pool:
    return Partial(pool.candidates, pool.features, pool.feature_names)


def _begun(kept: AskingLimits, **changes: Any) -> Ledger:
    ledger = Ledger(POOL)
    played = Play(POOL, small_plan(POOL, limits=kept, **({"budget": 12} | changes)))
    for event in played.journal:
        ledger.fold(event)
    return ledger
