"""Messages that are none of ours: forged, foreign, outdated, or garbage. None of them may change anything."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from protocols.wire.limits import MAX_PAYLOAD_BYTES
from tests.support.campaigns import PROPERTY, UNIT

PREFIX: Final = "entropilot/v1"


def forged_for_agent(
    rng: random.Random, campaign: str, attempts: list[tuple[str, str, str]], now: datetime
) -> tuple[str, str, bytes]:
    """Make a message that the agent must refuse.

    Args:
        rng: Chooses.
        campaign: The agent's.
        attempts: Attempt, candidate and recipient of requests that were made.
        now: For the common fields.

    Returns:
        Its kind, topic and payload.
    """
    attempt, candidate, recipient = rng.choice(attempts) if attempts else ("nobody-d000000-0-a1", "c000", "simulator-1")
    sender = recipient if recipient != "any" else "simulator-1"
    result: dict[str, Any] = {
        "protocol": 1, "campaign": campaign, "message_id": f"forged-{rng.randrange(10**9)}", "sent_at": now.isoformat(),
        "type": "candidate_result", "attempt_id": attempt, "candidate_id": candidate, "simulator": sender,
        "quantities": [{"name": PROPERTY, "value": 4.25, "unit": UNIT}], "duration_s": 1.0,
    }  # fmt: skip
    kinds: dict[str, Callable[[], tuple[str, bytes]]] = {
        "other campaign": lambda: (sender, _text(result | {"campaign": "another"})),
        "wrong sender": lambda: ("intruder", _text(result | {"simulator": "intruder"})),
        "borrowed name": lambda: ("intruder", _text(result)),
        "unknown attempt": lambda: (sender, _text(result | {"attempt_id": "zz-d000001-0-a1"})),
        "other candidate": lambda: (sender, _text(result | {"candidate_id": f"{candidate}x"})),
        "nan": lambda: (sender, _text(result).replace(b"4.25", b"NaN")),
        "infinity": lambda: (sender, _text(result).replace(b"4.25", b"1e999")),
        "text": lambda: (sender, _text(result).replace(b"4.25", b'"4.25"')),
        "oversize": lambda: (sender, _text(result) + b" " * MAX_PAYLOAD_BYTES),
        "older version": lambda: (sender, _text(result | {"protocol": 0})),
        "newer version": lambda: (sender, _text(result | {"protocol": 2, "mood": "good"})),
        "unknown field": lambda: (sender, _text(result | {"mood": "good"})),
        "repeated key": lambda: (sender, _text(result)[:-1] + b',"duration_s":2.0}'),
        "depth": lambda: (sender, b"[" * 5_000),
        "empty": lambda: (sender, b""),
        "noise": lambda: (sender, rng.randbytes(rng.randint(1, 200))),
        "request": lambda: (sender, _text(result | {"type": "candidate_request"})),
    }
    kind = rng.choice(sorted(kinds))
    if kind == "wrong sender" and recipient == "any":
        kind = "unknown attempt"  # whoever answers a shared request is right
    client, payload = kinds[kind]()
    channel = rng.choice(("result", "failure")) if kind in {"noise", "empty", "depth"} else "result"
    topic = f"{PREFIX}/{campaign}/{channel}/{client}"
    if rng.random() < 0.1:
        kind, topic = "bad topic", rng.choice((f"{topic}/x", "a/b", f"{PREFIX}/{campaign}/result", f"{topic}é"))
    return kind, topic, payload


def forged_for_simulator(rng: random.Random, campaign: str, simulator: str, now: datetime) -> tuple[str, str, bytes]:
    """Make a message that a simulator must refuse; see `forged_for_agent`."""
    request: dict[str, Any] = {
        "protocol": 1, "campaign": campaign, "message_id": "forged", "sent_at": now.isoformat(),
        "type": "candidate_request", "attempt_id": f"forged-{rng.randrange(10**9)}", "candidate_id": "c000",
        "decision": 0, "attempt": 1, "family": "f", "properties": [PROPERTY], "deadline_s": 10.0,
    }  # fmt: skip
    kinds: dict[str, bytes] = {
        "other campaign": _text(request | {"campaign": "another"}),
        "older version": _text(request | {"protocol": 0}),
        "no deadline": _text(request).replace(b"10.0", b"NaN"),
        "capital id": _text(request | {"attempt_id": "FORGED"}),
        "oversize": _text(request) + b" " * MAX_PAYLOAD_BYTES,
        "noise": rng.randbytes(rng.randint(1, 200)),
    }
    kind = rng.choice(sorted(kinds))
    return kind, f"{PREFIX}/{campaign}/request/{simulator}", kinds[kind]


def _text(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
