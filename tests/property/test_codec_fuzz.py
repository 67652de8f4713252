"""Whatever arrives, the codec returns a valid message or raises `MessageError`, and nothing else ever."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from protocols.errors import MessageError
from protocols.link.memory.broker import matches
from protocols.wire.codec import decode, decode_payload, encode, topic_of
from protocols.wire.limits import MAX_ABS_VALUE
from protocols.wire.messages import ID_PATTERN, AnyMessage, CandidateResult, Message, Quantity
from protocols.wire.topics import PREFIX, WITHOUT_CLIENT, Channel, Topic, parse
from tests.support import sample_messages as messages

REASONS: Final = {
    "oversize", "not_json", "unknown_type", "unknown_version", "invalid", "unknown_topic", "foreign_campaign",
    "wrong_topic",
}  # fmt: skip
"""The closed vocabulary that faults are counted by."""

PAYLOADS: Final = tuple(encode(message) for message in messages.one_of_each())
TOPICS: Final = tuple(topic_of(message) for message in messages.one_of_each())

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
identifiers = st.from_regex(ID_PATTERN, fullmatch=True).filter(lambda name: not name.endswith("\n"))


def outcome(topic: str, payload: bytes) -> AnyMessage | str:
    """Return the message, or the reason why there is none; anything else fails the test."""
    try:
        message = decode(topic, payload)
    except MessageError as error:
        return checked_reason(error)
    assert isinstance(message, Message)
    return message


def checked_reason(error: MessageError) -> str:
    """Return the reason of an error that can be counted, logged and stored."""
    assert error.reason in REASONS
    assert len(str(error).encode()) < 2_000
    return error.reason


@given(st.sampled_from(TOPICS) | st.text(max_size=80), st.binary(max_size=300))
def test_arbitrary_bytes_are_never_taken_for_a_message(topic: str, payload: bytes) -> None:
    assert isinstance(outcome(topic, payload), str)


@given(json_values, st.sampled_from(TOPICS))
def test_arbitrary_json_is_never_taken_for_a_message(content: object, topic: str) -> None:
    assert isinstance(outcome(topic, json.dumps(content).encode()), str)


@settings(max_examples=500)
@given(st.sampled_from(range(len(PAYLOADS))), st.data())
def test_bytes_changed_anywhere_in_a_valid_message_give_a_valid_message_or_a_reason(
    which: int, data: st.DataObject
) -> None:
    payload = bytearray(PAYLOADS[which])
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(payload)))
        length = data.draw(st.integers(0, 8))
        payload[begin : begin + length] = data.draw(st.binary(max_size=8))
    message = outcome(TOPICS[which], bytes(payload))
    if not isinstance(message, str):
        assert decode(topic_of(message), encode(message)) == message


@settings(max_examples=500)
@given(st.sampled_from(range(len(PAYLOADS))), st.data())
def test_a_field_of_another_kind_anywhere_gives_a_valid_message_or_a_reason(which: int, data: st.DataObject) -> None:
    content = json.loads(PAYLOADS[which])
    place: Any = content
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        deeper = isinstance(place[key], dict | list) and place[key]
        if not deeper or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(json_values)
    message = outcome(TOPICS[which], json.dumps(content).encode())
    if not isinstance(message, str):
        again = decode(topic_of(message), encode(message))
        assert again == message


@given(st.text() | st.lists(st.text(max_size=6), max_size=5).map("/".join).map(lambda rest: f"{PREFIX}/{rest}"))
def test_a_topic_is_parsed_to_what_spells_it_again_or_refused(topic: str) -> None:
    try:
        parsed = parse(topic)
    except MessageError as error:
        found = checked_reason(error)
    else:
        found = str(parsed)
    assert found in {topic, "unknown_topic"}


@given(identifiers, st.sampled_from(Channel), identifiers)
def test_every_topic_of_ours_is_parsed_back(campaign: str, channel: Channel, client: str) -> None:
    topic = Topic(campaign, channel, None if channel in WITHOUT_CLIENT else client)
    assert parse(str(topic)) == topic


@given(
    identifiers,
    identifiers,
    st.lists(
        st.builds(
            Quantity,
            name=st.text(min_size=1, max_size=64),
            value=st.floats(-MAX_ABS_VALUE, MAX_ABS_VALUE),
            unit=st.text(max_size=64),
            standard_deviation=st.none() | st.floats(0, MAX_ABS_VALUE),
        ),
        min_size=1,
        max_size=32,
    ),
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_every_result_arrives_as_it_was_sent(
    attempt: str, simulator: str, quantities: list[Quantity], sent_at: datetime
) -> None:
    message = CandidateResult(
        campaign="c",
        message_id="m",
        sent_at=sent_at,
        attempt_id=attempt,
        candidate_id="x",
        simulator=simulator,
        quantities=tuple(quantities),
        duration_s=0.1,
    )
    assert decode(topic_of(message), encode(message)) == message
    assert decode_payload(encode(message)) == message


levels = st.lists(st.sampled_from(["a", "b", "", "$s"]), min_size=1, max_size=4)


@given(
    levels.map("/".join),
    st.lists(st.sampled_from(["a", "b", "+", ""]), min_size=1, max_size=4),
    st.booleans(),
)
def test_the_bus_of_the_tests_matches_filters_as_an_mqtt_library_does(
    topic: str, wanted: list[str], rest: bool
) -> None:
    topic_filter = "/".join([*wanted, "#"] if rest else wanted)
    assert matches(topic_filter, topic) is topic_matches_sub(topic_filter, topic)
