"""What a lab says is compiled with all that can be known of it before it says anything."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.mapping.samples import require_told

SAID: list[tuple[dict[str, Any], str, str, str]] = [
    ({"result__topic": "lab/{instrument}{attempt_id}"}, "result.topic", "cannot be parsed back", "put a /"),
    ({"result__id": None}, "result.id", "nobody says where", "{attempt_id}"),
    ({"result__id": None, "result__correlate_by": "source_id"}, "result.id", "nobody says where", "in the payload"),
    ({"result__correlate_by": "only"}, "result.id", "looks at no id", "leave id out"),
    ({"result__correlate_by": "correlation_data", "result__id": None}, "result.correlate_by",
     "no request carries correlation data", "response_topic"),
    ({"result__correlate_by": "correlation_data", "result__id": None, "request__response_topic": "lab/else"},
     "result.topic", "is listened to", "the same topic"),
    ({"result__correlate_by": "correlation_data", "result__id": None, "request__response_topic": "lab/+"},
     "request.response_topic", "wildcard", "name what varies"),
    ({"result__quantities": {"strenght": "value"}}, "result.quantities", "wants 'strength'", "'strenght'"),
    ({"scalars": {"strength": {"topic": "pv/{instrument}"}}}, "scalars.strength", "the result itself", "leave one out"),
    ({"scalars": {"t": {"topic": "pv/+"}}}, "scalars.t.topic", "wildcard", "name what varies"),
    ({"scalars": {"t": {"topic": "pv/x", "value": "t"}}}, "scalars.t.value", "looks for 't'", "value"),
    ({"scalars": {"t": {"topic": "pv/x", "unit": "K", "value": "a b"}}}, "scalars.t.value", "no JMESPath", ""),
    ({"instruments": {"a": "A", "b": "B"}, "scalars": {"t": {"topic": "pv/x"}}}, "scalars.t.topic", "cannot be told",
     "{instrument}"),
    ({"result__quantities": {"other": "value"}}, "result.quantities", "wants 'strength'", "add lab.result.quantities"),
    ({"result__quantities": {"strength": {"value": "value", "unit": "K"}}}, "result.quantities.strength.unit",
     "does not convert", "correct the unit"),
    ({"result__quantities": {"strength": "value."}}, "result.quantities.strength.value", "no JMESPath", ""),
    ({"result__payload": "number", "result__id": None, "result__correlate_by": "only",
      "result__quantities": {"strength": "strength"}}, "result.quantities.strength.value", "not there", "value"),
    ({"result__payload": "csv", "result__columns": ["job", "mpa"]}, "result.quantities.strength.value",
     "looks for 'value'", "use one of job, mpa"),
    ({"result__columns": ["a"]}, "result.columns", "has no columns", "leave"),
    ({"result__example": '{"job": "x", "Value": 3}'}, "result.quantities.strength.value",
     "finds nothing in the example", "did you mean 'Value'?"),
    ({"result__example": '{"job": {"a": 1}}', "result__id": "job.b"}, "result.id", "in the example", "has job"),
    ({"result__example": "[1]"}, "result.id", "in the example", "correct one of them"),
    ({"result__example": '{"job": "x", "value": "1 MPa"}'}, "result.quantities.strength.value", "is no number", ""),
    ({"result__example": "{"}, "result.example", "not JSON", "as the lab sends it"),
    ({"result__echoes": {"s": "campain"}}, "result.echoes.s", "not there", "did you mean 'campaign'?"),
    ({"result__echoes": {"s..": "campaign"}}, "result.echoes.s..", "no JMESPath", ""),
    ({"result__provenance": {"by": "a b"}}, "result.provenance.by", "no JMESPath", ""),
    ({"failure": {"topic": "lab/x", "id": "job", "reasons": {"a": "unsupported"}}}, "failure.reasons",
     "nobody says where", "lab.failure.code"),
    ({"failure": {"topic": "lab/#", "id": "job"}}, "failure.topic", "wildcard", ""),
    ({"status": {"topic": "lab/s", "online": ["1"], "offline": ["1"]}}, "status.offline", "as well", "leave it out"),
    ({"status": {"topic": "lab/#"}}, "status.topic", "wildcard", ""),
    ({"instruments": {"a": "A", "b": "B"}, "status": {"topic": "lab/s"}}, "status.topic", "cannot be told", "part"),
    ({"instruments": {"a": "A", "b": "B"}, "result__topic": "lab/done", "result__id": None,
      "result__correlate_by": "only", "request__fields": {"i": "instrument"}}, "result.topic", "cannot be told", ""),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "key", "words", "action"), SAID, ids=[f"{each[1]}: {each[2]}" for each in SAID])
def test_what_is_wrong_is_told_at_its_key_with_a_way_out(
    changes: dict[str, Any], key: str, words: str, action: str
) -> None:
    require_told(changes, key, words, action)
