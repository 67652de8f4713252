"""What the agent did is told from its messages alone, also where an operator came between a question and its answer."""

from __future__ import annotations

import pytest

from agent.acquisition.baselines import UniformRandom
from agent.acquisition.registry import make_policy
from agent.campaign import decide, presence, proposals
from agent.campaign.context import make_context, pool_arrays
from agent.campaign.events import (
    CampaignStarted,
    CandidateRequeued,
    DecisionMade,
    InstrumentAway,
    RequestDeferred,
    RequestIssued,
)
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import Ordering
from agent.campaign.state import Campaign
from protocols.recording.lines import HEARD, MessageRow
from protocols.wire.attempt_ids import attempt_identity
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import Control, ControlAction
from scenarios.replay.findings import ReplayOutcome
from scenarios.replay.follow import Follower
from scenarios.replay.infer import Inference, Requests, RequestsHeard
from tests.support.campaigns import small_plan
from tests.support.labs.timed_lab import announce, announcement
from tests.support.samples.heard import POOL, START, START_SET, OverheardPlay, request, wish

POLICY = make_policy("etal", {})
ARRAYS = pool_arrays(POOL)
STARTED = CampaignStarted(small_plan(POOL, policy="etal", parallel=1, budget=6), {})


def choice(campaign: Campaign) -> str:
    return POOL.candidate_ids[POLICY.propose(make_context(campaign, ARRAYS), 1).choices[0].index]


def replayed(heard: list[tuple[str, bytes]], asked_for: str) -> ReplayOutcome:
    follower = Follower(POOL, POLICY.propose)
    requests = Requests("demo", STARTED.plan.uid, {0: ((asked_for, None, 0),)})
    inference = Inference(follower, requests, STARTED, START_SET, 60.0)
    for number, (topic, payload) in enumerate(heard, 1):
        inference.take(MessageRow(number, float(number), HEARD, topic, payload, False))
    return follower.finish()


@pytest.mark.parametrize("drops", [True, False], ids=["of its choice", "of another candidate"])
def test_an_exclusion_while_the_policy_thinks_makes_no_difference(*, drops: bool) -> None:
    campaign = Campaign(POOL)
    for event in (STARTED, START_SET):
        campaign.apply(event)
    first, needed, based_on = choice(campaign), proposals.decision_needed(campaign), campaign.sequence
    proposal = POLICY.propose(make_context(campaign, ARRAYS), 1)
    other = next(each for each in POOL.candidate_ids if each not in {first, *START_SET.candidate_ids})
    exclusion = wish(ControlAction.EXCLUDE_CANDIDATE, first if drops else other)
    control = decode(*exclusion)
    assert isinstance(control, Control)
    for excluded in decide.decide_control(campaign, control).events:
        campaign.apply(excluded)
    assert needed is not None
    decided = proposals.decide_proposal(campaign, needed, based_on, proposal)
    assert bool(decided.events) is not drops
    if drops:
        proposal = POLICY.propose(make_context(campaign, ARRAYS), 1)
        decided = proposals.decide_proposal(campaign, needed, campaign.sequence, proposal)
    issued = next(event for event in decided.events if isinstance(event, RequestIssued))
    outcome = replayed([exclusion, request(issued.candidate_id, 0, issued.attempt_id)], issued.candidate_id)
    assert (outcome.lost, outcome.identical, outcome.differing) == ("", 1, 0)


def test_what_the_policy_would_not_have_chosen_is_a_difference() -> None:
    campaign = Campaign(POOL)
    for event in (STARTED, START_SET):
        campaign.apply(event)
    other = next(each for each in POOL.candidate_ids if each not in {choice(campaign), *START_SET.candidate_ids})
    attempt_id = attempt_identity(STARTED.plan.uid, 0, other, 1)
    outcome = replayed([request(other, 0, attempt_id)], other)
    assert (outcome.identical, outcome.differing) == (0, 1)


@pytest.mark.parametrize("away_at_first", [True, False])
def test_who_was_away_and_back_is_told_by_whom_the_requests_went_to(*, away_at_first: bool) -> None:
    plan = small_plan(POOL, recipients=("a", "b"), parallel=4, budget=16, max_attempts=1, policy="random")
    policy = UniformRandom()
    game = OverheardPlay(POOL, plan, START, policy.propose)
    if away_at_first:
        game.fold(*presence.decide_away(game.campaign, "b", "x").events)
    game.settle()
    for turn in range(200):
        if game.campaign.phase is Phase.FINISHED:
            break
        if turn % 5 == 2:
            going, coming = ("a", "b") if turn % 10 == 2 else ("b", "a")
            game.take(presence.decide_back(game.campaign, coming))
            game.take(presence.decide_away(game.campaign, going, "x"))
        else:
            game.answer(game.awaited[0])
    assert game.of_kind(InstrumentAway)
    assert len(game.campaign.acquired) == 16
    follower = Follower(POOL, policy.propose)
    decisions: dict[int, tuple[tuple[str, str | None, int], ...]] = {
        each.decision: tuple((which, None, 0) for which in each.candidate_ids) for each in game.of_kind(DecisionMade)
    }
    inference = Inference(follower, Requests("demo", plan.uid, decisions), CampaignStarted(plan, {}), START_SET, 60.0)
    for number, (topic, payload) in enumerate(game.said, 1):
        inference.take(MessageRow(number, float(number), HEARD, topic, payload, False))
    outcome = follower.finish()
    assert (outcome.lost, outcome.identical, outcome.differing) == ("", len(decisions), 0)
    assert follower.campaign is not None
    assert len(follower.campaign.acquired) == 16


@pytest.mark.parametrize("ordering", list(Ordering))
def test_where_instruments_said_what_they_can_do_requests_go_where_they_were_heard_to_go(ordering: Ordering) -> None:
    plan = small_plan(POOL, recipients=("a", "b"), parallel=6, budget=18, ordering=ordering, policy="random")
    policy = UniformRandom()
    game = OverheardPlay(POOL, plan, START, policy.propose)
    announce(game, "a", slots=1, expected_s=2.0)
    announce(game, "b", slots=1, expected_s=3.0)
    game.settle()
    while game.campaign.phase is not Phase.FINISHED:
        game.answer(game.awaited[-1])
    assert game.of_kind(RequestDeferred)
    heard = RequestsHeard()
    word = announcement("a")
    for topic in ("lab/capabilities/a", topic_of(word)):
        heard.note(MessageRow(1, 0.0, HEARD, topic, encode(word), True))
    rows = [MessageRow(number, float(number), HEARD, *each, False) for number, each in enumerate(game.said, 2)]
    for row in rows:
        heard.note(row)
    follower = Follower(POOL, policy.propose)
    inference = Inference(follower, heard.found()["demo"], CampaignStarted(plan, {}), START_SET, 60.0)
    for row in rows:
        inference.take(row)
    outcome = follower.finish()
    assert (outcome.lost, outcome.identical, outcome.differing) == ("", len(game.of_kind(DecisionMade)), 0)
    assert follower.campaign is not None
    went = {each.attempt_id: each.recipient for each in game.campaign.attempts.values()}
    assert {each.attempt_id: each.recipient for each in follower.campaign.attempts.values()} == went


@pytest.mark.parametrize("parallel", [1, 3])
def test_what_a_silent_instrument_cost_and_brought_back_is_told_by_the_requests_that_follow(parallel: int) -> None:
    plan = small_plan(POOL, recipients=("a",), parallel=parallel, budget=9, max_attempts=2, policy="random")
    policy = UniformRandom()
    game = OverheardPlay(POOL, plan, START, policy.propose)
    game.settle()
    heard_s: list[float] = []
    for turn in range(200):
        heard_s += [100.0 * turn] * (len(game.said) - len(heard_s))
        if game.campaign.phase is Phase.FINISHED:
            break
        if turn < 4:
            game.expire(game.awaited[0])
        elif turn == 4:
            game.take(presence.decide_back(game.campaign, "a"))
        else:
            game.answer(game.awaited[0])
    assert game.of_kind(CandidateRequeued)
    assert len(game.campaign.acquired) == 9
    follower = Follower(POOL, policy.propose)
    decisions: dict[int, tuple[tuple[str, str | None, int], ...]] = {
        each.decision: tuple((which, None, 0) for which in each.candidate_ids) for each in game.of_kind(DecisionMade)
    }
    inference = Inference(follower, Requests("demo", plan.uid, decisions), CampaignStarted(plan, {}), START_SET, 60.0)
    for number, (at, (topic, payload)) in enumerate(zip(heard_s, game.said, strict=True), 1):
        inference.take(MessageRow(number, at, HEARD, topic, payload, False))
    outcome = follower.finish()
    assert (outcome.lost, outcome.identical, outcome.differing) == ("", len(decisions), 0)
    assert follower.campaign is not None
    assert len(follower.campaign.acquired) == 9
