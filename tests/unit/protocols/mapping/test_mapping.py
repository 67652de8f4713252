"""A `[lab]` section is compiled whole, or refused with everything that is wrong, each with its key and a way out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from protocols.mapping.faults import MappingError, UnmappedMessage
from protocols.mapping.mapping import compile_mapping
from protocols.mapping.settings import LabSettings
from protocols.wire.messages import CandidateFailure, CandidateResult, Health, ReceiptStatus, ResultReceipt, Status
from tests.support.mapping.samples import (
    FACTS,
    FEATURES,
    NOW,
    asked,
    changed,
    compiled,
    heard,
    request,
    require_told,
    understood,
)


def receipt(attempt_id: str = "u-d1-a1") -> ResultReceipt:
    return ResultReceipt(
        campaign="demo", message_id="r1", sent_at=NOW, attempt_id=attempt_id, simulator="furnace",
        status=ReceiptStatus.ACCEPTED,
    )  # fmt: skip


def test_a_plain_section_sends_a_request_and_understands_its_answer() -> None:
    mapping = compiled()
    (sent,) = mapping.messages_for(request(), "furnace", FEATURES)
    assert (sent.topic, json.loads(sent.payload), sent.qos, sent.retain) == ("lab/F1/run", {"job": "u-d1-a1"}, 1, False)
    told = understood(mapping, heard("lab/F1/done", '{"job": "u-d1-a1", "value": 300}'), asked(("u-d1-a1", "c1")))
    assert isinstance(told, CandidateResult)
    assert (told.attempt_id, told.candidate_id, told.simulator) == ("u-d1-a1", "c1", "furnace")
    assert [(each.name, each.value, each.unit) for each in told.quantities] == [("strength", 300.0, "MPa")]
    assert mapping.instruments == ("furnace",)
    assert mapping.subscriptions == ("lab/+/done",)
    assert not mapping.tells_presence


def test_setpoints_go_before_the_request_and_the_answer_is_wanted_where_it_says() -> None:
    mapping = compiled(
        setpoints={"t": {"topic": "sp/{instrument}/t", "payload": "number", "retain": True, "qos": 0,
                         "fields": {"value": "feature.temperature"}}},
        request__response_topic="lab/{instrument}/done",
        result__correlate_by="correlation_data",
        result__id=None,
    )  # fmt: skip
    point, sent = mapping.messages_for(request(), "furnace", FEATURES)
    assert (point.topic, point.payload, point.qos, point.retain) == ("sp/F1/t", b"1173.15", 0, True)
    assert (sent.response_topic, sent.correlation_data) == ("lab/F1/done", b"u-d1-a1")


def test_the_kinds_on_one_topic_are_told_apart_by_when() -> None:
    mapping = compiled(
        failure={"topic": "lab/{instrument}/done", "when": "error", "id": "job", "detail": "error"},
        status={"topic": "lab/{instrument}/here"},
    )
    attempts = asked(("u-d1-a1", "c1"))
    failed = understood(mapping, heard("lab/F1/done", '{"job": "u-d1-a1", "error": "door"}'), attempts)
    assert isinstance(failed, CandidateFailure)
    there = understood(mapping, heard("lab/F1/here", "offline"), attempts)
    assert isinstance(there, Status)
    assert (there.health, there.client) == (Health.OFFLINE, "furnace")
    assert isinstance(understood(mapping, heard("lab/F1/done", '{"job": "u-d1-a1", "value": 1}'), attempts),
                      CandidateResult)  # fmt: skip


def test_a_message_for_which_when_finds_nothing_is_passed_over() -> None:
    mapping = compiled(result__when="kind == 'final'")
    attempts = asked(("u-d1-a1", "c1"))
    assert understood(mapping, heard("lab/F1/done", '{"kind": "progress"}'), attempts) is None
    with pytest.raises(UnmappedMessage, match=r"\[lab.result.payload\]"):  # nobody can tell what it is
        understood(mapping, heard("lab/F1/done", "garbage"), attempts)


def test_a_receipt_goes_where_the_lab_wants_it_or_nowhere() -> None:
    assert compiled().message_for_receipt(receipt(), "c1") is None
    wanted = {"topic": "lab/{instrument}/{candidate_id}/ok", "fields": {"s": "status", "r": "row"}}
    mapping = compiled(receipt=wanted)
    sent = mapping.message_for_receipt(receipt(), "c1")
    assert sent is not None
    assert (sent.topic, json.loads(sent.payload)) == ("lab/F1/c1/ok", {"s": "accepted"})  # no row is told: left out
    assert mapping.message_for_receipt(receipt(), None) is None


def test_who_sent_what_does_not_fit_is_told_where_that_is_possible() -> None:
    fault = UnmappedMessage(("result", "payload"), "the payload is not JSON")
    told = {"topic": "lab/{instrument}/answer", "fields": {"s": "status", "why": "detail", "job": "attempt_id"}}
    mapping = compiled(receipt=told)
    message = heard("lab/F1/done", "garbage")
    sent = mapping.refusal(message, fault)
    assert sent is not None
    assert sent.topic == "lab/F1/answer"
    assert json.loads(sent.payload) == {"s": "refused", "why": "[lab.result.payload] the payload is not JSON."}
    assert compiled().refusal(message, fault) is None
    assert compiled(receipt=told | {"topic": "lab/{attempt_id}/answer"}).refusal(message, fault) is None
    assert mapping.refusal(heard("elsewhere", ""), fault) is None


def test_the_sender_is_known_by_topic_or_payload_or_because_there_is_one() -> None:
    two = {"furnace": "F1", "oven": "O1"}
    by_topic = compiled(instruments=two)
    assert by_topic.sender_of(heard("lab/O1/done", "{}")) == "oven"
    by_payload = compiled(
        instruments=two, result__topic="lab/done", result__instrument="by", request__fields={"at": "instrument"}
    )
    assert by_payload.sender_of(heard("lab/done", '{"by": "O1"}')) == "oven"
    assert by_payload.sender_of(heard("lab/done", '{"by": "X"}')) is None
    by_nothing = compiled(instruments=two, result__topic="lab/done", request__fields={"at": "instrument"})
    assert by_nothing.sender_of(heard("lab/done", "{}")) is None
    assert compiled(result__topic="lab/done").sender_of(heard("lab/done", "{}")) == "furnace"


def test_a_property_on_a_topic_of_its_own_satisfies_the_campaign() -> None:
    facts = replace(FACTS, units={"strength": "MPa", "t": "K"})
    mapping = compiled(facts, scalars={"t": {"topic": "pv/{instrument}/t", "unit": "degC", "when": "value > `0`"}})
    assert mapping.subscriptions == ("lab/+/done", "pv/+/t")
    assert mapping.is_of_lab("pv/F1/t")
    told = mapping.scalar(heard("pv/F1/t", "900"))
    assert told is not None
    assert (told[0], told[1].value, told[1].unit) == ("furnace", pytest.approx(1173.15), "K")
    assert mapping.scalar(heard("pv/F1/t", "-1")) is None
    assert mapping.scalar(heard("lab/F1/done", "{}")) is None
    assert mapping.sender_of(heard("pv/F1/t", "900")) == "furnace"


def test_parts_of_the_labs_own_are_filled_once_and_for_all() -> None:
    mapping = compiled(parts={"site": "dresden"}, request__topic="{site}/{campaign}/{instrument}/run")
    (sent,) = mapping.messages_for(request(), "furnace", FEATURES)
    assert sent.topic == "dresden/demo/F1/run"


SAID: list[tuple[dict[str, Any], str, str, str]] = [
    ({"instruments": {"a": "F1", "b": "F1"}}, "instruments.b", "the name of a as well", "its own"),
    ({"instruments": {"a": "F/1"}}, "instruments.a", "no one level", "leave out"),
    ({"parts": {"campaign": "x"}}, "parts.campaign", "filled by us", "another name"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "key", "words", "action"), SAID, ids=[f"{each[1]}: {each[2]}" for each in SAID])
def test_what_is_wrong_is_told_at_its_key_with_a_way_out(
    changes: dict[str, Any], key: str, words: str, action: str
) -> None:
    require_told(changes, key, words, action)


def test_all_that_is_wrong_is_told_at_once_in_one_error() -> None:
    broken = changed(request__topic="lab/+", result__id=None)
    with pytest.raises(MappingError) as refused:
        compile_mapping(LabSettings.model_validate(broken), FACTS)
    assert "2 settings are wrong" in str(refused.value)
    assert "lab.request.topic" in str(refused.value)
    assert "lab.result.id" in str(refused.value)
