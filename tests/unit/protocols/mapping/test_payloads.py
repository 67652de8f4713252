"""Payloads are read and written as the lab has them; what is none is refused with what was found."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.mapping.payloads import PayloadError, number_of, read_payload, shown, write_payload
from protocols.mapping.settings import IncomingSettings, OutgoingSettings
from protocols.wire.limits import MAX_PAYLOAD_BYTES


def told(**options: Any) -> IncomingSettings:
    return IncomingSettings(topic="x", **options)


def sent(**options: Any) -> OutgoingSettings:
    return OutgoingSettings(topic="x", **options)


@pytest.mark.parametrize(
    ("settings", "payload", "document"),
    [
        (told(), b'{"a": {"b": [1, 2.5]}}', {"a": {"b": [1, 2.5]}}),
        (told(), b"[1]", [1]),
        (told(payload="number"), b" 12.5\n", {"value": 12.5}),
        (told(payload="number", decimal=","), b"-12,5", {"value": -12.5}),
        (told(payload="number"), b"1e3", {"value": 1000.0}),
        (told(payload="text"), b" online ", {"value": "online"}),
        (told(payload="csv"), b"id,strength\nS 1, 12.5\n", {"id": "S 1", "strength": "12.5"}),
        (told(payload="csv", columns=("id", "strength")), b"S 1,12.5", {"id": "S 1", "strength": "12.5"}),
        (told(payload="csv", columns=("id", "x"), delimiter=";"), b'"a;b";2', {"id": "a;b", "x": "2"}),
    ],
)
def test_a_payload_becomes_a_document(settings: IncomingSettings, payload: bytes, document: Any) -> None:
    assert read_payload(settings, payload) == document


@pytest.mark.parametrize(
    ("settings", "payload", "words"),
    [
        (told(), b"\xff", "not UTF-8"),
        (told(), b"x" * (MAX_PAYLOAD_BYTES + 1), "bytes, at most"),
        (told(), b"{", "not JSON"),
        (told(), b"[" * 50_000, "not JSON"),
        (told(), b'{"a": 1, "a": 2}', "repeats a key"),
        (told(), b'{"a": NaN}', "holds NaN"),
        (told(), b"1" * 5_000, "not JSON"),
        (told(payload="number"), b"12,5", "no number with the decimal mark '.'"),
        (told(payload="number", decimal=","), b"12.5", "no number with the decimal mark ','"),
        (told(payload="number"), b"12.5 MPa", "no number"),
        (told(payload="number"), b"1_0", "no number"),
        (told(payload="number"), b"", "no number"),
        (told(payload="number"), b"1e999", "not finite"),
        (told(payload="csv"), b"a,b\n1,2\n3,4", "3 lines of CSV; expected a header and one row"),
        (told(payload="csv"), b"", "expected a header and one row"),
        (told(payload="csv", columns=("a", "b")), b"1,2\n3,4", "expected one row"),
        (told(payload="csv"), b"a,a\n1,2", "one for each of a, a"),
        (told(payload="csv"), b"a,b\n1", "has 1 cells"),
        (told(payload="csv"), b'a\n"x"y', "no CSV"),
    ],
)
def test_a_payload_that_cannot_be_read_is_refused(settings: IncomingSettings, payload: bytes, words: str) -> None:
    with pytest.raises(PayloadError, match=words.replace(".", r"\.")):
        read_payload(settings, payload)


@pytest.mark.parametrize("value", [True, None, [1], {"a": 1}])
def test_what_is_no_number_is_not_taken_for_one(value: Any) -> None:
    with pytest.raises(PayloadError, match="is no number"):
        number_of(value, ".")


def test_a_whole_number_beyond_all_floats_is_refused() -> None:
    with pytest.raises(PayloadError, match="is no number"):
        number_of(10**400, ".")


@pytest.mark.parametrize(
    ("settings", "fields", "payload"),
    [
        (sent(), {"a.b": 1, "a.c": "x", "d": [True]}, b'{"a":{"b":1,"c":"x"},"d":[true]}'),
        (sent(payload="number"), {"value": 12.5}, b"12.5"),
        (sent(payload="number", decimal=","), {"value": 12.5}, b"12,5"),
        (sent(payload="text"), {"value": "measure S 1"}, b"measure S 1"),
        (sent(payload="text"), {}, b""),
        (sent(payload="text"), {"value": [1]}, b"[1]"),
        (sent(payload="csv"), {"id": "S, 1", "ok": True, "t": 2.5}, b'id,ok,t\n"S, 1",true,2.5\n'),
        (sent(payload="csv", header=False, delimiter=";", decimal=","), {"a": 1, "b": 2.5}, b"1;2,5\n"),
    ],
)
def test_fields_become_a_payload(settings: OutgoingSettings, fields: dict[str, Any], payload: bytes) -> None:
    assert write_payload(settings, fields) == payload


def test_a_message_that_nobody_reads_is_not_written() -> None:
    with pytest.raises(PayloadError, match="at most"):
        write_payload(sent(), {"a": "x" * MAX_PAYLOAD_BYTES})


def test_a_long_value_is_shown_by_its_beginning() -> None:
    assert len(shown("x" * 1000)) == 80
