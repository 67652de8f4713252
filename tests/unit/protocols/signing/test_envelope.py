"""What is wrapped comes out to the byte, and what only looks like an envelope is named or left alone."""

from __future__ import annotations

import json

import pytest

from protocols.signing.envelope import (
    SIGNATURE_PROPERTY,
    UnreadableSignature,
    as_properties,
    of_properties,
    unwrap,
    wrap,
)
from protocols.wire.limits import MAX_ENVELOPE_BYTES, MAX_PAYLOAD_BYTES, MAX_SIGNATURES

SIGNATURES = {"furnace": "0123456789abcdef" * 4, "sim-1": "f" * 64}
NAMES = [f"i{number:03}".ljust(64, "x") for number in range(MAX_SIGNATURES)]
MANY = dict.fromkeys(NAMES, "a" * 64)


@pytest.mark.parametrize(
    "payload", [b"", b"{}", '{"a": "\\"ä\\u2028"}'.encode(), b"\xff\x00\xfe", b'"' * MAX_PAYLOAD_BYTES, b"\n\t\\"]
)
def test_what_is_wrapped_comes_out_to_the_byte(payload: bytes) -> None:
    assert unwrap(wrap(payload, SIGNATURES)) == (payload, SIGNATURES)


def test_the_largest_message_with_the_most_signatures_fits() -> None:
    assert len(wrap(b'"' * MAX_PAYLOAD_BYTES, MANY)) <= MAX_ENVELOPE_BYTES
    assert len(wrap(b"\xff" * MAX_PAYLOAD_BYTES, MANY)) <= MAX_ENVELOPE_BYTES
    assert unwrap(wrap(b'"' * MAX_PAYLOAD_BYTES, MANY)) == (b'"' * MAX_PAYLOAD_BYTES, MANY)


def test_an_envelope_may_be_written_by_anybodys_json() -> None:
    written = json.dumps({"payload": "{}", "signatures": SIGNATURES, "entropilot_signed": 1}, indent=2)
    assert unwrap(written.encode()) == (b"{}", SIGNATURES)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b'{"entropilot": 1}',
        b'{"detail": "\\"entropilot_signed\\""}',
        b'{"inner": {"entropilot_signed": 1}}',
        b'["entropilot_signed"]',
        b'"entropilot_signed" and no JSON',
        b'{"entropilot_signed": 1, "signatures": {}, "payload": "\\ud800"}',
    ],
)
def test_what_is_no_envelope_is_left_alone(payload: bytes) -> None:
    assert unwrap(payload) is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"entropilot_signed": 2}, "version '2'"),
        ({"entropilot_signed": True}, "version 'True'"),
        ({"entropilot_signed": None}, "version 'None'"),
        ({"more": 1}, "holds entropilot_signed, signatures"),
        ({"payload": 1}, "no string"),
        ({"signatures": {}}, "1 to 64"),
        ({"signatures": [["furnace", "0" * 64]]}, "1 to 64"),
        ({"signatures": dict.fromkeys([*NAMES, "one-more"], "0" * 64)}, "1 to 64"),
        ({"signatures": {"furnace": "0" * 63}}, "64 hexadecimal digits"),
        ({"signatures": {"furnace": "0" * 63 + "G"}}, "64 hexadecimal digits"),
        ({"signatures": {"furnace": 1}}, "64 hexadecimal digits"),
        ({"signatures": {"No Id": "0" * 64}}, "no id"),
    ],
)
def test_what_says_that_it_is_an_envelope_and_is_none_is_named(change: dict[str, object], word: str) -> None:
    content = {"entropilot_signed": 1, "signatures": SIGNATURES, "payload": "{}"} | change
    with pytest.raises(UnreadableSignature, match=word):
        unwrap(json.dumps(content).encode())


def test_base64_that_is_none_is_named() -> None:
    with pytest.raises(UnreadableSignature, match="no base64"):
        unwrap(json.dumps({"entropilot_signed": 1, "signatures": SIGNATURES, "base64": "?"}).encode())


def test_an_envelope_beyond_its_bound_is_not_read() -> None:
    with pytest.raises(UnreadableSignature, match="at most"):
        unwrap(b'{"entropilot_signed": 1, "payload": "' + b"x" * MAX_ENVELOPE_BYTES + b'"}')


def test_signatures_come_back_out_of_properties_and_others_are_passed_over() -> None:
    pairs = [list(pair) for pair in as_properties(SIGNATURES)]
    assert of_properties({"user_properties": [["other", "x"], *pairs]}) == SIGNATURES
    assert of_properties({"user_properties": [["other", "x"]], "content_type": "json"}) == {}
    assert of_properties({}) == {}


@pytest.mark.parametrize(
    "values",
    [
        ["furnace"],
        ["furnace 12"],
        ["furnace  " + "0" * 64],
        ["No " + "0" * 64],
        ["furnace " + "0" * 64, "furnace " + "1" * 64],
        [f"i{number} " + "0" * 64 for number in range(MAX_SIGNATURES + 1)],
    ],
)
def test_a_property_that_is_no_signature_is_named(values: list[str]) -> None:
    with pytest.raises(UnreadableSignature):
        of_properties({"user_properties": [[SIGNATURE_PROPERTY, value] for value in values]})
