"""Of twenty thousand spoilt messages none changes anything that it should not, and none raises."""

from __future__ import annotations

from typing import Any

import pytest

from agent.campaign.decide import Consequence, decide_message
from agent.campaign.ledger import Ledger
from protocols.wire import codec
from protocols.wire.messages import AnyMessage
from tests.property import fuzz
from tests.property.mutations import MUTATIONS


def test_spoilt_messages_change_nothing_and_raise_nothing() -> None:
    tally = fuzz.fuzz(20_000, seed=1)
    assert tally.violations == []
    assert tally.messages == 20_000
    refused = sum(count for disposition, count in tally.outcomes.items() if disposition.startswith("quarantined"))
    assert refused > 8_000
    assert {
        disposition.removeprefix("quarantined: ")
        for disposition in tally.outcomes
        if disposition.startswith("quarantined")
    } == fuzz.REASONS
    assert tally.outcomes["candidate_result: accepted"] > 100  # the campaign lives, and good messages are taken
    assert set(tally.taken_after) == set(MUTATIONS)


def _decide_of_any_campaign(ledger: Ledger, message: AnyMessage, **heard: Any) -> Consequence:
    """Take a message of another campaign for one of ours."""
    ours = message.model_copy(update={"campaign": ledger.campaign.plan.campaign})
    return decide_message(ledger.campaign, ours, **heard)


@pytest.mark.parametrize(
    ("place", "name", "fault"),
    [
        (codec, "_has_repeated_keys", lambda _payload: False),
        (codec, "_check_belongs", lambda _message, _topic: None),
        (Ledger, "decide", _decide_of_any_campaign),
    ],
)
def test_a_planted_leniency_is_found(monkeypatch: pytest.MonkeyPatch, place: object, name: str, fault: object) -> None:
    monkeypatch.setattr(place, name, fault)
    tally = fuzz.Tally()
    fuzz.fuzz_agent(6_000, 1, tally)
    assert tally.violations
