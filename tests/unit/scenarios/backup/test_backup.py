"""Tests of what a backup takes for answered: the words are those that the agent's own views write."""

from __future__ import annotations

from agent.campaign.event_descriptions import description_of
from agent.campaign.events import AttemptFailed, RequestExpired, ResultAccepted
from scenarios.backup.backup import FAILED, OBSERVED


def outcome_of(event: ResultAccepted | AttemptFailed | RequestExpired) -> str:
    closes = description_of(event).closes_attempt
    assert closes is not None
    return closes(event)


def test_an_answer_closes_its_attempt_by_the_words_that_are_looked_for() -> None:
    assert outcome_of(ResultAccepted("a", "c", "furnace", 1.0, (), 0.5)) == OBSERVED
    assert outcome_of(AttemptFailed("a", "c", "furnace", "calculation_failed", "", permanent=False)).startswith(FAILED)
    assert not outcome_of(RequestExpired("a", "c")).startswith((OBSERVED, FAILED))
