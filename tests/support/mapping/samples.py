"""A small lab, its campaign, and what was asked: for tests of the translation."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from protocols.link.transport import Delivery
from protocols.mapping.facts import AskedAttempt, CampaignFacts
from protocols.mapping.faults import MappingError, MappingProblem
from protocols.mapping.incoming import Hearing
from protocols.mapping.mapping import LabMapping, Understood, compile_mapping
from protocols.mapping.settings import LabSettings
from protocols.wire.messages import CandidateRequest

NOW: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
FACTS: Final = CampaignFacts("demo", {"strength": "MPa"}, features=("temperature", "hold time"))
FEATURES: Final = {"temperature": 1173.15, "hold time": 20.0}

PLAIN: Final[dict[str, Any]] = {
    "instruments": {"furnace": "F1"},
    "request": {"topic": "lab/{instrument}/run", "fields": {"job": "attempt_id"}},
    "result": {"topic": "lab/{instrument}/done", "id": "job", "quantities": {"strength": "value"}},
}
"""A lab that is as plain as one can be."""


def changed(**changes: Any) -> dict[str, Any]:
    """Return the plain lab with changes, by keys with `__` between the levels; None removes one."""
    lab = copy.deepcopy(PLAIN)
    for key, value in changes.items():
        *above, last = key.split("__")
        here = lab
        for each in above:
            here = here.setdefault(each, {})
        here[last] = value
        if value is None:
            del here[last]
    return lab


def compiled(facts: CampaignFacts = FACTS, **changes: Any) -> LabMapping:
    """Return the compiled lab with changes."""
    return compile_mapping(LabSettings.model_validate(changed(**changes)), facts)


def problems(facts: CampaignFacts = FACTS, **changes: Any) -> dict[str, MappingProblem]:
    """Return what is wrong with a lab, by the dotted key below `lab`."""
    try:
        compiled(facts, **changes)
    except MappingError as error:
        return {".".join(each.key): each for each in error.problems}
    return {}


def require_told(changes: dict[str, Any], key: str, words: str, action: str) -> None:
    """Check that a fault of a lab is told at its key, with what to do."""
    found = problems(**changes)
    assert key in found, found
    assert words in found[key].found
    assert action in f"{found[key].action} {found[key].expected}"


@dataclass
class Asked:
    """Attempts that a test names; implements `Attempts`."""

    attempts: list[AskedAttempt] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)

    def find(self, attempt_id: str) -> AskedAttempt | None:
        return next((each for each in self.attempts if each.attempt_id == attempt_id), None)

    def of_candidate(self, candidate_id: str) -> Sequence[AskedAttempt]:
        return [each for each in self.attempts if each.candidate_id == candidate_id]

    def of_instrument(self, instrument: str) -> Sequence[AskedAttempt]:
        return [each for each in self.attempts if each.instrument == instrument]

    def candidate_named(self, source_id: str) -> str | None:
        return self.names.get(source_id)

    def request_of(self, attempt_id: str) -> Mapping[str, Any]:
        return {"attempt_id": attempt_id, "campaign": "demo", **self.requests.get(attempt_id, {})}

    def close(self, attempt_id: str, *answered_by: str) -> None:
        """Let an attempt be answered."""
        self.attempts = [
            replace(each, in_flight=False, answered_by=answered_by) if each.attempt_id == attempt_id else each
            for each in self.attempts
        ]


def asked(*attempts: tuple[str, str], instrument: str = "furnace") -> Asked:
    """Return open attempts, each with its candidate."""
    return Asked([AskedAttempt(attempt, candidate, instrument, in_flight=True) for attempt, candidate in attempts])


def heard(topic: str, payload: str | bytes, **options: Any) -> Delivery:
    """Return a message of the lab."""
    content = payload if isinstance(payload, bytes) else payload.encode()
    given: dict[str, Any] = {"retain": False, "qos": 1, "ack_token": "token"} | options
    return Delivery(topic, content, **given)


def understood(
    mapping: LabMapping, message: Delivery, attempts: Asked, elapsed_s: float | None = None
) -> Understood | None:
    """Return what a message is."""
    return mapping.understand(message, Hearing("demo", NOW, attempts, lambda _attempt_id: elapsed_s))


def request(attempt_id: str = "u-d1-a1", **told: Any) -> CandidateRequest:
    """Return a request of ours."""
    given: dict[str, Any] = {
        "campaign": "demo", "message_id": attempt_id, "sent_at": NOW, "attempt_id": attempt_id, "candidate_id": "c1",
        "source_id": "S 1", "decision": 1, "attempt": 1, "family": "a", "properties": ("strength",), "deadline_s": 60.0,
    }  # fmt: skip
    return CandidateRequest(**(given | told))
