"""A shadow knows what the lab knew when it chose: as much as can be heard, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.acquisition.base import Choice, Proposal
from agent.acquisition.registry import make_policy
from agent.campaign import presence
from agent.campaign.events import CandidateRequeued, RequestExpired, ResultAccepted
from agent.campaign.life_cycle import CandidateStatus
from agent.campaign.plan import Ordering
from protocols.wire.messages import AddedCandidate, ControlAction, FailureReason
from protocols.wire.topics import PREFIX
from tests.support.campaigns import quantity, result_of, small_plan, value_of
from tests.support.samples.heard import (
    POOL,
    START,
    OverheardPlay,
    failure,
    heard,
    lab,
    listener,
    plain,
    request,
    result,
    said,
    wish,
)


def test_the_policy_is_shown_what_the_labs_own_agent_showed_its_policy_whatever_went_wrong() -> None:
    played = lab()
    played.fail(played.awaited[0])
    played.answer(played.awaited[0])
    played.expire(played.awaited[0])
    played.answer(played.awaited[0])
    played.steer(ControlAction.EXCLUDE_CANDIDATE, "c029")
    played.steer(ControlAction.ADD_OBSERVATION, "c028", quantity=quantity(1.5))
    played.fail(played.awaited[0], FailureReason.UNSUPPORTED)
    while played.awaited:
        played.answer(played.awaited[0])
    shadow = listener()
    choices = heard(shadow, played.said)
    assert [plain(each.context) for each in choices] == [plain(context) for context in played.contexts]
    assert [each.lab_number for each in choices] == list(range(12))
    assert shadow.campaign.statuses.tolist() == played.campaign.statuses.tolist()
    assert shadow.is_over


@settings(max_examples=30)
@given(data=st.data(), shape=st.sampled_from([(1, 1), (3, 1), (4, 2), (4, 4)]))
def test_in_order_that_holds_with_many_in_flight_and_for_any_order_of_answers(
    data: st.DataObject, shape: tuple[int, int]
) -> None:
    parallel, batch = shape
    played = lab(parallel=parallel, batch=batch)
    while played.awaited:
        attempt = played.awaited[data.draw(st.integers(0, len(played.awaited) - 1))]
        trouble = data.draw(st.sampled_from(["none", "crash", "silence"])) if attempt.number < 3 else "none"
        if trouble == "crash":
            played.fail(attempt)
        elif trouble == "silence":
            played.expire(attempt)
        else:
            played.answer(attempt)
    choices = heard(listener(parallel=parallel, batch=batch), played.said)
    assert [plain(each.context) for each in choices] == [plain(context) for context in played.contexts]


def test_in_order_a_request_may_even_be_heard_amid_the_answers_to_its_own_decision() -> None:
    played = lab(parallel=4, batch=4)
    first, second, third, fourth = played.said
    answers = [said(result_of(attempt)) for attempt in played.awaited]
    shadow = listener(parallel=4, batch=4)
    (choice,) = heard(shadow, [first, answers[0], second, third, answers[1], fourth])
    assert choice.candidate_ids == tuple(attempt.candidate_id for attempt in played.awaited)
    assert plain(choice.context) == plain(played.contexts[0])
    assert shadow.counts["candidate_result: accepted"] == 2


def test_as_completed_everything_heard_before_the_request_is_known() -> None:
    shadow = listener(ordering=Ordering.AS_COMPLETED)
    choices = heard(shadow, [request("c001", 0), request("c002", 1), result("c001"), request("c003", 2)])
    last = choices[-1].context
    assert last.pending.tolist() == [2]
    assert 1 in last.observed
    assert (choices[-1].observation, shadow.most_in_flight) == (1, 2)


def test_with_the_same_policy_and_seed_the_shadow_chooses_what_the_lab_chose() -> None:
    for name in ("etal", "random", "uncertainty"):
        plan = {"policy": name, "parallel": 3, "budget": 8}
        policy = make_policy(name, {})
        played = OverheardPlay(POOL, small_plan(POOL, **plan), START, propose=policy.propose)
        played.settle()
        while played.awaited:
            played.answer(played.awaited[-1])
        ours = make_policy(name, {})
        for choice in heard(listener(**plan), played.said):
            proposal = ours.propose(choice.context, len(choice.candidate_ids))
            assert tuple(POOL.candidate_ids[each.index] for each in proposal.choices) == choice.candidate_ids


def test_what_the_labs_operator_adds_joins_the_pool_here_too_and_its_choice_is_followed() -> None:
    played = lab()
    added = AddedCandidate(candidate_id="c0-new", family="family-1", features=(0.1, 0.2, 0.3))
    played.steer(ControlAction.ADD_CANDIDATES, candidates=(added,))
    played.propose = lambda context, _count: Proposal((Choice(int(context.available[-1])),), "the last one")
    while played.awaited:
        played.answer(played.awaited[0])
    shadow = listener()
    choices = heard(shadow, played.said)
    assert shadow.campaign.pool.candidates == played.campaign.pool.candidates
    assert "c0-new" in {which for each in choices for which in each.candidate_ids}
    assert shadow.realised_gain["c0-new"].value == value_of("c0-new")
    assert [plain(each.context) for each in choices] == [plain(context) for context in played.contexts]


def test_what_is_said_twice_changes_nothing() -> None:
    played = lab()
    while played.awaited:
        played.answer(played.awaited[0])
    once, twice = listener(), listener()
    expected = heard(once, played.said)
    choices = heard(twice, [message for message in played.said for _ in range(2)])
    assert [plain(each.context) for each in choices] == [plain(each.context) for each in expected]
    assert twice.points == once.points
    assert twice.counts["candidate_request: repeated"] == len(expected)
    assert twice.counts["candidate_result: duplicate"] == len(expected)


def test_a_lab_that_only_publishes_results_has_chosen_what_it_measured() -> None:
    shadow = listener(estimator="m_spacing")
    first, second = heard(shadow, [result("c004"), result("c005")])
    assert (first.candidate_ids, first.lab_number) == (("c004",), None)
    assert 4 in first.context.available
    assert second.context.observed.tolist() == [0, 4, 7, 13, 21, 22]
    assert shadow.realised_gain["c004"].value == value_of("c004")
    assert shadow.realised_gain["c004"].entropy_gain is not None


def test_results_that_break_the_contract_teach_nothing_and_the_candidate_was_chosen_all_the_same() -> None:
    shadow = listener()
    wrong = [result("c004", "", quantity(1.0, unit="kJ")), result("c005", "", quantity(1e6)), result("c006", "")]
    assert len(heard(shadow, wrong)) == 3
    assert shadow.counts["candidate_result: refused"] == 2
    assert shadow.counts["candidate_result: accepted"] == 1
    assert len(shadow.points) == 2


def test_the_first_valid_result_of_a_candidate_wins() -> None:
    shadow = listener()
    heard(
        shadow, [request("c004"), result("c004"), result("c004", "other", quantity(9.0)), request("c004", 1, "again")]
    )
    assert shadow.realised_gain["c004"].value == value_of("c004")
    assert shadow.counts["candidate_result: its candidate is observed"] == 1
    assert shadow.counts["candidate_request: its candidate is observed"] == 1


def test_an_attempt_that_another_follows_has_expired() -> None:
    shadow = listener(max_attempts=2)
    choices = heard(shadow, [request("c004"), request("c004", 0, "second", attempt=2)])
    assert len(choices) == 1
    assert shadow.campaign.status_of("c004") is CandidateStatus.PENDING
    assert list(shadow.campaign.in_flight) == ["second"]


@pytest.mark.parametrize("further", [request("c004", 0, "third", attempt=3), result("c004", "third")])
def test_a_candidate_without_attempts_left_comes_back_when_the_lab_asks_for_it_again(
    further: tuple[str, bytes],
) -> None:
    shadow = listener(max_attempts=2)
    heard(shadow, [request("c004"), request("c004", 0, "second", attempt=2), further, result("c004", "third")])
    assert shadow.campaign.status_of("c004") is CandidateStatus.OBSERVED
    assert shadow.campaign.requested == 1
    assert shadow.realised_gain["c004"].value == value_of("c004")


def test_a_failure_of_an_unheard_attempt_brings_no_candidate_back() -> None:
    shadow = listener(max_attempts=1)
    heard(shadow, [request("c004"), failure("c004"), failure("c004", "another")])
    assert shadow.campaign.status_of("c004") is CandidateStatus.ABANDONED
    assert shadow.counts["candidate_failure: its candidate is abandoned"] == 1


def test_what_a_silent_or_absent_instrument_cost_the_lab_nothing_costs_the_shadow_nothing_either() -> None:
    played = lab(max_attempts=1, recipients=("a", "b"), parallel=2, ordering=Ordering.AS_COMPLETED)
    played.expire(played.awaited[0])
    for away in ("b", "a"):
        played.take(presence.decide_away(played.campaign, away, "it says so"))
        played.take(presence.decide_back(played.campaign, away))
    while played.awaited:
        played.answer(played.awaited[0])
    assert played.of_kind(CandidateRequeued)
    assert [each for each in played.of_kind(RequestExpired) if not each.costs_attempt]
    shadow = listener(max_attempts=1, recipients=("a", "b"), parallel=2, ordering=Ordering.AS_COMPLETED)
    heard(shadow, played.said)
    assert shadow.campaign.statuses.tolist() == played.campaign.statuses.tolist()
    assert set(shadow.realised_gain) == {each.candidate_id for each in played.of_kind(ResultAccepted)}


def test_choices_beyond_the_budget_are_counted_and_not_followed() -> None:
    shadow = listener(budget=2)
    messages = [request(f"c00{n}", n) for n in (1, 2, 3)] + [result("c001"), result("c003"), result("c002")]
    assert len(heard(shadow, messages)) == 2
    assert shadow.counts["choice: beyond the budget"] == 2
    assert shadow.is_over


def test_a_batch_that_its_lab_never_fills_is_complete_with_the_next_decision() -> None:
    shadow = listener(batch=3, parallel=3)
    messages = [request("c001", 0), request("c002", 0), result("c001"), request("c003", 1)]
    assert [each.candidate_ids for each in heard(shadow, messages)] == [("c001", "c002")]
    assert shadow.counts["candidate_result: accepted"] == 1


def short_batch() -> list[tuple[str, bytes]]:
    """Three of the four requests that a decision may have, and their results."""
    names = ("c001", "c002", "c003")
    return [*(request(name, 0) for name in names), *(result(name) for name in names)]


def test_a_batch_that_is_never_filled_is_complete_at_the_end_with_all_that_waited_for_it() -> None:
    shadow = listener(batch=4, parallel=4)
    assert heard(shadow, short_batch()) == []
    assert (shadow.forming, shadow.held, len(shadow.points)) == (3, 3, 1)
    (choice,) = shadow.finish()
    assert choice.candidate_ids == ("c001", "c002", "c003")
    assert (shadow.forming, shadow.held, len(shadow.points)) == (0, 0, 4)
    assert set(shadow.realised_gain) == {"c001", "c002", "c003"}
    assert shadow.finish() == ()


@pytest.mark.parametrize(
    "message",
    [
        ("entropilot/v1/demo/request/simulator-1", b"\xff\x00"),
        ("entropilot/v1/demo/result/simulator-1", b"[]"),
        ("some/other/topic", b"{}"),
        wish(ControlAction.EXCLUDE_CANDIDATE, "nobody"),
        request("nobody"),
        result("nobody"),
        request("c004", 0, "", campaign="another"),
    ],
)
def test_what_is_none_of_ours_is_counted_and_changes_nothing(message: tuple[str, bytes]) -> None:
    shadow = listener()
    before = plain(heard(shadow, [request("c001")])[0].context)
    assert heard(shadow, [message]) == []
    assert sum(by for name, by in shadow.counts.items() if name.startswith("quarantined")) == 1
    fresh = listener()
    assert plain(heard(fresh, [message, request("c001")])[0].context) == before


@settings(max_examples=150)
@given(data=st.data())
def test_no_order_of_messages_stops_a_shadow(data: st.DataObject) -> None:
    names = st.sampled_from([f"c00{n}" for n in range(5)] + ["nobody"])
    attempts = st.sampled_from(["a", "b", "c", ""])
    anything = st.one_of(
        st.builds(request, names, st.integers(0, 3), attempts),
        st.builds(result, names, attempts),
        st.builds(lambda name: result(name, "", quantity(1e7)), names),
        st.builds(
            wish,
            st.sampled_from(ControlAction),
            names,
        ),
    )
    shadow = listener(
        batch=data.draw(st.sampled_from([1, 2, 3])), parallel=3, budget=data.draw(st.sampled_from([2, 12])),
        ordering=data.draw(st.sampled_from(list(Ordering))),
    )  # fmt: skip
    choices = heard(shadow, data.draw(st.lists(anything, max_size=25)))
    assert [each.number for each in choices] == list(range(len(choices)))
    for choice in choices:
        chosen = {POOL.index_of[name] for name in choice.candidate_ids}
        assert chosen <= set(choice.context.available.tolist())


def test_more_than_a_decision_can_hold_back_completes_it() -> None:
    shadow = listener(batch=2, parallel=2)
    flood = [wish(ControlAction.PAUSE)] * 1_024
    assert len(heard(shadow, [request("c001"), *flood])) == 1


def test_what_a_finished_campaign_removes_from_the_broker_is_no_message_of_the_lab() -> None:
    shadow = listener()
    for channel in ("status/x", "status/agent"):
        assert shadow.on_message(f"{PREFIX}/{shadow.campaign.plan.campaign}/{channel}", b"") == ()
        assert shadow.problem == ""
    shadow.on_message(f"{PREFIX}/{shadow.campaign.plan.campaign}/result/x", b"")
    assert shadow.problem, "an empty result is none"
