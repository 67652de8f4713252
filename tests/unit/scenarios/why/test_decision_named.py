"""A person names a decision by its number, as the latest, or by what it chose; anything else is told what there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.campaign.events import (
    DecisionMade,
    Event,
    ObservationAdded,
    PolicyExhausted,
    RequestIssued,
    StartSetLoaded,
    StopRuleFired,
)
from protocols.errors import StoreError
from scenarios.why.decision_named import find_decision


def made(number: int, *chosen: str) -> DecisionMade:
    return DecisionMade(number, 1, 2, "p", "f", chosen, (None,) * len(chosen), "why")


EVENTS: list[Event] = [
    StartSetLoaded(("known", "7"), (1.0, 2.0)), made(0, "a"), made(1, "0", "b"), made(2, "12"),
    ObservationAdded("hand", 1.0, "m"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("decision_name", "decision"), [("0", 0), ("2", 2), ("02", 2), ("last", 2), ("a", 0), ("b", 1), ("12", 2)]
)
def test_a_decision_is_found_by_number_word_or_candidate(decision_name: str, decision: int) -> None:
    assert find_decision(EVENTS, decision_name) == decision


@pytest.mark.parametrize(
    ("decision_name", "words"),
    [
        ("3", "Decision 3 was never made"),
        ("-1", "Decision -1 was never made"),
        ("9" * 30, "No decision chose"),
        ("²", "No decision chose"),
        ("", "No decision chose ''"),
        ("7", "Decision 7 was never made"),
        ("known", "was in the start set"),
        ("hand", "was observed manually"),
        ("nobody", "No decision chose 'nobody'"),
    ],
)
def test_what_was_never_decided_is_told_with_what_there_is(decision_name: str, words: str) -> None:
    with pytest.raises(StoreError) as told:
        find_decision(EVENTS, decision_name)
    assert words in told.value.found
    assert "from 0 to 2" in told.value.expected


def test_a_decision_is_found_by_the_id_that_its_table_gives_a_candidate_and_ours_goes_first() -> None:
    issued = [RequestIssued("x", "a", 0, 1, "any", "A α"), RequestIssued("y", "b", 1, 1, "any", "a")]
    assert find_decision([*EVENTS, *issued], "A α") == 0
    assert find_decision([*EVENTS, *issued], "a") == 0


def test_a_run_without_a_decision_says_so() -> None:
    with pytest.raises(StoreError, match="no decision yet"):
        find_decision(EVENTS[:1], "last")


def test_a_decision_that_a_stop_rule_kept_from_being_made_is_told_with_its_reason() -> None:
    fired = StopRuleFired("when_even", 3, 0.01, "when_even: the mean gap is 0.010 nat")
    with pytest.raises(StoreError, match=r"Decision 3 was never made: the stop rule when_even: the mean gap is 0.010"):
        find_decision([*EVENTS, fired], "3")
    for other in ([*EVENTS, fired], [*EVENTS, replace(fired, policy="coverage")]):
        with pytest.raises(StoreError, match=r"Decision 4 was never made\."):
            find_decision(other, "4")


def test_a_decision_that_the_policy_declined_is_told_with_its_reason() -> None:
    ended = PolicyExhausted(3, 1, 2, "p", "f", "all is even")
    with pytest.raises(StoreError, match=r"Decision 3 was never made: the policy had nothing more to ask for \(all is"):
        find_decision([*EVENTS, ended], "3")
    with pytest.raises(StoreError, match=r"Decision 4 was never made\."):
        find_decision([*EVENTS, ended], "4")
