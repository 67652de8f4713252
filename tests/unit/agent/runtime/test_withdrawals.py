"""What nobody waits for any more is withdrawn until it has an answer; and no more of it is remembered than a bound."""

from __future__ import annotations

from agent.campaign.plan import Ordering
from agent.runtime.withdrawals import MAX_REMEMBERED, Withdrawals
from protocols.wire.messages import ControlAction, FailureReason
from tests.support.campaigns import Play, quantity, small_plan, small_pool

POOL = small_pool(24)


def play(**changes: object) -> Play:
    changes = {"recipients": ("a", "b"), "parallel": 4, "budget": 12, "ordering": Ordering.AS_COMPLETED} | changes
    game = Play(POOL, small_plan(POOL, **changes))
    game.settle()
    return game


def test_an_attempt_with_its_own_answer_is_not_withdrawn() -> None:
    game = play()
    withdrawals = Withdrawals(game.campaign)
    game.answer(game.awaited[0])
    game.fail(game.awaited[0], FailureReason.UNSUPPORTED)
    assert withdrawals.new() == []
    assert withdrawals.of() == []


def test_expired_overtaken_excluded_and_otherwise_observed_attempts_are_withdrawn() -> None:
    game = play()
    withdrawals = Withdrawals(game.campaign)
    expired = game.awaited[0]
    game.expire(expired)
    assert withdrawals.new() == [expired]
    second = next(each for each in game.awaited if each.candidate_id == expired.candidate_id)
    game.answer(expired)
    assert withdrawals.new() == [second], "overtaken by the value of the first"
    excluded, added = game.awaited[0], game.awaited[1]
    game.steer(ControlAction.EXCLUDE_CANDIDATE, excluded.candidate_id)
    game.steer(ControlAction.ADD_OBSERVATION, added.candidate_id, quantity=quantity(1.0))
    assert withdrawals.new() == [excluded, added]
    assert withdrawals.new() == []
    assert withdrawals.of() == [second, excluded, added], "the expired one has answered since"
    assert withdrawals.of(excluded.recipient) == [
        each for each in (second, excluded, added) if each.recipient == excluded.recipient
    ]


def test_a_restart_remembers_what_has_no_answer() -> None:
    game = play()
    expired = game.awaited[0]
    game.expire(expired)
    assert Withdrawals(game.campaign).of() == [expired]
    assert Withdrawals(game.campaign).new() == []


def test_the_last_ones_are_remembered_and_no_more() -> None:
    game = play(max_attempts=100, parallel=1, budget=12, give_up_after=1_000)
    withdrawals = Withdrawals(game.campaign)
    for _ in range(2 * MAX_REMEMBERED):
        game.expire(game.awaited[0])
        assert len(withdrawals.new()) == 1
    assert len(withdrawals.of()) == MAX_REMEMBERED
    assert len(Withdrawals(game.campaign).of()) == MAX_REMEMBERED
