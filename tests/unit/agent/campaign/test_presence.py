"""Work goes to the instruments that are there; whoever is away costs no candidate, no attempt and no budget."""

from __future__ import annotations

import pytest

from agent.campaign.absence import MAX_REQUEUES
from agent.campaign.events import (
    CampaignPaused,
    CampaignResumed,
    CandidateAbandoned,
    CandidateRequeued,
    DecisionMade,
    InstrumentAway,
    InstrumentBack,
    RequestExpired,
    RequestIssued,
    StopRuleFired,
)
from agent.campaign.lab.assignment import recipient_of
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.plan import Ordering
from agent.campaign.presence import MAX_HANDED_ON, decide_away, decide_back
from protocols.wire.messages import ControlAction, FailureReason
from tests.support.campaigns import Play, content_after, refold, small_plan, small_pool, state_of

POOL = small_pool(24)


def play(*recipients: str, **changes: object) -> Play:
    changes = {"parallel": 4, "budget": 12, "ordering": Ordering.AS_COMPLETED} | changes
    game = Play(POOL, small_plan(POOL, recipients=recipients or ("a", "b"), **changes), POOL.candidate_ids[:3])
    game.settle()
    return game


def go_away(game: Play, instrument: str) -> None:
    game.take(decide_away(game.campaign, instrument, "it says so"))


def come_back(game: Play, instrument: str) -> None:
    game.take(decide_back(game.campaign, instrument))


def test_the_attempts_of_one_that_goes_away_are_given_to_those_who_are_there_and_cost_nothing() -> None:
    game = play(max_attempts=1)
    of_b = [each for each in game.awaited if each.recipient == "b"]
    go_away(game, "b")
    assert game.of_kind(InstrumentAway) == [InstrumentAway("b", "it says so")]
    assert game.of_kind(RequestExpired) == [
        RequestExpired(each.attempt_id, each.candidate_id, costs_attempt=False) for each in of_b
    ]
    assert {each.recipient for each in game.awaited} == {"a"}
    assert {each.candidate_id for each in of_b} <= {each.candidate_id for each in game.awaited}
    while game.campaign.phase is not Phase.FINISHED:
        game.answer(game.awaited[0])
    assert game.of_kind(CandidateAbandoned) == []
    assert len(game.campaign.acquired) == game.campaign.spent == 12


def test_who_is_back_has_its_turn_again() -> None:
    game = play()
    go_away(game, "b")
    come_back(game, "b")
    assert game.journal[-1] == InstrumentBack("b")
    for _ in range(4):
        game.answer(game.awaited[0])
    assert "b" in {each.recipient for each in game.awaited}


def test_where_all_are_there_the_turns_are_as_they_always_were() -> None:
    campaign = play("a", "b", "c").campaign
    assert [recipient_of(campaign, turn) for turn in range(5)] == ["a", "b", "c", "a", "b"]


def test_three_share_the_work_of_one_that_is_away() -> None:
    game = play("a", "b", "c", "d")
    go_away(game, "b")
    turns = [recipient_of(game.campaign, turn) for turn in range(24)]
    assert "b" not in turns
    assert min(map(turns.count, "acd")) >= 6


def test_the_last_one_that_is_there_is_never_journalled_as_away() -> None:
    game = play()
    go_away(game, "b")
    before = list(game.journal)
    go_away(game, "a")
    assert game.journal == before, "everything waits as it stands"


@pytest.mark.parametrize("instrument", ["stranger", "b"])
def test_a_stranger_or_one_that_is_away_already_changes_nothing(instrument: str) -> None:
    game = play()
    go_away(game, "b")
    before = list(game.journal)
    go_away(game, instrument)
    come_back(game, "stranger")
    assert game.journal == before


def test_a_return_is_journalled_only_where_it_changes_something() -> None:
    game = play()
    come_back(game, "b")
    assert not game.of_kind(InstrumentBack)
    go_away(game, "b")
    while game.campaign.phase is not Phase.FINISHED:
        game.answer(game.awaited[0])
    before = list(game.journal)
    come_back(game, "b")
    go_away(game, "a")
    assert game.journal == before


def test_a_candidate_that_is_handed_on_for_ever_ends_as_any_other() -> None:
    game = play(parallel=1, budget=1, max_attempts=2)
    for turn in range(4 * MAX_HANDED_ON):
        gone, other = ("a", "b") if turn % 2 else ("b", "a")
        come_back(game, other)
        go_away(game, gone)
    assert game.campaign.phase is Phase.FINISHED
    free = [each for each in game.of_kind(RequestExpired) if not each.costs_attempt]
    assert len(free) == MAX_HANDED_ON
    assert len(game.journal) < 5 * MAX_HANDED_ON


def test_a_campaign_that_is_stopped_awaits_nobody_who_is_away_while_another_is_there() -> None:
    game = play()
    game.steer(ControlAction.STOP)
    go_away(game, "b")
    while game.awaited:
        game.answer(game.awaited[0])
    assert game.campaign.phase is Phase.FINISHED


def fall_silent(game: Play, candidate_id: str) -> None:
    """Let every attempt at a candidate expire, until it is abandoned."""
    while open_now := [each for each in game.awaited if each.candidate_id == candidate_id]:
        game.expire(open_now[0])


def test_what_nobody_answered_for_comes_back_with_an_instrument_and_costs_no_further_budget() -> None:
    game = play("a", max_attempts=2)
    silent = [game.awaited[0].candidate_id, game.awaited[1].candidate_id]
    for which in silent:
        fall_silent(game, which)
    asked, spent = game.campaign.requested, game.campaign.spent
    come_back(game, "a")
    assert not game.of_kind(CandidateRequeued), "four are in flight, and no more may be"
    game.answer(game.awaited[0])
    game.answer(game.awaited[0])
    assert [each.candidate_id for each in game.of_kind(CandidateRequeued)] == silent
    assert {each.reason for each in game.of_kind(CandidateRequeued)} == {"a is there again"}
    assert len(game.awaited) == game.campaign.open_count == game.campaign.plan.parallel
    assert game.campaign.requested == asked
    assert game.campaign.spent == spent + 2 - 2
    while game.campaign.phase is not Phase.FINISHED:
        game.answer(game.awaited[0])
    assert len(game.campaign.acquired) == game.campaign.plan.budget
    chosen = [which for each in game.of_kind(DecisionMade) for which in each.candidate_ids]
    assert sorted(chosen) == sorted(set(chosen))


def test_a_candidate_that_comes_back_has_all_its_attempts_again_and_their_numbers_go_on() -> None:
    game = play("a", parallel=1, budget=2, max_attempts=2)
    which = game.awaited[0].candidate_id
    fall_silent(game, which)
    come_back(game, "a")
    game.answer(game.awaited[0])  # the other one, which was asked for meanwhile
    fall_silent(game, which)
    numbers = [each.attempt for each in game.of_kind(RequestIssued) if each.candidate_id == which]
    assert numbers == [1, 2, 3, 4]
    assert game.campaign.status_of(which) is CandidateStatus.ABANDONED
    assert game.campaign.phase is Phase.FINISHED


def test_a_candidate_comes_back_so_often_and_no_more() -> None:
    game = play("a", parallel=2, budget=6, max_attempts=1)
    which = game.awaited[0].candidate_id
    for _ in range(3 * MAX_REQUEUES):
        fall_silent(game, which)
        come_back(game, "a")
        game.settle()
        if game.campaign.open_count == 2 and which not in {each.candidate_id for each in game.awaited}:
            game.answer(game.awaited[0])
    assert len([each for each in game.of_kind(CandidateRequeued) if each.candidate_id == which]) == MAX_REQUEUES
    before = len(game.journal)
    come_back(game, "a")
    assert len(game.journal) == before, "an instrument that comes and goes for ever does not fill the journal"


def test_a_candidate_that_an_instrument_failed_with_does_not_come_back() -> None:
    game = play("a", max_attempts=2)
    first = game.awaited[0]
    game.fail(first, FailureReason.CALCULATION_FAILED)
    fall_silent(game, first.candidate_id)
    assert game.campaign.status_of(first.candidate_id) is CandidateStatus.ABANDONED
    come_back(game, "a")
    game.answer(game.awaited[0])
    assert not game.of_kind(CandidateRequeued)


def test_what_a_silent_lab_cost_comes_back_when_the_campaign_that_paused_itself_is_resumed() -> None:
    game = play("a", parallel=2, max_attempts=1, give_up_after=3)
    while not game.campaign.paused_itself:
        game.expire(game.awaited[0])
    assert isinstance(next(e for e in reversed(game.journal) if isinstance(e, CampaignPaused)), CampaignPaused)
    while game.awaited:
        game.answer(game.awaited[0])
    silent = [each.candidate_id for each in game.of_kind(CandidateAbandoned)]
    game.fold(CampaignResumed("the agent was started again"))
    game.settle()
    while game.campaign.phase is not Phase.FINISHED:
        game.answer(game.awaited[0])
    assert {each.candidate_id for each in game.of_kind(CandidateRequeued)} == set(silent)
    assert len(game.campaign.acquired) == game.campaign.plan.budget


def test_a_pause_of_a_person_brings_nothing_back() -> None:
    game = play("a", max_attempts=1)
    fall_silent(game, game.awaited[0].candidate_id)
    game.steer(ControlAction.PAUSE)
    game.steer(ControlAction.RESUME)
    game.answer(game.awaited[0])
    assert not game.of_kind(CandidateRequeued)


def test_nothing_comes_back_where_a_stop_rule_or_an_operator_ended_all_asking() -> None:
    def fire(game: Play) -> None:
        game.fold(StopRuleFired("when_even", 0, 0.01, "when_even: it is even"))

    def stop(game: Play) -> None:
        game.steer(ControlAction.STOP)

    for end in (fire, stop):
        game = play("a", max_attempts=1)
        fall_silent(game, game.awaited[0].candidate_id)
        end(game)
        come_back(game, "a")
        while game.awaited:
            game.answer(game.awaited[0])
        assert not game.of_kind(CandidateRequeued)
        assert game.campaign.phase is Phase.FINISHED


def test_a_policy_with_nothing_more_to_ask_for_still_wants_what_it_asked_for() -> None:
    game = Play(
        POOL, small_plan(POOL, recipients=("a",), parallel=2, max_attempts=1, ordering=Ordering.AS_COMPLETED),
        POOL.candidate_ids[:3], content_after(2),
    )  # fmt: skip
    game.settle()
    silent = game.awaited[0].candidate_id
    fall_silent(game, silent)
    come_back(game, "a")
    assert [each.candidate_id for each in game.of_kind(CandidateRequeued)] == [silent]


def test_all_of_it_folds_to_the_same_state_again() -> None:
    game = play("a", "b", max_attempts=1)
    go_away(game, "b")
    fall_silent(game, game.awaited[0].candidate_id)
    come_back(game, "b")
    game.answer(game.awaited[0])
    assert state_of(refold(POOL, game.journal)) == state_of(game.campaign)
