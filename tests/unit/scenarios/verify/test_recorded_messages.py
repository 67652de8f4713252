"""Messages of a recording are collected by what they are, whoever sent them."""

from __future__ import annotations

from dataclasses import replace

from protocols.recording.lines import HEARD, IN, OUT, MessageRow, StartRow
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import AnyMessage
from scenarios.verify.recorded_messages import RecordedMessages, heard_of, rest_of
from tests.support import sample_messages as messages


def row(number: int, direction: str, message: AnyMessage) -> MessageRow:
    topic = topic_of(message, recipient=messages.SIMULATOR)
    return MessageRow(number, 0.0, direction, topic, encode(message), retain=False)


def test_requests_answers_and_the_first_row_of_an_answer_are_known_by_attempt() -> None:
    collected = RecordedMessages()
    request, result = messages.request("a-1"), messages.result("a-1")
    failure = messages.failure("a-2").model_copy(update={"message_id": "m-failure"})
    said: list[tuple[str, AnyMessage]] = [(OUT, request), (IN, result), (IN, failure), (IN, result)]
    for number, (direction, message) in enumerate(said, 1):
        collected.note(row(number, direction, message))
    collected.note(StartRow(9, 0.0, 2))
    topic = topic_of(result)
    assert [each.row for each in collected.requests["a-1"]] == [1]
    assert collected.answers["a-1"] == [heard_of(number, topic, result.message_id, encode(result)) for number in (2, 4)]
    assert (collected.row_of[result.message_id], collected.row_of[failure.message_id]) == (2, 3)
    assert collected.asked == [(1, messages.SIMULATOR, request)]
    assert collected.starts == 1


def test_what_came_from_elsewhere_than_it_should_is_nobodys() -> None:
    collected = RecordedMessages()
    for direction in (IN, HEARD):
        collected.note(row(1, direction, messages.request("a-1")))
    collected.note(row(2, OUT, messages.result("a-1")))
    assert (collected.requests, collected.answers, collected.not_ours) == ({}, {}, None)


def test_garbage_that_came_is_passed_over_and_garbage_that_was_sent_is_told() -> None:
    collected = RecordedMessages()
    garbage = MessageRow(7, 0.0, IN, "a/b", b"{", retain=False)
    collected.note(garbage)
    assert collected.not_ours is None
    collected.note(replace(garbage, direction=OUT))
    assert collected.not_ours is not None
    assert collected.not_ours[0] == 7


def test_two_messages_that_differ_in_their_id_alone_have_the_same_rest() -> None:
    one = messages.result("a-1")
    again = one.model_copy(update={"message_id": "m-another"})
    rests = [rest_of(encode(each), each.message_id) for each in (one, again, messages.result("a-2"))]
    assert rests[0] == rests[1] != rests[2]
