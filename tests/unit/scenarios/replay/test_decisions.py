"""A decision of a pool that grows: what is recorded leads to it again, and another one is told from it."""

from __future__ import annotations

from dataclasses import replace

from agent.acquisition.base import Choice, Proposal
from agent.campaign.events import DecisionMade
from agent.pool.growth import NewCandidate, grown
from scenarios.replay.decisions import Decision
from tests.support.campaigns import Play, small_plan, small_pool
from tests.support.user_policies import Growing

POOL = small_pool(9)
NEW = NewCandidate("a-new-one", "family-1", (1.0, -2.5, 0.1), "X", parent="c001", origin="a step")
SECOND = replace(NEW, candidate_id="another", features=(0.5, 0.5, 1 / 3))
PROPOSAL = Proposal((Choice(9, 2.0), Choice(3)), "why", Choice(10, 1.0), new_candidates=(NEW, SECOND))


def recorded() -> Decision:
    return Decision.proposed(4, PROPOSAL, POOL.candidate_ids)


def test_what_joins_the_pool_is_named_as_what_is_in_it() -> None:
    assert recorded().candidate_ids == ("a-new-one", "c003")
    assert recorded().runner_up == "another"


def test_a_recorded_decision_leads_to_the_proposal_that_made_it() -> None:
    assert recorded().as_proposal(POOL) == PROPOSAL


def test_every_decision_of_a_campaign_is_followed_to_the_same_pool() -> None:
    play = Play(POOL, small_plan(POOL, budget=5, parallel=2, batch=2, grows_pool=True), ("c000",), Growing().propose)
    play.settle()
    while play.awaited:
        play.answer(play.awaited[0])
    pool = POOL
    for made, context in zip(play.of_kind(DecisionMade), play.contexts, strict=True):
        answer = Growing().propose(context, len(made.candidate_ids))
        assert Decision.of(made).as_proposal(pool) == answer
        assert Decision.of(made).other_figure(Decision.proposed(made.decision, answer, pool.candidate_ids)) == ""
        pool = grown(pool, made.added)
    assert pool.candidates == play.campaign.pool.candidates


def test_last_bits_of_features_are_no_other_decision_and_another_origin_is() -> None:
    nearly = replace(recorded(), added=(NEW, replace(SECOND, features=(0.5, 0.5, 1 / 3 + 1e-15))))
    assert recorded().other_figure(nearly) == ""
    other = replace(recorded(), added=(replace(NEW, origin="a leap"), SECOND))
    assert recorded().other_figure(other) == (
        "to the pool comes a-new-one, another then, a-new-one, another now, with other content"
    )
    fewer = replace(recorded(), added=(NEW,))
    assert recorded().other_figure(fewer) == "to the pool comes a-new-one, another then, a-new-one now"
