"""Tests of the settings of alerts."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from scenarios.observe.alerts.settings import AlertFile, AlertSettings, Destination


def test_by_default_a_pause_a_lost_agent_and_a_damaged_run_are_told_to_nobody_but_the_log() -> None:
    settings = AlertFile.model_validate({"alerts": {}}).alerts
    assert (settings.on.paused_itself, settings.on.agent_gone_s, settings.on.unreadable) == (True, 60.0, True)
    assert (settings.on.finished, settings.on.instrument_silent_s, settings.to) == (False, None, ())


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "a command or a webhook"),
        ({"command": ["a"], "webhook": "https://a"}, "a command or a webhook"),
        ({"webhook": "ftp://a"}, "no address"),
        ({"command": ["a"], "token_file": "t"}, "goes with a webhook"),
        ({"command": ["a"], "on": ["nothing"]}, "the kinds are"),
    ],
)
def test_a_destination_that_leads_nowhere_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Destination(name="mail", **given)


def test_two_destinations_have_two_names() -> None:
    with pytest.raises(ValidationError, match="one name"):
        AlertSettings(to=(Destination(name="a", command=("x",)), Destination(name="a", command=("y",))))


def test_an_address_is_not_shown_for_it_may_hold_a_secret() -> None:
    assert "secret" not in repr(Destination.model_validate({"name": "chat", "webhook": "https://a/secret"}))
