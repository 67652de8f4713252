"""Two journals told apart: what of an event counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_jsonable_python

from agent.campaign.events import DecisionMade, Event

OF_ONE_RUN: Final = frozenset({
    "uid", "fingerprint", "versions", "reading", "began_at", "message_id", "signed_by", "operator", "duration_s",
    "attempt_id", "source_id", "based_on",
})  # fmt: skip
"""Parts of an event that differ between any two runs, or follow from the order of arrival, and decide nothing.

An attempt is told by its candidate and number: its id begins with the random part of a campaign."""


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A part of an event that differs."""

    name: str
    one: object
    other: object


def differing_fields(one: Event, other: Event) -> list[FieldDifference]:
    """Return what differs between two events of one kind, leaving out what belongs to a run alone.

    Of a decision that was told from its requests only the candidates are known.
    """
    if isinstance(one, DecisionMade) and isinstance(other, DecisionMade) and not (one.reason and other.reason):
        same = one.candidate_ids == other.candidate_ids
        return [] if same else [FieldDifference("candidate_ids", one.candidate_ids, other.candidate_ids)]
    return [
        FieldDifference(name, first, second)
        for (name, first), (_, second) in zip(_parts(one), _parts(other), strict=True)
        if first != second
    ]


def own_fields(event: Event) -> tuple[str, str]:
    """Return the kind of an event and, as JSON, its parts that do not belong to a run alone."""
    return type(event).__name__, json.dumps(dict(_parts(event)), sort_keys=True)


def _parts(event: Event) -> Iterator[tuple[str, object]]:
    content: dict[str, Any] = to_jsonable_python(event)
    for name, value in content.items():
        if isinstance(value, dict) and name == "plan":
            yield from ((part, told) for part, told in value.items() if part not in OF_ONE_RUN | {"campaign"})
        elif name not in OF_ONE_RUN:
            yield name, value
