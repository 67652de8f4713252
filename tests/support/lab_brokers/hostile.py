"""A second device with credentials of its own that says whatever may do harm, as quickly as it can.

    python -m tests.support.lab_brokers.hostile PORT ACCOUNT COUNT KNOWN <password

It knows everything: `KNOWN` holds attempts and candidates as JSON, as somebody may have heard them. The password comes
on standard input. At the end it says how many messages it has sent.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

BASE: Final = "entropilot/v1/lab"

VICTIM: Final = "simulator-1"
"""The instrument that the campaign asks."""

FORGED: Final = 7.77
"""In the lab's range, and no row's value."""

IN_FLIGHT: Final = 50
"""Messages under way at once."""

CONFIRMED_S: Final = 60.0


def messages(account: str, attempts: Sequence[tuple[str, str]], seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield topics and payloads without end: lawful in form and not, on its own topics and on everybody's.

    Args:
        account: Who it is.
        attempts: Attempts and their candidates.
        seed: Of the order.
    """
    rng = random.Random(seed)
    known = itertools.cycle(attempts)
    kinds = (_result, _failure, _status, _receipt, _request, _control, _garbage)
    while True:
        attempt, candidate = next(known)
        said = rng.choice((account, VICTIM))
        channel, content = rng.choice(kinds)(attempt, candidate, said)
        topic = f"{BASE}/{channel}" + ("" if channel == "metrics" else f"/{rng.choice((account, said))}")
        yield topic, content if isinstance(content, bytes) else json.dumps(content).encode()


def _message(kind: str, **more: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"protocol": 1, "type": kind, "campaign": "lab", "message_id": uuid.uuid4().hex, "sent_at": now} | more


def _result(attempt: str, candidate: str, said: str) -> tuple[str, dict[str, Any]]:
    values = [{"name": "energy", "value": FORGED, "unit": "eV"}]
    own = {"attempt_id": attempt, "candidate_id": candidate, "simulator": said}
    return "result", _message("candidate_result", **own, quantities=values, duration_s=0.1)


def _failure(attempt: str, candidate: str, said: str) -> tuple[str, dict[str, Any]]:
    own = {"attempt_id": attempt, "candidate_id": candidate, "simulator": said}
    return "failure", _message("candidate_failure", **own, reason="unsupported")


def _status(_attempt: str, _candidate: str, said: str) -> tuple[str, dict[str, Any]]:
    return "status", _message("status", client=said, role="simulator", health=random.choice(("online", "offline")))


def _receipt(attempt: str, _candidate: str, said: str) -> tuple[str, dict[str, Any]]:
    return "receipt", _message("result_receipt", attempt_id=attempt, simulator=said, status="withdrawn")


def _request(attempt: str, candidate: str, _said: str) -> tuple[str, dict[str, Any]]:
    more = {"attempt_id": f"{attempt}x", "candidate_id": candidate, "decision": 0, "attempt": 1, "family": "cubic"}
    return "request", _message("candidate_request", **more, properties=["energy"], deadline_s=1.0)


def _control(_attempt: str, candidate: str, said: str) -> tuple[str, dict[str, Any]]:
    action = random.choice(("stop", "pause", "exclude_candidate"))
    more = {"candidate_id": candidate} if action == "exclude_candidate" else {}
    return "control", _message("control", action=action, operator=said, **more)


def _garbage(_attempt: str, _candidate: str, _said: str) -> tuple[str, bytes]:
    return random.choice(("result", "failure", "status", "metrics")), b"\x00garbage \xff" * 100


def say_all(port: int, account: str, password: str, count: int, attempts: Sequence[tuple[str, str]]) -> float:
    """Say so many messages with QoS 1; return how long it took [s]."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"{account}-device")
    client.username_pw_set(account, password)
    client.max_inflight_messages_set(IN_FLIGHT)
    client.connect("127.0.0.1", port)
    client.loop_start()
    began, under_way = time.monotonic(), list[paho.MQTTMessageInfo]()
    for topic, payload in itertools.islice(messages(account, attempts), count):
        under_way.append(client.publish(topic, payload, qos=1))
        if len(under_way) >= IN_FLIGHT:
            under_way.pop(0).wait_for_publish(CONFIRMED_S)
    for each in under_way:
        each.wait_for_publish(CONFIRMED_S)
    took = time.monotonic() - began
    client.disconnect()
    client.loop_stop()
    return took


if __name__ == "__main__":
    place, name, number, known = sys.argv[1:5]
    told = [(attempt, candidate) for attempt, candidate in json.loads(Path(known).read_text(encoding="utf-8"))]
    print(f"{number} in {say_all(int(place), name, sys.stdin.readline().rstrip(), int(number), told):.1f} s")
