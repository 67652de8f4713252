"""Tests of the ids of traces and spans."""

from __future__ import annotations

import re

from protocols.tracing.ids import span_id_of, trace_id_of, traceparent_of
from protocols.tracing.span import ATTEMPT, SEND

ATTEMPT_ID = "1f3c-d000007-0123abcd-a1"


def test_the_ids_of_an_attempt_are_the_same_for_everybody_and_for_ever() -> None:
    assert f"{trace_id_of(ATTEMPT_ID):032x}" == "e33c547287b1c25f5b47c5674a5e4769"
    assert f"{span_id_of(ATTEMPT_ID, ATTEMPT):016x}" == "83a5ee4b5c82ddfe"


def test_each_attempt_has_a_trace_and_each_part_a_span_of_its_own() -> None:
    assert trace_id_of(ATTEMPT_ID) != trace_id_of(ATTEMPT_ID.replace("a1", "a2"))
    assert span_id_of(ATTEMPT_ID, ATTEMPT) != span_id_of(ATTEMPT_ID, SEND)


def test_a_traceparent_is_in_the_form_of_the_w3c() -> None:
    told = traceparent_of(ATTEMPT_ID, SEND)
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", told)
    assert told == f"00-{trace_id_of(ATTEMPT_ID):032x}-{span_id_of(ATTEMPT_ID, SEND):016x}-01"
