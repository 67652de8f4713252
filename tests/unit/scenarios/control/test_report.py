"""What became of each order is told, and a command ends with what a script needs to know."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from protocols.errors import NoAnswer, OrderRefused
from protocols.link.broker_settings import BrokerSettings
from protocols.signing.transport import UNSIGNED
from protocols.wire.messages import Control, ControlAction
from scenarios.control.control import Outcome
from scenarios.control.place import Place
from scenarios.control.report import outcome_json, outcome_table, require_carried_out
from scenarios.control.sender import Answer, Fate
from tests.support.campaigns import NOW


def outcome(*fates: Fate) -> Outcome:
    place = Place("lab", "ann", BrokerSettings(url="mqtt://here:1"), UNSIGNED)
    answers = tuple(
        Answer(
            Control(campaign="lab", message_id=f"m{place}", sent_at=NOW, action=ControlAction.PAUSE, operator="ann"),
            f"part {place}",
            fate,
            "because" if fate is not Fate.ACCEPTED else "",
            7 if fate is Fate.ACCEPTED else None,
        )
        for place, fate in enumerate(fates)
    )
    return Outcome(place, "once", answers)


def test_each_order_has_a_line_with_the_journals_number() -> None:
    console = Console(width=120, record=True)
    console.print(outcome_table(outcome(Fate.ACCEPTED, Fate.REFUSED)))
    told = console.export_text().splitlines()
    assert told[0].split() == ["accepted", "pause", "part", "0", "row", "7"]
    assert told[1].split() == ["refused", "pause", "part", "1", "because"]
    assert "ann to lab, message id once" in told[2]


def test_the_json_says_the_same() -> None:
    told = json.loads(outcome_json(outcome(Fate.NO_ANSWER)))
    assert (told["message_id"], told["signed"], told["operator"]) == ("once", False, "ann")
    assert told["orders"][0] | {"digest": 0} == {
        "action": "pause", "about": "part 0", "message_id": "m0", "status": "no_answer", "detail": "because",
        "row": None, "digest": 0,
    }  # fmt: skip


def test_a_command_ends_well_if_everything_is_carried_out() -> None:
    require_carried_out(outcome(Fate.ACCEPTED, Fate.DUPLICATE))


def test_a_refusal_and_a_silence_have_codes_of_their_own_and_say_what_to_do() -> None:
    with pytest.raises(OrderRefused, match=r"part 1: because \(and 1 more\).*another message id"):
        require_carried_out(outcome(Fate.ACCEPTED, Fate.REFUSED, Fate.REFUSED))
    with pytest.raises(NoAnswer, match=r"has no answer: because.*--message-id once"):
        require_carried_out(outcome(Fate.REFUSED, Fate.NO_ANSWER, Fate.NOT_SENT))
    with pytest.raises(NoAnswer, match="reached no agent of lab"):
        require_carried_out(outcome(Fate.NOT_SENT))
    assert (OrderRefused.exit_code, NoAnswer.exit_code) == (9, 10)
