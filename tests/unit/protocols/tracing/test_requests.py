"""Tests of telling of which attempt a message asks."""

from __future__ import annotations

from protocols.tracing.requests import attempt_of
from protocols.wire.codec import encode, topic_of
from tests.support.sample_messages import one_of_each, request


def test_of_a_request_it_is_the_attempt_that_the_codec_wrote() -> None:
    asked = request("1f3c-d000007-0123abcd-a1")
    assert attempt_of(topic_of(asked, recipient="any"), encode(asked)) == "1f3c-d000007-0123abcd-a1"


def test_no_other_message_asks_for_an_attempt() -> None:
    others = [each for each in one_of_each() if each.type != "candidate_request"]
    assert len(others) > 5
    assert {attempt_of(topic_of(each), encode(each)) for each in others} == {""}


def test_what_is_in_an_envelope_is_not_looked_into() -> None:
    assert not attempt_of("entropilot/v1/mine/request/any", b'{"payload":"{\\"attempt_id\\":\\"a\\"}"}')
    assert not attempt_of("somebody/v1/mine/request/any", b'{"attempt_id":"a"}')
