"""What a trial found is shown line by line, and as JSON for programs."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import RenderableType

from scenarios.display.console import PlainConsole
from scenarios.lab.report import heard_json, heard_table, sent_json, sent_table
from scenarios.lab.source import load_mapping
from scenarios.lab.trial import HeardTrial, try_message, try_request

DONE = b'{"job": "a1", "data": {"strength": 412000, "error": 1500}, "by": "Ada"}'


def text_of(content: RenderableType) -> str:
    console = PlainConsole(file=io.StringIO(), width=200)
    console.print(content)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("mapping", "topic", "payload", "lines"),
    [
        ("plain_json", "lab/furnace-1/done", DONE, ["[lab.result]", "412000 ± 1500 kPa", "remark operator", "assumed"]),
        ("plain_json", "lab/furnace-1/failed", b'{"job": "a1", "error": "x"}', ["[lab.failure]", "calculation_failed"]),
        ("plain_json", "lab/furnace-1/presence", b"online", ["[lab.status]", "is", "online"]),
        ("plc", "plc/Press_01/ALARM", b"0", ["passed over"]),
        ("plc", "plc/Press_01/PV/density", b"7.81", ["7.81 g/cm^3"]),
        ("plc", "plc/Press_01/PV/temperature", b"900", ["[lab.scalars.temperature_reached]", "900 degC", "assumed"]),
    ],
)
def test_a_message_is_shown_as_it_would_be_understood(
    mapping: str, topic: str, payload: bytes, lines: list[str]
) -> None:
    shown = text_of(heard_table(try_message(load_mapping(mapping), topic, payload)))
    assert all(each in shown for each in lines), shown


def test_a_message_is_told_as_json() -> None:
    told = json.loads(heard_json(try_message(load_mapping("plain_json"), "lab/furnace-1/done", DONE)))
    assert (told["rule"], told["message"]["attempt_id"]) == ("lab.result", "a1")
    alone = heard_json(try_message(load_mapping("plc"), "plc/Press_01/PV/temperature", b"900"))
    assert json.loads(alone)["quantity"] == {"name": "temperature_reached", "value": 900.0, "unit": "degC"}
    assert json.loads(heard_json(HeardTrial("", None, ""))) == {"rule": None, "message": None}


def test_what_would_be_sent_is_shown_and_told() -> None:
    request = try_request(load_mapping("home_assistant"), None, None)
    shown = text_of(sent_table(*request))
    assert all(each in shown for each in ("home/oven_1/set", "answer to", "home/oven_1/state", "correlation data"))
    (sent,) = json.loads(sent_json(*request))["sent"]
    assert (sent["topic"], sent["response_topic"]) == ("home/oven_1/set", "home/oven_1/state")
    retained = text_of(sent_table(*try_request(load_mapping("phone"), None, None)))
    assert "1, retained" in retained
    assert "answer to" not in retained
    (plain,) = json.loads(sent_json(*try_request(load_mapping("phone"), None, None)))["sent"]
    assert plain["retain"] is True
