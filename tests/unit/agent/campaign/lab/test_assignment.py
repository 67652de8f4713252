"""Work goes to whoever is free: who is asked depends on the state alone, and which candidate is chosen on nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.campaign.events import (
    CampaignFinished,
    CandidateAbandoned,
    DecisionMade,
    RequestDeferred,
    RequestIssued,
)
from agent.campaign.lab.assignment import AHEAD
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.plan import Ordering
from agent.campaign.presence import decide_away, decide_back
from agent.pool.candidates import Pool
from protocols.wire.messages import ControlAction, FailureReason
from tests.support.campaigns import Play, refold, small_plan, small_pool, state_of
from tests.support.labs.timed_lab import Instrument, TimedLab, announce

POOL = small_pool(240)
ALLOYS = replace(
    small_pool(12),
    candidates=tuple(
        replace(each, formula="Au" if place % 3 == 1 else "Cu") for place, each in enumerate(small_pool(12).candidates)
    ),
)


def campaign(*recipients: str, pool: Pool = POOL, **changes: Any) -> Play:
    """A campaign that has asked for nothing yet."""
    usual = {"parallel": 8, "budget": 12, "ordering": Ordering.AS_COMPLETED, "recipients": recipients or ("a", "b")}
    return Play(pool, small_plan(pool, **(usual | changes)))


def held_by(game: Play) -> dict[str, int]:
    """How many attempts each recipient holds, after what follows by itself."""
    game.settle()
    recipients = [each.recipient for each in game.awaited]
    return {each: recipients.count(each) for each in game.campaign.plan.recipients}


def finish(game: Play) -> None:
    game.settle()
    while game.awaited:
        game.answer(game.awaited[0])
    assert game.campaign.phase is Phase.FINISHED


def test_nobody_is_asked_for_more_than_its_slots_and_one_ahead_and_the_rest_waits_here() -> None:
    game = campaign()
    announce(game, "a", slots=2)
    announce(game, "b")
    assert held_by(game) == {"a": 2, "b": 1}
    assert len(game.of_kind(RequestDeferred)) == 8 - 3
    waiting = [each.candidate_id for each in game.of_kind(RequestDeferred)]
    assert all(game.campaign.status_of(each) is CandidateStatus.RETRY_PENDING for each in waiting)
    for each in list(game.awaited):
        game.answer(each)
    assert [each.candidate_id for each in game.awaited] == waiting[:5], "those that were chosen first go first"
    assert held_by(game) == {"a": 2 + AHEAD, "b": 1 + AHEAD}, "who has answered gets one ahead"
    finish(game)
    assert len(game.campaign.acquired) == 12
    assert game.of_kind(CandidateAbandoned) == []


def test_the_faster_one_is_asked_first_and_of_two_alike_the_first_of_the_recipients() -> None:
    game = campaign("a", "b", "c", parallel=3)
    for name, expected_s in (("a", 5.0), ("b", 2.0), ("c", 5.0)):
        announce(game, name, expected_s=expected_s)
    game.settle()
    assert [each.recipient for each in game.of_kind(RequestIssued)] == ["b", "a", "c"]


def test_what_was_measured_counts_for_more_than_what_was_announced() -> None:
    game = campaign("a", "b", parallel=1)
    announce(game, "a", expected_s=0.1)
    announce(game, "b", expected_s=1.0)
    game.settle()
    lab = game.campaign.lab
    assert game.awaited[0].recipient == "a"
    game.answer(game.awaited[0])
    assert lab.expected_s("a") == pytest.approx(0.5), "as its result says"
    for _ in range(9):
        lab.measure("a", 30.0)
    assert 20.0 < (lab.expected_s("a") or 0.0) < 30.0
    game.answer(game.awaited[0])
    assert game.awaited[0].recipient == "b"


def test_a_slow_one_gets_nothing_that_the_fast_ones_will_have_done_before_it() -> None:
    game = campaign("fast", "slow", parallel=4, budget=4)
    announce(game, "fast", expected_s=1.0)
    announce(game, "slow", expected_s=10.0)
    finish(game)
    assert {each.recipient for each in game.of_kind(RequestIssued)} == {"fast"}


def test_a_slow_one_does_its_part_where_there_is_enough_to_do() -> None:
    game = campaign("fast", "slow", parallel=4, budget=60)
    announce(game, "fast", expected_s=1.0)
    announce(game, "slow", expected_s=10.0)
    assert held_by(game)["slow"] >= 1


def test_with_decisions_in_order_one_that_would_hold_back_the_next_ones_is_passed_over() -> None:
    game = campaign("fast", "slow", parallel=4, budget=60, ordering=Ordering.IN_ORDER)
    announce(game, "fast", expected_s=1.0)
    announce(game, "slow", expected_s=10.0)
    finish(game)
    assert {each.recipient for each in game.of_kind(RequestIssued)} == {"fast"}


def test_a_candidate_goes_to_whoever_can_serve_it_and_who_is_chosen_does_not_depend_on_that() -> None:
    game, plain = campaign(pool=ALLOYS), campaign(pool=ALLOYS)
    announce(game, "a", elements=("Cu",), slots=8)
    announce(game, "b", elements=("Au", "Cu"), slots=8, expected_s=9.0)
    for each in (game, plain):
        each.settle()
        finish(each)
    formulas = {each.candidate_id: each.formula for each in ALLOYS.candidates}
    assert {each.recipient for each in game.of_kind(RequestIssued) if formulas[each.candidate_id] == "Au"} == {"b"}
    chosen = [[each.candidate_ids for each in one.of_kind(DecisionMade)] for one in (game, plain)]
    assert chosen[0] == chosen[1]
    assert game.of_kind(CandidateAbandoned) == []


def test_what_nobody_can_serve_fails_at_once_with_that_reason_and_everything_else_goes_on() -> None:
    game = campaign(pool=ALLOYS)
    announce(game, "a", elements=("Cu",))
    announce(game, "b", elements=("Ag", "Cu"))
    finish(game)
    abandoned = game.of_kind(CandidateAbandoned)
    formulas = {each.candidate_id: each.formula for each in ALLOYS.candidates}
    assert {formulas[each.candidate_id] for each in abandoned} == {"Au"}
    assert len(abandoned) == 4
    why = "no instrument can serve it: a does not take Au (it takes Cu); b does not take Au (it takes Ag, Cu)"
    assert {each.reason for each in abandoned} == {f"{why} (nobody was asked for it)"}
    assert game.of_kind(CampaignFinished)[-1].reason == "the budget is spent"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"properties": ({"name": "volume", "unit": "Å^3"},)}, "does not measure 'formation_energy'"),
        (
            {"properties": ({"name": "formation_energy", "unit": "J"},)},
            "measures 'formation_energy' in 'J', not in 'eV/atom'",
        ),
        ({"fidelities": ("gfn2",)}, "has no method 'b3lyp'"),
        ({"parameters": ({"name": "f0", "unit": "K", "low": 40.0, "high": 50.0},)}, "does 'f0' from 40 to 50 K"),
    ],
)
def test_one_instrument_alone_that_cannot_serve_is_not_asked(fields: dict[str, Any], why: str) -> None:
    game = campaign("a", fidelity="b3lyp", budget=4)
    announce(game, "a", **fields)
    finish(game)
    assert not game.of_kind(RequestIssued)
    assert {each.reason for each in game.of_kind(CandidateAbandoned)} == {
        f"no instrument can serve it: a {why} (nobody was asked for it)"
    }


def test_one_instrument_alone_that_can_serve_gets_all_at_once_as_ever() -> None:
    game = campaign("a")
    announce(game, "a", slots=1)
    game.settle()
    assert held_by(game) == {"a": 8}


def test_whoever_may_serve_because_it_has_said_nothing_is_asked() -> None:
    game = campaign(pool=ALLOYS)
    announce(game, "a", elements=("Ag",))
    finish(game)
    assert {each.recipient for each in game.of_kind(RequestIssued)} == {"b"}


def test_what_only_one_that_is_away_can_serve_waits_until_it_is_back() -> None:
    game = campaign(pool=ALLOYS)
    announce(game, "a", elements=("Cu",), slots=8)
    announce(game, "b", elements=("Au", "Cu"), slots=8)
    game.take(decide_away(game.campaign, "b", "it says so"))
    assert held_by(game)["b"] == 0
    while game.awaited:
        game.answer(game.awaited[0])
    assert game.campaign.phase is Phase.RUNNING
    assert "which is away" in game.of_kind(RequestDeferred)[-1].reason
    game.take(decide_back(game.campaign, "b"))
    finish(game)
    assert len(game.campaign.acquired) == 12


def test_a_campaign_that_is_stopped_gives_up_what_nobody_was_asked_for() -> None:
    game = campaign()
    announce(game, "a")
    announce(game, "b")
    game.settle()
    waiting = len(game.of_kind(RequestDeferred))
    game.steer(ControlAction.STOP)
    abandoned = game.of_kind(CandidateAbandoned)
    assert len(abandoned) == waiting
    assert all(each.reason.endswith("(nobody was asked for it)") for each in abandoned)
    finish(game)


def test_a_candidate_that_failed_is_tried_elsewhere_first() -> None:
    game = campaign("a", "b", parallel=1, budget=1)
    announce(game, "a", expected_s=0.1)
    announce(game, "b", expected_s=50.0)
    game.settle()
    for _ in range(2):
        game.fail(game.awaited[0], FailureReason.CRASHED)
    assert [each.recipient for each in game.of_kind(RequestIssued)] == ["a", "b", "a"]


def test_a_journal_folds_to_the_same_state_and_so_to_the_same_assignments() -> None:
    game = campaign("a", "b", "c")
    for name, slots in (("a", 2), ("b", 1), ("c", 3)):
        announce(game, name, slots=slots, expected_s=float(slots))
    game.settle()
    for _ in range(5):
        game.answer(game.awaited[-1])
    assert state_of(refold(POOL, game.journal)) == state_of(game.campaign)


@pytest.mark.parametrize("ordering", list(Ordering))
@pytest.mark.parametrize("expected", ["announced", "unknown", "wrong"])
@pytest.mark.parametrize(("budget", "parallel"), [(60, 16), (120, 8)])
def test_four_of_which_one_is_slow_and_one_dies_are_done_within_half_more_than_the_ideal_time(
    ordering: Ordering, expected: str, budget: int, parallel: int
) -> None:
    game = campaign("a", "b", "c", "d", parallel=parallel, budget=budget, ordering=ordering, max_attempts=1)
    halfway_s = budget / 3.1 / 2
    lab = TimedLab(
        game,
        {"a": Instrument(1.0), "b": Instrument(10.0), "c": Instrument(1.0, dies_s=halfway_s), "d": Instrument(1.0)},
        grace_s=2.0,
    )
    for name, each in lab.instruments.items():
        said = {"announced": each.takes_s, "unknown": None, "wrong": 1.0}[expected]
        announce(game, name, slots=each.slots, expected_s=said)
    took_s = lab.play()
    assert took_s <= 1.5 * lab.ideal_s(budget), f"{took_s:g} s; ideal {lab.ideal_s(budget):g} s; by {lab.by}"
    assert set(lab.evaluated.values()) == {1}
    assert len(game.campaign.acquired) == budget
    assert not game.campaign.in_flight
    assert not game.of_kind(CandidateAbandoned)
