"""A campaign that is over without results says why, in words that name what can be changed."""

from __future__ import annotations

import pytest

from agent.campaign import decide
from agent.campaign.events import StopRuleFired
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import Ordering
from agent.campaign.presence import decide_away
from protocols.wire.messages import ControlAction, FailureReason
from scenarios.run.shortfall import shortfall
from tests.support.campaigns import Play, content_after, quantity, result_of, small_plan, small_pool

POOL = small_pool(24)


def play(**changes: object) -> Play:
    usual = {"budget": 4, "max_attempts": 1, "recipients": ("a", "b"), "ordering": Ordering.AS_COMPLETED}
    game = Play(POOL, small_plan(POOL, **(usual | changes)), POOL.candidate_ids[:3])
    game.settle()
    return game


def told(game: Play) -> tuple[str, ...]:
    return shortfall(game.campaign, game.journal, 2.5)


def end(game: Play, what: str) -> None:
    attempt = game.awaited[0]
    match what:
        case "value":
            game.answer(attempt)
        case "silence":
            game.expire(attempt)
        case "failure":
            game.fail(attempt, FailureReason.UNSUPPORTED)
        case "refused":
            game.take(decide.decide_result(game.campaign, result_of(attempt, quantity(99.0))))


def test_a_campaign_that_goes_on_or_has_results_of_most_says_nothing() -> None:
    game = play()
    assert told(game) == ()
    for what in ("silence", "value", "failure", "value"):
        end(game, what)
    assert game.campaign.phase is Phase.FINISHED
    assert told(game) == (), "half of them is not most"


def test_most_abandoned_is_said_with_every_cause_and_its_number() -> None:
    game = play(budget=7)
    for what in ("silence", "value", "failure", "refused", "silence", "refused", "failure"):
        end(game, what)
    headline, *causes = told(game)
    assert headline == "most candidates abandoned: 6 of 7"
    (silent,) = [each for each in causes if "request_timeout_s" in each]
    assert silent.startswith(
        "2 attempts had no answer within request_timeout_s = 2.5 s, though the instrument was there"
    )
    assert "campaign.request_timeout_s" in silent
    (refused,) = [each for each in causes if "contract" in each]
    assert refused.startswith("2 results broke the campaign's contract; the first: ")
    assert "campaign.valid_range" in refused
    (failed,) = [each for each in causes if "unsupported" in each]
    assert failed == "2 attempts failed (unsupported); the first: the lamp broke"


def test_no_result_is_said_whoever_ended_it() -> None:
    game = play(budget=1)
    end(game, "refused")
    assert told(game)[0] == "no result: 1 candidate asked for, 1 abandoned"
    stopped = play()
    stopped.steer(ControlAction.EXCLUDE_CANDIDATE, stopped.awaited[0].candidate_id)
    stopped.steer(ControlAction.STOP)
    end(stopped, "failure")
    assert told(stopped)[0].startswith("no result")


def test_a_time_out_of_an_instrument_that_was_away_is_not_laid_at_the_time_out_s_door() -> None:
    game = play(budget=2, parallel=2)
    game.take(decide_away(game.campaign, "b", "it says so"))
    end(game, "failure")
    end(game, "failure")
    assert not any("request_timeout_s" in each for each in told(game))


def test_a_campaign_whose_stop_rule_fired_at_once_did_what_it_was_asked() -> None:
    game = Play(POOL, small_plan(POOL), POOL.candidate_ids[:3])
    game.fold(StopRuleFired("when_even", 0, 0.01, "when_even: it is even"))
    game.settle()
    assert game.campaign.phase is Phase.FINISHED
    assert told(game) == ()


@pytest.mark.parametrize("give_up_after", [1, 3])
def test_a_campaign_that_paused_itself_says_why_too(give_up_after: int) -> None:
    game = play(budget=10, give_up_after=give_up_after)
    while not game.campaign.paused_itself:
        end(game, "silence")
    assert "request_timeout_s" in told(game)[1]


def test_a_campaign_that_asked_for_nothing_says_what_ended_it() -> None:
    game = Play(POOL, small_plan(POOL), POOL.candidate_ids[:3], content_after(0))
    game.settle()
    headline, why = told(game)
    assert headline == "no result: 0 candidates asked for, 0 abandoned"
    assert why == "it ended because the policy has nothing more to ask for: 0 are enough"
