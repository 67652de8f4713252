"""Does an event say what the message said that brought it: value, unit, attempt, sender and message id?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from agent.campaign.events import (
    MAX_REASON_LENGTH,
    AttemptFailed,
    CampaignPaused,
    CampaignResumed,
    Event,
    LateResultKept,
    RequestExpired,
    RequestIssued,
    dump_event,
)
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import RESULT_REFUSED
from protocols.wire.messages import CandidateFailure, CandidateRequest, CandidateResult
from protocols.wire.replicates import with_deviation

OF_AN_ATTEMPT: Final = "attempt_id"
"""The field by which an event names its attempt."""

_SHOWN_CHARACTERS: Final = 80
"""How much of a value is shown [character]: a whole digest."""

_LATER_FIELDS: Final = frozenset({"message_id", "signed_by", "operator"})
"""Fields that journals of old do not have, whatever the event is."""

_LATER_FIELDS_OF: Final[Mapping[type[Event], frozenset[str]]] = {
    AttemptFailed: frozenset({"quantities"}),
    CampaignPaused: frozenset({"ordered_at"}),
    CampaignResumed: frozenset({"ordered_at"}),
    LateResultKept: frozenset({"refused"}),
    RequestExpired: frozenset({"costs_attempt"}),
}
"""And those of one kind of event."""

_OF_A_FAILURE: Final = "permanent"
"""The field that only a failed attempt has; what a refused result said is in no journal of old."""


def tree_of(event: Event) -> dict[str, Any]:
    """Return an event as the journal keeps it: plain JSON."""
    tree: dict[str, Any] = json.loads(dump_event(event)[1])
    return tree


def other_field(one: Any, other: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """Return the first place at which two JSON values differ, and what stands there in both; None when none does."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in (*one, *(each for each in other if each not in one)):
            found = other_field(one.get(name), other.get(name), f"{path}.{name}" if path else name)
            if found is not None:
                return found
        return None
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        each = (other_field(*pair, f"{path}[{number}]") for number, pair in enumerate(zip(one, other, strict=True)))
        return next((found for found in each if found is not None), None)
    same = one == other and isinstance(one, bool) == isinstance(other, bool)
    return None if same else (path, one, other)


def told(value: Any) -> str:
    """Return a value for people, not longer than a line has room for."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def knows_messages(events: Iterable[Event]) -> bool:
    """Tell whether a journal says which message brought an event; those of old do not."""
    return any(getattr(event, "message_id", "") for event in events if hasattr(event, OF_AN_ATTEMPT))


def without_later_fields(event: Event, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's tree as journals of old have it."""
    later = _LATER_FIELDS | _LATER_FIELDS_OF.get(type(event), frozenset())
    return {name: value for name, value in tree.items() if name not in later}


def other_than_answer(
    event: Event, message: CandidateResult | CandidateFailure, plan: CampaignPlan
) -> tuple[str, Any, Any] | None:
    """Return the first field of an event that is not what the answer says; None when all are.

    Only the fields that both have are compared: what the rules made of an answer is not in it.
    """
    found = tree_of(event)
    found["candidate_id"] = plan.measurement_of(found["candidate_id"]).candidate_id
    said: dict[str, Any] = {
        name: getattr(message, name) for name in (OF_AN_ATTEMPT, "candidate_id", "simulator", "message_id")
    }
    if isinstance(message, CandidateResult):
        known = with_deviation(message.quantities, plan.property_name, message.replicates)
        quantities = [each.model_dump() for each in known]
        main = next((each["value"] for each in quantities if each["name"] == plan.property_name), None)
        said |= {"quantities": quantities, "value": main, "duration_s": message.duration_s}
        said |= {"provenance": message.provenance or {}, "replicates": list(message.replicates)}
        said |= {"conditions": [each.model_dump() for each in message.conditions], "remarks": message.remarks}
        said |= {"files": [each.model_dump() for each in message.files]}
        said |= {"structure": None if message.structure is None else message.structure.model_dump(mode="json")}
    elif found.get("reason") != RESULT_REFUSED:
        said |= {"reason": message.reason.value, "detail": message.detail[:MAX_REASON_LENGTH]}
    if not found.get("message_id"):
        found = without_later_fields(event, found)
    said = {name: value for name, value in said.items() if name in found}
    return other_field({name: found[name] for name in said}, said)


def other_than_request(
    event: RequestIssued, recipient: str, message: CandidateRequest, plan: CampaignPlan
) -> tuple[str, Any, Any] | None:
    """Return the first thing that a request says otherwise than the event that made it; None when nothing is."""
    asked = plan.measurement_of(event.candidate_id)
    made = {
        **tree_of(event),
        "candidate_id": asked.candidate_id,
        "row": event.candidate_id,
        "campaign": plan.campaign,
        "message_id": event.attempt_id,
        "properties": list(plan.property_names),
        "fidelity": asked.fidelity,
    }
    said = {
        OF_AN_ATTEMPT: message.attempt_id,
        "candidate_id": message.candidate_id,
        "row": plan.row_asked_for(message.candidate_id, message.fidelity, message.replicate),
        "decision": message.decision,
        "attempt": message.attempt,
        "recipient": recipient,
        "source_id": message.source_id or "",
        "campaign": message.campaign,
        "message_id": message.message_id,
        "properties": list(message.properties),
        "fidelity": message.fidelity,
    }
    if message.wanted:  # requests of old do not say it
        units = (plan.unit, *(each.unit for each in plan.additional_properties))
        made["wanted"] = [{"name": name, "unit": unit} for name, unit in zip(plan.property_names, units, strict=True)]
        said["wanted"] = [each.model_dump() for each in message.wanted]
    return other_field({name: made[name] for name in said}, said)


def by_attempt(events: Sequence[Event]) -> dict[str, list[tuple[int, Event]]]:
    """Return the events that an answer to an attempt brought, with their rows, by attempt."""
    found: dict[str, list[tuple[int, Event]]] = {}
    for row, event in enumerate(events, 1):
        if hasattr(event, "simulator"):
            found.setdefault(str(getattr(event, OF_AN_ATTEMPT)), []).append((row, event))
    return found
