"""What the lab says becomes a message of ours of its kind, or is refused by the rule that it breaks."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.mapping.faults import UnmappedMessage
from protocols.wire.messages import CandidateFailure, FailureReason, Health, Status
from tests.support.mapping.samples import asked, compiled, heard, understood


def refused(payload: str | bytes, topic: str = "lab/F1/done", **changes: Any) -> str:
    with pytest.raises(UnmappedMessage) as error:
        understood(compiled(**changes), heard(topic, payload), asked(("a1", "c1")))
    return str(error.value)


def test_a_failure_has_the_labs_reason_in_our_words_and_in_its_own() -> None:
    failure = {"topic": "lab/{instrument}/failed", "id": "job", "code": "code", "detail": "text",
               "reasons": {"17": "unsupported"}}  # fmt: skip

    def failed(payload: str, **changes: Any) -> CandidateFailure:
        mapping = compiled(failure=failure | changes)
        told = understood(mapping, heard("lab/F1/failed", payload), asked(("a1", "c1")))
        assert isinstance(told, CandidateFailure)
        return told

    first = failed('{"job": "a1", "code": 17.0, "text": "too hot"}')
    assert (first.reason, first.detail) == (FailureReason.UNSUPPORTED, "17: too hot")
    other = failed('{"job": "a1", "code": 18}', reason="crashed")
    assert (other.reason, other.detail) == (FailureReason.CRASHED, "18")
    plain = failed('{"job": "a1"}', code="", reasons={}, detail="")
    assert (plain.reason, plain.detail) == (FailureReason.CALCULATION_FAILED, "the lab said so on lab/F1/failed")


@pytest.mark.parametrize(("payload", "health"), [("1", Health.ONLINE), ("up", Health.ONLINE), ("0", Health.OFFLINE)])
def test_presence_is_told_in_the_labs_words(payload: str, health: Health) -> None:
    status = {"topic": "lab/{instrument}/here", "online": ["1", "up"], "offline": ["0"]}
    told = understood(compiled(status=status), heard("lab/F1/here", payload, retain=True), asked())
    assert isinstance(told, Status)
    assert (told.client, told.health, told.role) == ("furnace", health, "simulator")


def test_presence_in_json_is_told_by_truth_or_number() -> None:
    status = {"topic": "lab/s", "payload": "json", "value": "ok", "online": ["true"], "offline": ["false", "null"]}
    mapping = compiled(status=status)
    told = [understood(mapping, heard("lab/s", each), asked()) for each in ('{"ok": true}', '{"ok": false}', "{}")]
    assert [each.health for each in told if isinstance(each, Status)] == [Health.ONLINE, Health.OFFLINE, Health.OFFLINE]


def test_another_word_for_presence_is_refused() -> None:
    found = refused("maybe", topic="lab/F1/here", status={"topic": "lab/{instrument}/here"})
    assert "[lab.status.value] the message says 'maybe'. Expected: one of online, offline." in found


def test_when_takes_whatever_is_there() -> None:
    said: dict[str, Any] = {"result__when": "kind"}
    attempts = asked(("a1", "c1"))
    for kind, concerns in (
        ('"x"', True),
        ("0", True),
        ("true", True),
        ('""', False),
        ("false", False),
        ("null", False),
    ):
        told = understood(
            compiled(**said), heard("lab/F1/done", f'{{"job": "a1", "value": 1, "kind": {kind}}}'), attempts
        )
        assert (told is not None) is concerns, kind
