"""A campaign whose policy makes candidates: they join the pool by its decisions, and every fold makes the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.campaign import proposals
from agent.campaign.contract import proposal_breach
from agent.campaign.decide import decide_control
from agent.campaign.events import (
    CampaignFinished,
    CandidatesAdded,
    ControlRefused,
    DecisionMade,
    PolicyExhausted,
    RequestIssued,
    StopRuleFired,
)
from agent.campaign.follow import react
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import CandidateStatus
from agent.campaign.state import Campaign
from agent.campaign.stop_settings import StopSettings
from agent.entropy.bias import measure_bias
from agent.pool import growth
from agent.pool.growth import NewCandidate
from protocols.errors import InvariantViolation
from protocols.wire.messages import AddedCandidate, Control, ControlAction
from tests.support.campaigns import (
    Play,
    control,
    first_available,
    refold,
    result_of,
    small_plan,
    small_pool,
    state_of,
    value_of,
)
from tests.support.user_policies import Growing

POOL = small_pool(6)
ALL = POOL.candidate_ids
NEW = NewCandidate("a-new-one", "family-1", (1.0, -2.5, 0.1), "X", parent="c001", origin="a step")
NEXT = replace(NEW, candidate_id="another")


def played(start: Sequence[str] = ALL, **changes: object) -> Play:
    plan = small_plan(POOL, grows_pool=True, **({"policy": "mine"} | changes))
    return Play(POOL, plan, start, Growing().propose)


def to_the_end(play: Play) -> Play:
    play.settle()
    while play.awaited:
        play.answer(play.awaited[0])
    return play


def proposal(*indices: int, new: tuple[NewCandidate, ...] = (NEW,), runner_up: int | None = None) -> Proposal:
    best = None if runner_up is None else Choice(runner_up)
    return Proposal(tuple(map(Choice, indices)), "why", best, new_candidates=new)


def test_a_policy_that_makes_candidates_is_asked_when_nothing_in_the_pool_is_left() -> None:
    play = to_the_end(played(budget=4))
    chosen = [made.candidate_ids[0] for made in play.of_kind(DecisionMade)]
    assert len(set(chosen)) == 4
    assert not set(chosen) & set(ALL)
    assert play.of_kind(CampaignFinished)[0].reason == "the budget is spent"


def test_another_policy_ends_there() -> None:
    play = Play(POOL, small_plan(POOL, budget=4), ALL)
    play.settle()
    assert play.of_kind(CampaignFinished)[0].reason == "no candidate is left"


def test_a_decision_has_its_candidates_before_their_requests_and_in_one_event() -> None:
    play = played()
    play.settle()
    made, request = play.journal[2:4]
    assert isinstance(made, DecisionMade)
    assert isinstance(request, RequestIssued)
    assert [each.candidate_id for each in made.added] == [made.candidate_ids[0], made.runner_up]
    assert request.candidate_id == made.candidate_ids[0]
    assert (play.campaign.added, len(play.campaign.pool)) == (2, 8)
    statuses = [play.campaign.status_of(each.candidate_id) for each in made.added]
    assert statuses == [CandidateStatus.PENDING, CandidateStatus.AVAILABLE]
    assert play.campaign.available_count == 1


@pytest.mark.parametrize("changes", [{}, {"parallel": 3}, {"parallel": 4, "batch": 2}, {"ordering": "as_completed"}])
def test_every_prefix_of_the_journal_folds_to_the_same_state(changes: dict[str, object]) -> None:
    start = ("c000", "c002", "c003", "c005")
    play = to_the_end(played(start, budget=7, **changes))
    live, ledger = Campaign(POOL), Ledger(POOL)
    for number, event in enumerate(play.journal, 1):
        live.apply(event)
        ledger.fold(event)
        again = refold(POOL, play.journal[:number])
        assert state_of(again) == state_of(live)
        assert again.pool.candidates == live.pool.candidates
        assert np.array_equal(again.pool.features, live.pool.features)
        assert ledger.pool.candidate_ids == live.pool.candidate_ids
    assert len(live.pool) > len(POOL) + 7


def test_indices_never_change_and_a_context_shows_all_that_has_joined() -> None:
    play = to_the_end(played(("c000", "c002"), budget=6, parallel=2))
    for before, after in zip(play.contexts, play.contexts[1:], strict=False):
        known = len(before.pool.candidate_ids)
        assert after.pool.candidate_ids[:known] == before.pool.candidate_ids
        assert np.array_equal(after.pool.features[:known], before.pool.features)
        assert after.pool.family_codes.shape == (len(after.pool.candidate_ids),)
    last = play.contexts[-1]
    assert len(last.pool.candidate_ids) == len(POOL) + 10
    assert not set(last.observed) & set(last.available)
    assert set(last.observed) - set(range(len(POOL))), "a value of one that joined is known"


def test_a_ledger_gives_a_policy_the_same_pool_as_long_as_nothing_joins_it() -> None:
    play = to_the_end(played(budget=3))
    ledger, seen = Ledger(POOL), []
    for event in play.journal:
        ledger.fold(event)
        seen.append(ledger.pool)
    assert len({id(each) for each in seen}) == 1 + 3


def test_the_bias_counts_the_values_of_those_that_joined_in_their_families() -> None:
    play = to_the_end(played(budget=5))
    ledger = Ledger.of_journal(POOL, play.journal)
    pool, campaign = ledger.pool, ledger.campaign
    known = np.flatnonzero(campaign.statuses == CandidateStatus.OBSERVED)
    assert len(known) == 11
    expected = measure_bias(pool.families, pool.family_codes[known], campaign.values[known], campaign.plan.targets)
    assert ledger.point().sizes == expected.sizes
    assert ledger.point().mean_gap == pytest.approx(expected.mean_gap)


def test_a_stop_rule_looks_at_those_that_joined_and_gives_the_rest_to_a_policy_that_makes_none() -> None:
    pool = small_pool(24, families=2)
    stop = StopSettings(when_no_gain="coverage", gain_nat=5.0, patience=2)
    plan = small_plan(pool, budget=9, stop=stop, grows_pool=True, estimator="m_spacing", resolution=0.01)
    asked: list[str] = []

    def propose(context: AcquisitionContext, count: int) -> Proposal:
        asked.append(context.policy)
        return first_available(context, count) if context.policy else Growing().propose(context, count)

    ledger = Ledger.of_journal(pool, Play(pool, plan, pool.candidate_ids).journal)
    ledger.settle(propose)
    while ledger.campaign.in_flight:
        ledger.take(ledger.decide(result_of(next(iter(ledger.campaign.in_flight.values())))))
        ledger.settle(propose)
    assert isinstance(ledger.campaign.fired, StopRuleFired)
    own = asked.count("")
    assert asked == [""] * own + ["coverage"] * own, "each of its own decisions left the runner-up, and no more is left"
    assert ledger.campaign.finish_reason == "no candidate is left"


def test_a_policy_that_has_nothing_more_to_make_ends_the_campaign_with_its_reason() -> None:
    play = played()
    play.propose = lambda _context, _count: Proposal((), "all edits were tried")
    play.settle()
    assert play.of_kind(PolicyExhausted)[0].reason == "all edits were tried"
    assert play.of_kind(CampaignFinished)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (proposal(7), "proposed an index outside the pool and its 1 new candidates"),
        (proposal(6, runner_up=7), "proposed an index outside the pool and its 1 new candidates"),
        (proposal(6, new=(NEW, NEXT)), "made new candidate 'another', which is neither chosen nor the runner-up"),
        (proposal(6, 6), "proposed 2 candidates (1 distinct) of 2"),
        (proposal(6, new=(replace(NEW, family="alien"),)), "new candidate 'a-new-one': its family 'alien' is none"),
        (proposal(6, new=(replace(NEW, candidate_id="c000"),)), "new candidate 'c000': it is in the pool already"),
    ],
)
def test_a_wrong_proposal_is_told_by_what_is_wrong_with_it(answer: Proposal, words: str) -> None:
    campaign = played(parallel=2, batch=2).campaign
    assert words in proposal_breach(campaign, 2, answer)
    needed = proposals.decision_needed(campaign)
    assert needed is not None
    with pytest.raises(InvariantViolation, match="policy 'mine' "):
        proposals.decide_proposal(campaign, needed, campaign.sequence, answer)
    assert (campaign.sequence, len(campaign.pool)) == (2, 6)


def test_a_policy_that_does_not_say_so_makes_no_candidates() -> None:
    campaign = Play(POOL, small_plan(POOL), ()).campaign
    words = proposal_breach(campaign, 1, proposal(6))
    assert "made 1 new candidates; a policy that makes any says so when the campaign begins: by grows_pool" in words


def test_a_pool_grows_to_its_limit_and_the_policy_is_then_asked_for_what_is_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agent.campaign.standing.MAX_ADDED_CANDIDATES", 5)
    assert growth.MAX_ADDED_CANDIDATES == 10_000
    play = played(budget=9)
    play.propose = lambda context, count: (
        Growing().propose(context, count) if play.campaign.may_grow else first_available(context, count)
    )
    to_the_end(play)
    assert play.campaign.added == 4
    assert "4 have joined the pool, which is as many as may" in proposal_breach(play.campaign, 1, proposal(10))
    assert play.of_kind(CampaignFinished)[0].reason == "no candidate is left"


def test_a_journal_with_a_candidate_that_cannot_join_is_refused() -> None:
    play = played()
    play.settle()
    made = play.of_kind(DecisionMade)[0]
    twice = replace(made, added=(*made.added, replace(NEW, candidate_id="c000")))
    with pytest.raises(InvariantViolation, match="'c000': it is in the pool already"):
        refold(POOL, [*play.journal[:2], twice])


def test_a_proposal_that_was_dropped_leaves_nothing_in_the_pool() -> None:
    play = played(("c000",), parallel=2, batch=2)
    needed = proposals.decision_needed(play.campaign)
    assert needed is not None
    answer = Growing().propose(Ledger.of_journal(POOL, play.journal).context(), 2)
    based_on = play.campaign.sequence
    play.fold(*proposals.decide_proposal(play.campaign, needed, based_on, answer).events)
    size = len(play.campaign.pool)
    assert proposals.decide_proposal(play.campaign, needed, based_on, answer).events == ()
    assert len(play.campaign.pool) == size
    assert react(play.campaign) == ()


def test_values_of_those_that_joined_are_theirs() -> None:
    campaign = to_the_end(played(budget=3)).campaign
    for index in campaign.acquired.tolist():
        assert campaign.values[index] == value_of(campaign.pool.candidate_ids[index])


def added(**changes: Any) -> AddedCandidate:
    content = {"candidate_id": "a-new-one", "family": "family-1", "features": (1.0, 2.0, 3.0)}
    return AddedCandidate(**(content | changes))


def adding(*candidates: AddedCandidate, message_id: str = "from-me") -> Control:
    return control(ControlAction.ADD_CANDIDATES, candidates=candidates, message_id=message_id, reason="worth a look")


def test_what_an_operator_adds_joins_the_pool_and_may_be_chosen() -> None:
    play = Play(POOL, small_plan(POOL, budget=2), ALL[:5])
    new = added(smiles="CO", formula="CH4O", parent="c002", origin="seen in a talk")
    play.take(decide_control(play.campaign, adding(new)))
    (event,) = play.of_kind(CandidatesAdded)
    assert (event.reason, event.message_id) == ("worth a look", "from-me")
    member = play.campaign.pool.candidate("a-new-one")
    assert (member.smiles, member.formula, member.origin) == ("CO", "CH4O", "seen in a talk")
    while play.awaited:
        play.answer(play.awaited[0])
    assert play.campaign.status_of("a-new-one") is CandidateStatus.OBSERVED
    assert state_of(refold(POOL, play.journal)) == state_of(play.campaign)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (adding(), "it carries no candidates"),
        (control(ControlAction.ADD_CANDIDATES), "it carries no candidates"),
        (adding(added(), added(candidate_id="c001")), "new candidate 'c001': it is in the pool already"),
        (adding(added(), added(candidate_id="b", family="alien")), "new candidate 'b': its family 'alien' is none of"),
        (adding(added(features=(1.0,))), "new candidate 'a-new-one': it has 1 features; expected 3: f0, f1, f2"),
    ],
)
def test_what_an_operator_cannot_add_is_refused_by_name_and_nothing_of_it_joins(message: Control, words: str) -> None:
    play = Play(POOL, small_plan(POOL), ALL[:5])
    before = play.campaign.pool
    outcome = decide_control(play.campaign, message)
    play.fold(*outcome.events)
    assert outcome.ack is not None
    assert outcome.ack.detail.startswith("add_candidates: ")
    assert words in outcome.ack.detail
    assert [type(event) for event in outcome.events] == [ControlRefused]
    assert play.campaign.pool is before


def test_a_control_that_comes_twice_adds_once() -> None:
    play = Play(POOL, small_plan(POOL), ALL[:5])
    for _ in range(2):
        play.take(decide_control(play.campaign, adding(added())))
    assert len(play.of_kind(CandidatesAdded)) == 1


def test_an_operator_may_not_fill_a_pool_beyond_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.campaign.contract.MAX_ADDED_CANDIDATES", 1)
    play = Play(POOL, small_plan(POOL), ALL[:5])
    play.take(decide_control(play.campaign, adding(added())))
    further = decide_control(play.campaign, adding(added(candidate_id="b"), message_id="again"))
    assert further.ack is not None
    assert "1 have joined the pool; expected at most 1" in further.ack.detail


def test_new_candidates_that_were_made_before_an_operator_added_others_are_made_again() -> None:
    """Their indices would be those of the operator's by now."""
    play = played()
    needed = proposals.decision_needed(play.campaign)
    assert needed is not None
    based_on = play.campaign.sequence
    answer = Growing().propose(Ledger.of_journal(POOL, play.journal).context(), 1)
    play.fold(*decide_control(play.campaign, adding(added())).events)
    assert proposals.decide_proposal(play.campaign, needed, based_on, answer).events == ()
    old = Proposal((Choice(6),), "it was asked again, and sees the operator's")
    (made, _) = proposals.decide_proposal(play.campaign, needed, play.campaign.sequence, old).events
    assert isinstance(made, DecisionMade)
    assert made.candidate_ids == ("a-new-one",)
