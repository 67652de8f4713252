"""What a lab gets is compiled with its units, and fails with its rule where a field has no value."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from protocols.mapping.faults import UnmappedMessage
from tests.support.mapping.samples import FACTS, FEATURES, compiled, problems, request, require_told

SAID: list[tuple[dict[str, Any], str, str, str]] = [
    ({"request__topic": "lab/{instrment}/run"}, "request.topic", "nobody fills", "did you mean 'instrument'?"),
    ({"request__response_topic": "a/+"}, "request.response_topic", "wildcard", "{instrument}"),
    ({"request__fields": {"a": "sourceid"}}, "request.fields.a", "not there", "did you mean 'source_id'?"),
    ({"request__fields": {"a": "feature.temp"}}, "request.fields.a", "has not got it", "temperature"),
    ({"request__fields": {"a": "parameter.x"}}, "request.fields.a", "has not got it", "leave it out"),
    ({"request__fields": {"a": "x["}}, "request.fields.a", "no JMESPath", "names with dots"),
    ({"request__fields": {"a": {"value": "feature.temperature", "unit": "degC"}}}, "request.fields.a",
     "nobody says which unit it has", "from_unit"),
    ({"request__fields": {"a": {"value": "feature.temperature", "unit": "degC", "from_unit": "MPa"}}},
     "request.fields.a", "does not convert", "correct the unit"),
    ({"request__payload": "number"}, "request.fields", "one field 'value'", "json"),
    ({"request__constants": {"job": 1}}, "request.constants.job", "is a field as well", "leave one out"),
    ({"request__constants": {"job.x": 1}}, "request.fields.job", "cannot be a value and hold", "rename"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "key", "words", "action"), SAID, ids=[f"{each[1]}: {each[2]}" for each in SAID])
def test_what_is_wrong_is_told_at_its_key_with_a_way_out(
    changes: dict[str, Any], key: str, words: str, action: str
) -> None:
    require_told(changes, key, words, action)


def test_a_unit_of_a_parameter_is_that_of_its_column() -> None:
    facts = replace(FACTS, parameters={"temperature": "K"})
    field = {"value": "parameter.temperature.value", "unit": "degC"}
    mapping = compiled(facts, request__fields={"t": field})
    document = {"parameter": {"temperature": {"value": 1173.15, "unit": "K"}}}
    assert json.loads(mapping.request.write(document, {"instrument": "F1"}).payload) == {"t": pytest.approx(900.0)}


def test_features_that_are_not_known_yet_are_not_missed() -> None:
    assert problems(replace(FACTS, features=None), request__fields={"t": "feature.anything"}) == {}


def test_a_number_goes_in_the_unit_of_the_lab() -> None:
    field = {"value": "feature.temperature", "from_unit": "K", "unit": "degC"}
    (sent,) = compiled(request__fields={"t": field}).messages_for(request(), "furnace", FEATURES)
    assert json.loads(sent.payload) == {"t": pytest.approx(900.0)}


def test_constants_stand_behind_the_fields() -> None:
    (sent,) = compiled(request__constants={"program": "hold", "n": 3}).messages_for(request(), "furnace", FEATURES)
    assert sent.payload == b'{"job":"u-d1-a1","program":"hold","n":3}'


@pytest.mark.parametrize(
    ("field", "rule", "words"),
    [
        ("fidelity", "[lab.request.fields.x]", "finds nothing in our message"),
        ("abs(source_id)", "[lab.request.fields.x]", "abs"),
        ({"value": "source_id", "from_unit": "K", "unit": "degC"}, "[lab.request.fields.x]", "is no number"),
    ],
)
def test_a_request_without_a_value_for_a_field_fails_with_the_rule(field: Any, rule: str, words: str) -> None:
    mapping = compiled(request__fields={"x": field})
    with pytest.raises(UnmappedMessage) as refused:
        mapping.messages_for(request(), "furnace", FEATURES)
    assert rule in str(refused.value)
    assert words in str(refused.value)


def test_a_field_that_may_lack_is_left_out() -> None:
    mapping = compiled(request__fields={"job": "attempt_id", "how": {"value": "fidelity", "optional": True}})
    assert mapping.messages_for(request(), "furnace", FEATURES)[0].payload == b'{"job":"u-d1-a1"}'


def test_a_field_that_may_lack_has_an_empty_cell_in_a_row() -> None:
    how = {"value": "fidelity", "optional": True}
    fields = {"job": "attempt_id", "how": how, "who": "instrument"}
    mapping = compiled(request__payload="csv", request__header=False, request__fields=fields)
    assert mapping.messages_for(request(), "furnace", FEATURES)[0].payload == b"u-d1-a1,,F1\n"


def test_a_message_that_grows_too_large_fails_with_the_rule() -> None:
    mapping = compiled(request__constants={"x": "y" * 70_000})
    with pytest.raises(UnmappedMessage, match=r"\[lab.request\] the message has"):
        mapping.messages_for(request(), "furnace", FEATURES)
