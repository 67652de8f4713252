"""An answer is taken for the request that it names, or for the only one; what may be old is not."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from protocols.link.transport import Delivery
from protocols.mapping.correlation import message_id_of
from protocols.mapping.faults import UnmappedMessage
from protocols.mapping.mapping import LabMapping
from tests.support.mapping.samples import Asked, asked, compiled, heard, understood

TWO = {"furnace": "F1", "oven": "O1"}
ONLY: dict[str, Any] = {"result__correlate_by": "only", "result__id": None, "result__payload": "number"}
BY_NAME: dict[str, Any] = {"result__correlate_by": "source_id", "result__id": "sample"}


def answered(mapping: LabMapping, message: Delivery, attempts: Asked) -> str:
    told = understood(mapping, message, attempts)
    assert told is not None
    return str(getattr(told, "attempt_id", ""))


def refused(mapping: LabMapping, message: Delivery, attempts: Asked) -> str:
    with pytest.raises(UnmappedMessage) as error:
        understood(mapping, message, attempts)
    return str(error.value)


def done(payload: str, **options: Any) -> Delivery:
    return heard("lab/F1/done", payload, **options)


def test_an_id_names_an_attempt_be_it_open_or_not() -> None:
    mapping, attempts = compiled(), asked(("a1", "c1"), ("a2", "c2"))
    attempts.close("a1")
    assert answered(mapping, done('{"job": "a1", "value": 1}'), attempts) == "a1"
    assert answered(mapping, done('{"job": "a2", "value": 1}', retain=True), attempts) == "a2"


def test_an_id_may_be_a_part_of_the_topic_or_a_number() -> None:
    mapping = compiled(result__topic="lab/{instrument}/done/{attempt_id}", result__id=None)
    assert answered(mapping, heard("lab/F1/done/a1", '{"value": 1}'), asked(("a1", "c1"))) == "a1"
    assert answered(compiled(), done('{"job": 17, "value": 1}'), asked(("17", "c1"))) == "17"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ('{"job": "a9", "value": 1}', "'a9' is no attempt of this campaign"),
        ('{"value": 1}', "`job` finds nothing"),
        ('{"job": [1], "value": 1}', "which is no id"),
        ('{"job": true, "value": 1}', "which is no id"),
    ],
)
def test_an_id_that_names_no_attempt_is_refused(payload: str, words: str) -> None:
    found = refused(compiled(), done(payload), asked(("a1", "c1")))
    assert "[lab.result.id]" in found
    assert words in found


def test_nobody_answers_for_another_instrument() -> None:
    mapping = compiled(instruments=TWO)
    found = refused(mapping, heard("lab/O1/done", '{"job": "a1", "value": 1}'), asked(("a1", "c1")))
    assert "oven answers a request that furnace was sent" in found


def test_correlation_data_names_the_attempt() -> None:
    mapping = compiled(
        request__response_topic="lab/{instrument}/done", result__correlate_by="correlation_data", result__id=None
    )
    attempts = asked(("a1", "c1"))

    def told(data: str) -> Delivery:
        return done('{"value": 1}', properties={"correlation_data": data})

    assert answered(mapping, told(base64.b64encode(b"a1").decode()), attempts) == "a1"
    assert "no correlation data" in refused(mapping, done('{"value": 1}'), attempts)
    assert "none of ours" in refused(mapping, told("***"), attempts)
    assert "none of ours" in refused(mapping, told(base64.b64encode(b"\xff").decode()), attempts)
    assert "no attempt" in refused(mapping, told(base64.b64encode(b"a9").decode()), attempts)


def test_the_only_open_request_is_answered_and_none_where_it_is_not_one() -> None:
    mapping = compiled(**ONLY)
    attempts = asked(("a1", "c1"))
    assert answered(mapping, done("12.5"), attempts) == "a1"
    attempts.close("a1")
    assert "furnace has no open request" in refused(mapping, done("12.5"), attempts)
    assert "2 open requests" in refused(mapping, done("12.5"), asked(("a1", "c1"), ("a2", "c2")))


def test_what_the_broker_kept_answers_nothing_that_is_open() -> None:
    assert "kept this message" in refused(compiled(**ONLY), done("12.5", retain=True), asked(("a1", "c1")))


def test_what_comes_again_after_it_was_counted_is_not_taken_for_the_next_value() -> None:
    mapping, attempts = compiled(**ONLY), asked(("a1", "c1"), ("a2", "c2"))
    first = done("12.5")
    attempts.close("a1", message_id_of(first, "a1"))
    assert answered(mapping, done("12.5", redelivered=True), attempts) == "a1"  # once more what it was
    assert answered(mapping, done("12.5"), attempts) == "a2"  # the same number of another sample
    assert answered(mapping, done("13.5", redelivered=True), attempts) == "a2"  # it had not been counted


def test_a_candidate_is_known_by_our_id_or_by_its_tables() -> None:
    attempts = asked(("a1", "c1"), ("a2", "c2"))
    attempts.names = {"S 2": "c2"}
    ours = compiled(result__correlate_by="candidate_id", result__id="c")
    assert answered(ours, done('{"c": "c2", "value": 1}'), attempts) == "a2"
    by_topic = compiled(result__topic="lab/{candidate_id}", result__correlate_by="candidate_id", result__id=None)
    assert answered(by_topic, heard("lab/c2", '{"value": 1}'), attempts) == "a2"
    mapping = compiled(**BY_NAME)
    assert answered(mapping, done('{"sample": "S 2", "value": 1}'), attempts) == "a2"
    assert "names no candidate 'S 9'" in refused(mapping, done('{"sample": "S 9", "value": 1}'), attempts)
    assert "kept this message" in refused(mapping, done('{"sample": "S 2", "value": 1}', retain=True), attempts)


def test_a_candidate_that_was_not_asked_for_is_refused_and_a_late_answer_is_of_the_last_attempt() -> None:
    attempts = asked(("a1", "c1"), ("a2", "c1"))
    attempts.names = {"S 1": "c1", "S 2": "c2"}
    mapping = compiled(**BY_NAME)
    attempts.close("a1")
    assert answered(mapping, done('{"sample": "S 1", "value": 1}'), attempts) == "a2"
    attempts.close("a2")
    assert answered(mapping, done('{"sample": "S 1", "value": 1}'), attempts) == "a2"
    assert "furnace was not asked for the candidate c2" in refused(
        mapping, done('{"sample": "S 2", "value": 1}'), attempts
    )
    several = compiled(**BY_NAME, instruments=TWO, result__topic="lab/done", request__fields={"i": "instrument"})
    assert "nobody was asked" in refused(several, heard("lab/done", '{"sample": "S 2", "value": 1}'), attempts)
    both = asked(("a1", "c1"), ("a2", "c1"))
    both.names = {"S 1": "c1"}
    assert "the candidate c1 has 2 open requests" in refused(
        several, heard("lab/done", '{"sample": "S 1", "value": 1}'), both
    )


def test_the_id_of_a_message_is_the_same_whenever_it_is_heard() -> None:
    one, again = done("12.5"), done("12.5", retain=True, redelivered=True)
    assert message_id_of(one, "a1") == message_id_of(again, "a1")
    others = {message_id_of(one, "a1"), message_id_of(one, "a2"), message_id_of(done("12.6"), "a1"),
              message_id_of(heard("lab/F2/done", "12.5"), "a1")}  # fmt: skip
    assert len(others) == 4
