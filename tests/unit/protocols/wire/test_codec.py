"""Whatever a peer sends, the outcome is a valid message or a `MessageError` with a reason that can be counted."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from protocols.errors import MessageError
from protocols.wire.codec import CHANNEL_OF, decode, decode_payload, encode, topic_of
from protocols.wire.limits import MAX_PAYLOAD_BYTES, MAX_TEXT_LENGTH
from protocols.wire.messages import MESSAGE_TYPES, AnyMessage, Quantity
from protocols.wire.topics import ANY_SIMULATOR
from tests.support import sample_messages as messages

RESULT_TOPIC = topic_of(messages.result())


def changed(change: Callable[[dict[str, Any]], object], message: AnyMessage | None = None) -> bytes:
    """Return a valid message with one change."""
    content = json.loads(encode(message or messages.result()))
    change(content)
    return json.dumps(content).encode()


def refused(payload: bytes, topic: str | None = None) -> MessageError:
    """Return the error of a payload; its text is short, whatever was sent."""
    with pytest.raises(MessageError) as caught:
        _ = decode_payload(payload) if topic is None else decode(topic, payload)
    assert len(str(caught.value)) < 1_000
    return caught.value


@pytest.mark.parametrize("message", messages.one_of_each(), ids=lambda message: message.type)
def test_every_message_survives_the_way_to_bytes_and_back(message: AnyMessage) -> None:
    payload = encode(message)
    assert decode(topic_of(message), payload) == message
    assert encode(decode_payload(payload)) == payload


def test_the_examples_cover_every_type_and_every_type_has_a_channel() -> None:
    kinds = {model.model_fields["type"].default for model in MESSAGE_TYPES}
    assert {message.type for message in messages.one_of_each()} == kinds == set(CHANNEL_OF)


def test_bytes_are_compact_and_say_nothing_of_what_is_not_there() -> None:
    payload = encode(messages.receipt())
    assert b": " not in payload
    assert b"null" not in encode(messages.request(structure=None))


def test_a_field_that_was_left_out_has_its_default() -> None:
    payload = changed(lambda content: content.pop("detail"), messages.failure())
    assert decode_payload(payload) == messages.failure(detail="")


# --- reasons --------------------------------------------------------------------------------------------------------


def test_a_message_beyond_the_limit_is_refused_before_it_is_read() -> None:
    assert refused(b" " * (MAX_PAYLOAD_BYTES + 1)).reason == "oversize"
    padded = encode(messages.receipt()).ljust(MAX_PAYLOAD_BYTES)
    assert decode_payload(padded) == messages.receipt()
    assert refused(padded + b" ").reason == "oversize"


def test_we_do_not_send_what_nobody_would_take() -> None:
    crowd = tuple(Quantity(name=f"{number:03}", value=0.5, unit="é" * 64) for number in range(32))
    heavy = messages.result(quantities=crowd).model_copy(update={"quantities": crowd * 20})
    with pytest.raises(MessageError) as caught:
        encode(heavy)
    assert caught.value.reason == "oversize"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"not json",
        b"{",
        b"[]",
        b"5",
        b"null",
        b'"text"',
        b'{"protocol": 1,}',
        b"{} {}",
        b'{"protocol": NaN}',
        b'{"protocol": Infinity}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        '{"protocol": 1}'.encode("utf-16"),
        b"[" * 60_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" * 30_000 + b"]" * 30_000,
    ],
)
def test_what_is_no_json_object_is_refused_by_that_reason(payload: bytes) -> None:
    assert refused(payload).reason == "not_json"


def test_a_depth_bomb_inside_of_a_valid_message_is_refused() -> None:
    bomb = "[" * 5_000 + "]" * 5_000
    payload = encode(messages.failure()).decode().replace('"it ended with code 1"', bomb)
    assert refused(payload.encode()).reason == "not_json"
    flat = "[" * 150 + "]" * 150
    payload = encode(messages.failure()).decode().replace('"it ended with code 1"', flat)
    assert refused(payload.encode()).reason == "invalid"


@pytest.mark.parametrize("version", [0, 2, 1.5, -1, "1", True, False, None, [1], {"1": 1}, 10**300])
def test_another_version_is_told_apart_from_garbage(version: object) -> None:
    error = refused(changed(lambda content: content.update(protocol=version)))
    assert error.reason == "unknown_version"
    assert "1" in error.expected


def test_a_newer_message_with_fields_that_we_do_not_know_is_of_another_version_and_not_invalid() -> None:
    payload = b'{"protocol": 2, "type": "candidate_forecast", "anything": [1, 2]}'
    assert refused(payload).reason == "unknown_version"


def test_a_message_without_a_version_is_of_another_version() -> None:
    assert refused(changed(lambda content: content.pop("protocol"))).reason == "unknown_version"


@pytest.mark.parametrize("kind", ["", "candidate", "CANDIDATE_RESULT", None, 5, ["candidate_result"], "x" * 5_000])
def test_a_type_that_we_do_not_know_is_refused_by_that_reason(kind: object) -> None:
    error = refused(changed(lambda content: content.update(type=kind)))
    assert error.reason == "unknown_type"
    assert "candidate_result" in error.expected


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(extra=1),
        lambda content: content.update({"é" * 5_000: 1}),
        lambda content: content.pop("sent_at"),
        lambda content: content.update(sent_at="2026-01-02T03:04:05"),
        lambda content: content.update(sent_at=0),
        lambda content: content.update(campaign="Alloys"),
        lambda content: content.update(campaign="alloys\n"),
        lambda content: content.update(attempt_id="a" * 65),
        lambda content: content.update(attempt_id="../../etc/passwd"),
        lambda content: content.update(duration_s="0.5"),
        lambda content: content.update(duration_s=-1),
        lambda content: content.update(duration_s=True),
        lambda content: content.update(quantities=[]),
        lambda content: content.update(quantities=content["quantities"] * 20),
        lambda content: content.update(quantities={"energy": 1}),
        lambda content: content["quantities"][0].update(value="1.0"),
        lambda content: content["quantities"][0].update(value=1.01e150),
        lambda content: content["quantities"][0].update(value=None),
        lambda content: content["quantities"][0].update(standard_deviation=-1),
        lambda content: content["quantities"][0].update(name=""),
        lambda content: content["quantities"][0].update(colour="red"),
    ],
)
def test_a_field_beyond_its_contract_makes_a_message_invalid(change: Callable[[dict[str, Any]], object]) -> None:
    error = refused(changed(change))
    assert error.reason == "invalid"
    assert "candidate_result" in error.found


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"1" * 400, b"1" * 5_000])
def test_a_number_that_is_not_finite_never_passes(number: bytes) -> None:
    payload = encode(messages.result()).replace(b"-1.25", number)
    assert refused(payload).reason in {"not_json", "invalid"}


@pytest.mark.parametrize(
    "text",
    ['"attempt_id":"a-1"', '"attempt_id":"a-2"', '"protocol":2', '"type":"status"', '"\\u0061ttempt_id":"a-2"'],
)
def test_a_repeated_key_is_refused_wherever_it_stands(text: str) -> None:
    """Two readers could take different values: one checks the first, another one uses the last."""
    payload = encode(messages.result()).decode()
    assert refused(f"{{{text},{payload[1:]}".encode()).reason == "invalid"
    assert refused(f"{payload[:-1]},{text}}}".encode()).reason == "invalid"


def test_a_repeated_key_inside_of_a_list_is_found() -> None:
    payload = encode(messages.result()).replace(b'"unit":"eV/atom"', b'"unit":"eV/atom","value":9')
    assert refused(payload).reason == "invalid"


@pytest.mark.parametrize("message", messages.one_of_each(), ids=lambda message: message.type)
def test_on_its_topic_a_message_is_the_same_however_its_json_is_written(message: AnyMessage) -> None:
    topic, payload = topic_of(message), encode(message)
    assert decode(topic, json.dumps(json.loads(payload), indent=1).encode()) == message
    repeated = b'{"protocol":1,' + payload[1:]
    assert refused(repeated, topic).reason == "invalid"
    assert refused(payload + b" " * MAX_PAYLOAD_BYTES, topic).reason == "oversize"


# --- who says what where --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", messages.one_of_each(), ids=lambda message: message.type)
def test_a_message_of_another_campaign_is_foreign(message: AnyMessage) -> None:
    topic = topic_of(message).replace(f"/{messages.CAMPAIGN}/", "/elsewhere/")
    assert refused(encode(message), topic).reason == "foreign_campaign"


def test_a_message_on_a_topic_that_is_none_of_ours_is_refused_by_that_reason() -> None:
    assert refused(encode(messages.result()), "lab/result").reason == "unknown_topic"


@pytest.mark.parametrize("message", messages.one_of_each(), ids=lambda message: message.type)
def test_a_message_on_the_channel_of_another_type_is_refused(message: AnyMessage) -> None:
    others = {topic_of(other) for other in messages.one_of_each() if other.type != message.type}
    assert len(others) == len(MESSAGE_TYPES) - 1
    for topic in others:
        assert refused(encode(message), topic).reason == "wrong_topic"


@pytest.mark.parametrize(
    "message",
    [messages.result(), messages.failure(), messages.receipt(), messages.status()],
    ids=lambda message: message.type,
)
def test_a_device_cannot_speak_for_another(message: AnyMessage) -> None:
    topic = topic_of(message).replace(messages.SIMULATOR, "sim-2")
    error = refused(encode(message), topic)
    assert error.reason == "wrong_topic"
    assert messages.SIMULATOR in error.found
    assert "sim-2" in error.found


@pytest.mark.parametrize("recipient", [ANY_SIMULATOR, messages.SIMULATOR, "sim-2"])
def test_a_request_may_go_to_anyone_or_to_one(recipient: str) -> None:
    topic = topic_of(messages.request(), recipient=recipient)
    assert topic.endswith(f"/request/{recipient}")
    assert decode(topic, encode(messages.request())) == messages.request()


def test_the_longest_text_passes_and_one_more_does_not() -> None:
    longest = messages.failure(detail="é" * MAX_TEXT_LENGTH)
    assert decode_payload(encode(longest)) == longest
    payload = changed(lambda content: content.update(detail="é" * (MAX_TEXT_LENGTH + 1)), messages.failure())
    assert refused(payload).reason == "invalid"


def test_a_number_that_another_reader_refuses_is_refused_here_as_well() -> None:
    payload = encode(messages.result()).replace(b"-1.25", b"1" + b"0" * 700)
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)  # as an operator may set it for the whole process
    try:
        with pytest.raises(MessageError) as caught:
            decode_payload(payload)
    finally:
        sys.set_int_max_str_digits(before)
    assert "two readers" in caught.value.found
