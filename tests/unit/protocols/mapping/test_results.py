"""A result is in the campaign's units and says where it is from; what does not fit is refused by its rule."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from protocols.mapping.faults import UnmappedMessage
from protocols.wire.messages import CandidateResult
from tests.support.mapping.samples import asked, compiled, heard, understood

FULL: dict[str, Any] = {
    "result__quantities": {
        "strength": {
            "value": "data.s", "unit": "kPa", "unit_field": "data.unit", "standard_deviation": "data.error",
        },
        "temperature": {"value": "data.t", "unit": "K"},
    },
    "result__duration_s": "seconds",
    "result__provenance": {"by": "by", "steps": "steps", "lacking": "lacking", "how": "how"},
}  # fmt: skip


PAYLOAD = (
    '{"job": "a1", "data": {"s": 412000, "unit": "kPa", "error": 1500, "t": 300.5}, "seconds": 60, "by": "Ada",'
    ' "steps": 4, "how": {"x": true}}'
)


def result(payload: str, elapsed_s: float | None = None, **changes: Any) -> CandidateResult:
    told = understood(compiled(**changes), heard("lab/F1/done", payload), asked(("a1", "c1")), elapsed_s)
    assert isinstance(told, CandidateResult)
    return told


def refused(payload: str | bytes, topic: str = "lab/F1/done", **changes: Any) -> str:
    with pytest.raises(UnmappedMessage) as error:
        understood(compiled(**changes), heard(topic, payload), asked(("a1", "c1")))
    return str(error.value)


def test_a_result_has_its_values_in_the_campaigns_units_and_says_where_it_is_from() -> None:
    told = result(PAYLOAD, **FULL)
    strength, temperature = told.quantities
    assert (strength.value, strength.unit, strength.standard_deviation) == (
        pytest.approx(412.0),
        "MPa",
        pytest.approx(1.5),
    )
    assert (temperature.value, temperature.unit, temperature.standard_deviation) == (300.5, "K", None)
    assert told.duration_s == 60.0
    assert told.provenance == {
        "by": "Ada", "steps": 4.0, "how": '{"x": true}', "lab_topic": "lab/F1/done",
        "lab_sha256": hashlib.sha256(PAYLOAD.encode()).hexdigest(),
    }  # fmt: skip


def test_how_long_it_took_is_the_labs_word_or_the_time_since_the_request() -> None:
    assert result('{"job": "a1", "value": 1}', 12.5).duration_s == 12.5
    assert result('{"job": "a1", "value": 1}', 12.5, result__duration_s="seconds").duration_s == 12.5
    assert result('{"job": "a1", "value": 1}').duration_s == 0.0
    assert result('{"job": "a1", "value": 1}', 1e9).duration_s == 30 * 86_400.0


def test_an_uncertainty_that_is_not_told_is_none() -> None:
    strength = {"value": "value", "standard_deviation": "error"}
    assert (
        result('{"job": "a1", "value": 1}', result__quantities={"strength": strength}).quantities[0].standard_deviation
        is None
    )


@pytest.mark.parametrize(
    ("payload", "rule", "words"),
    [
        ("garbage", "[lab.result.payload]", "not JSON"),
        ('{"job": "a1"}', "[lab.result.quantities.strength]", "`value` finds nothing"),
        ('{"job": "a1", "value": "hot"}', "[lab.result.quantities.strength]", "`value`: 'hot' is no number"),
        ('{"job": "a1", "value": 1e200}', "[lab.result.quantities.strength]", "less than or equal"),
    ],
)
def test_a_message_that_does_not_fit_is_refused_by_its_rule(payload: str, rule: str, words: str) -> None:
    found = refused(payload)
    assert rule in found
    assert words in found


def test_another_unit_than_the_agreed_one_is_refused() -> None:
    found = refused(PAYLOAD.replace("kPa", "psi"), **FULL)
    assert "[lab.result.quantities.strength.unit_field] the message gives it in 'psi'. Expected: kPa." in found


def test_what_breaks_the_contract_of_a_result_is_refused() -> None:
    assert "[lab.result] duration_s" in refused('{"job": "a1", "value": 1, "s": -1}', result__duration_s="s")
    strength = {"value": "value", "standard_deviation": "e"}
    found = refused('{"job": "a1", "value": 1, "e": -1}', result__quantities={"strength": strength})
    assert "[lab.result.quantities.strength.standard_deviation] standard_deviation" in found


def test_an_expression_that_cannot_be_applied_is_refused() -> None:
    assert "[lab.result.id] `abs(job)`" in refused('{"job": "a1", "value": 1}', result__id="abs(job)")


def test_what_is_echoed_must_be_echoed_rightly() -> None:
    echoes: dict[str, Any] = {"result__echoes": {"session": "campaign"}}
    assert result('{"job": "a1", "value": 1, "session": "demo"}', **echoes).attempt_id == "a1"
    assert "[lab.result.echoes.session]" in refused('{"job": "a1", "value": 1, "session": "other"}', **echoes)
    assert "[lab.result.echoes.session]" in refused('{"job": "a1", "value": 1}', **echoes)


def test_an_instrument_that_nobody_knows_is_refused() -> None:
    found = refused('{"job": "a1", "value": 1, "at": "F9"}', result__instrument="at")
    assert "[lab.result.instrument] 'F9' is no instrument of lab.instruments" in found
    assert result('{"job": "a1", "value": 1, "at": "F1"}', result__instrument="at").simulator == "furnace"
