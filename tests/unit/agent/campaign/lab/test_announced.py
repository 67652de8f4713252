"""How long an instrument takes is what its evaluations took, else its own word; who says nothing has one slot."""

from __future__ import annotations

import pytest

from agent.campaign.lab.abilities import Abilities
from agent.campaign.lab.announced import SHORTEST_S, Lab
from tests.support.campaigns import NOW


def test_its_own_word_counts_until_its_first_answer() -> None:
    lab = Lab()
    assert (lab.expected_s("a"), lab.slots("a")) == (None, 1)
    lab.announce("a", Abilities(4, 60.0), NOW)
    assert (lab.expected_s("a"), lab.slots("a"), lab.said_at["a"]) == (60.0, 4, NOW)
    lab.measure("a", 5.0)
    assert lab.expected_s("a") == 5.0


def test_one_that_becomes_slower_is_known_to_be_after_a_few_and_one_long_one_is_no_rule() -> None:
    lab = Lab()
    lab.measure("a", 1.0)
    lab.measure("a", 10.0)
    assert (lab.expected_s("a") or 0.0) < 4.0
    for _ in range(9):
        lab.measure("a", 10.0)
    assert lab.expected_s("a") == pytest.approx(10.0, rel=0.05)


def test_an_evaluation_of_no_time_is_not_divided_by() -> None:
    lab = Lab()
    lab.measure("a", 0.0)
    assert lab.expected_s("a") == SHORTEST_S
