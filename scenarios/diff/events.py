"""Two journals told apart: what of an event counts, and an event in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_jsonable_python

from agent.campaign.events import (
    AskingEnded,
    AttemptFailed,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopping,
    CandidateExcluded,
    CandidateSetAside,
    ControlNoted,
    DecisionMade,
    Event,
    LateResultKept,
    ObservationAdded,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    StartSetLoaded,
)
from protocols.wire.attempt_ids import number_of

OF_ONE_RUN: Final = frozenset({"uid", "fingerprint", "versions", "message_id", "duration_s", "attempt_id", "based_on"})
"""Parts of an event that differ between any two runs, or follow from the order of arrival, and decide nothing.

An attempt is told by its candidate and number: its id begins with the random part of a campaign."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an event that differs."""

    name: str
    one: object
    other: object


def differing_parts(one: Event, other: Event) -> list[Part]:
    """Return what differs between two events of one kind, leaving out what belongs to a run alone.

    Of a decision that was told from its requests only the candidates are known.
    """
    if isinstance(one, DecisionMade) and isinstance(other, DecisionMade) and not (one.reason and other.reason):
        same = one.candidate_ids == other.candidate_ids
        return [] if same else [Part("candidate_ids", one.candidate_ids, other.candidate_ids)]
    return [
        Part(name, first, second)
        for (name, first), (_, second) in zip(_parts(one), _parts(other), strict=True)
        if first != second
    ]


def own_parts(event: Event) -> tuple[str, str]:
    """Return the kind of an event and, as JSON, its parts that do not belong to a run alone."""
    return type(event).__name__, json.dumps(dict(_parts(event)), sort_keys=True)


def in_words(event: Event) -> str:
    """Return an event as a person tells it."""
    return _WORDS[type(event)](event)


_WORDS: Final[dict[type[Event], Callable[[Any], str]]] = {
    CampaignStarted: lambda e: f"campaign {e.plan.campaign} starts: policy {e.plan.policy}, budget {e.plan.budget}",
    StartSetLoaded: lambda e: f"a start set of {len(e.candidate_ids)} values",
    DecisionMade: lambda e: f"decision {e.decision} chooses {', '.join(e.candidate_ids)} ({e.reason})",
    AskingEnded: lambda e: f"the policy has nothing more to ask for ({e.reason})",
    RequestIssued: lambda e: f"attempt {e.attempt} of {e.candidate_id} goes to {e.recipient}",
    ResultAccepted: lambda e: f"{e.candidate_id} is {e.value:g}, says {e.simulator}",
    LateResultKept: lambda e: f"a late result of {e.candidate_id} is kept aside ({e.why})",
    AttemptFailed: lambda e: f"{e.simulator} fails with {e.candidate_id}: {e.reason}, {e.detail}",
    RequestExpired: lambda e: f"attempt {number_of(e.attempt_id)} of {e.candidate_id} has no answer in time",
    CandidateSetAside: lambda e: f"{e.candidate_id} is set aside: {e.reason}",
    CandidateExcluded: lambda e: f"the operator excludes {e.candidate_id}: {e.reason}",
    ObservationAdded: lambda e: f"the operator adds {e.candidate_id} = {e.value:g}",
    CampaignPaused: lambda e: f"the campaign pauses: {e.reason}",
    CampaignResumed: lambda e: f"the campaign goes on: {e.reason}",
    CampaignStopping: lambda e: f"the campaign is stopped: {e.reason}",
    ControlNoted: lambda e: f"the operator's {e.action} changes nothing",
    CampaignFinished: lambda e: f"the campaign ends: {e.reason}",
}


def _parts(event: Event) -> Iterator[tuple[str, object]]:
    content: dict[str, Any] = to_jsonable_python(event)
    for name, value in content.items():
        if isinstance(value, dict) and name == "plan":
            yield from ((part, told) for part, told in value.items() if part not in OF_ONE_RUN | {"campaign"})
        elif name not in OF_ONE_RUN:
            yield name, value
