"""What is to be removed is said in a line for each campaign, with who says that it is there."""

from __future__ import annotations

from scenarios.broker.leftovers import Leftovers
from scenarios.broker.tidy_report import in_words


def test_a_campaign_is_told_with_its_topics_and_sessions() -> None:
    left = Leftovers("mine", topics=["a", "b"], client_ids=["entropilot-mine-x"])
    assert in_words(left) == "mine: 2 retained messages; sessions, if kept: entropilot-mine-x"


def test_who_says_that_it_is_there_is_named() -> None:
    assert "(furnace says that it is there)" in in_words(Leftovers("mine", online=["furnace"]))
