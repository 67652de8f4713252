"""Whose an answer is that cannot be read shows in its topic and its text, as far as they agree."""

from __future__ import annotations

import pytest

from protocols.wire.attribution import Attribution, OrderAttribution, attributed, message_id_of, ordered_by
from protocols.wire.codec import encode, topic_of
from protocols.wire.limits import MAX_PAYLOAD_BYTES
from tests.support import sample_messages as messages

RESULT = messages.result("a-7", message_id="m-7")
TOPIC, PAYLOAD = topic_of(RESULT), encode(RESULT)
WHOSE = Attribution(messages.CAMPAIGN, messages.SIMULATOR, "a-7", "m-7")


@pytest.mark.parametrize(
    "payload",
    [
        PAYLOAD,
        PAYLOAD[:-30],
        PAYLOAD + b"garbage",
        PAYLOAD.replace(b'":"', b'"  :  "'),
        b"\xff" + PAYLOAD,
        PAYLOAD + b" " * MAX_PAYLOAD_BYTES,
        PAYLOAD + PAYLOAD,
    ],
)
def test_an_answer_is_attributed_whatever_else_is_wrong_with_it(payload: bytes) -> None:
    assert attributed(TOPIC, payload) == WHOSE


def test_a_failure_is_attributed_too() -> None:
    failure = messages.failure("a-7", message_id="m-7")
    assert attributed(topic_of(failure), encode(failure)) == WHOSE


def test_an_answer_without_an_id_of_its_own_is_its_attempt_s_alone() -> None:
    whose = attributed(TOPIC, PAYLOAD.replace(b'"message_id"', b'"id"'))
    assert whose == Attribution(messages.CAMPAIGN, messages.SIMULATOR, "a-7", None)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00\xff",
        b"[" * 5_000,
        PAYLOAD.replace(b'"a-7"', b'"A-7"'),
        PAYLOAD.replace(b'"a-7"', b"7"),
        PAYLOAD[:-1] + b',"attempt_id":"a-8"}',
        b" " * MAX_PAYLOAD_BYTES + PAYLOAD,
        b'"attempt_id"' * 5_000,
    ],
)
def test_what_names_no_attempt_or_two_is_nobody_s(payload: bytes) -> None:
    assert attributed(TOPIC, payload) is None


@pytest.mark.parametrize("topic", ["a/b", TOPIC + "/x", TOPIC.replace("result", "status"), "entropilot/v1/c/control"])
def test_what_is_said_elsewhere_is_no_answer(topic: str) -> None:
    assert attributed(topic, PAYLOAD) is None


def test_a_message_that_names_two_ids_has_none() -> None:
    assert message_id_of(PAYLOAD) == "m-7"
    assert message_id_of(PAYLOAD[:-1] + b',"message_id":"m-8"}') is None


def test_an_order_that_cannot_be_read_is_its_operators_by_topic_and_id() -> None:
    topic = f"entropilot/v1/{messages.CAMPAIGN}/control/ada"
    assert ordered_by(topic, b'{"message_id": "m-9", "action": "fly') == OrderAttribution(
        messages.CAMPAIGN, "ada", "m-9"
    )
    assert ordered_by(topic, b"{}") is None
    assert ordered_by(topic.removesuffix("/ada"), b'{"message_id": "m-9"}') is None, "nobody is named who could hear it"
    assert ordered_by(TOPIC, PAYLOAD) is None
    assert ordered_by("elsewhere", b'{"message_id": "m-9"}') is None
