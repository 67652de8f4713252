"""A condition means what a person reads in it, and nothing else is one."""

from __future__ import annotations

import pytest

from agent.pool.limits.conditions import CandidateFacts, read_condition

WARM = CandidateFacts(frozenset({"Fe", "O"}), {"temperature": 96.5, "pH": -1.0}, {"family": "ferrite", "batch": "7"})
UNKNOWN = CandidateFacts(None, {}, {})


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Fe", True),
        (" O ", True),
        ("Pb", False),
        ("temperature > 95", True),
        ("temperature>96.5", False),
        ("temperature >= 96.5", True),
        ("temperature < 96.5", False),
        ("temperature <= 9.65e1", True),
        ("pH = -1", True),
        ("pH != -1", False),
        ("family = ferrite", True),
        ("family != ferrite", False),
        ("family = spinel", False),
        ("batch = 7", True),
    ],
)
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    assert read_condition(text).holds(WARM) is holds


def test_an_element_is_assumed_where_nobody_says_what_a_candidate_is_made_of() -> None:
    assert read_condition("Pb").holds(UNKNOWN)


@pytest.mark.parametrize("text", ["", "Xx", "pb", "temperature", "> 3", "x >", "x ~ 3", "temperature > warm"])
def test_what_is_no_condition_is_refused_with_how_one_looks(text: str) -> None:
    with pytest.raises(ValueError, match="expected a chemical symbol"):
        read_condition(text)


def test_only_equal_and_unequal_can_be_asked_of_a_text() -> None:
    assert [read_condition(f"x {sign} 1").compares_texts for sign in ("=", "!=", "<", ">=")] == [
        True,
        True,
        False,
        False,
    ]
    assert read_condition("x = water").number is None
    assert read_condition("x = 1e2").number == 100.0
