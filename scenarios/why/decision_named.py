"""Which decision a person means: a number, "last", or what it chose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from agent.campaign.events import AskingEnded, DecisionMade, Event, ObservationAdded, StartSetLoaded
from protocols.errors import StoreError

LAST: Final = "last"
"""The word for the latest decision."""


def find_decision(events: Sequence[Event], step: str) -> int:
    """Return the number of a decision.

    A number is that of a decision; it is taken for a candidate's id only when there is no such decision.

    Args:
        events: The journal.
        step: A number from 0, "last", or the id of a candidate.

    Raises:
        StoreError: When there is no such decision, with what there is.
    """
    decisions = [event for event in events if isinstance(event, DecisionMade)]
    by_candidate = {which: made.decision for made in decisions for which in made.candidate_ids}
    if not decisions:
        raise StoreError(
            "The run has made no decision yet",
            expected="a journal with a decision",
            action="wait for the first one, or take the run up with --resume",
        )
    if step == LAST:
        return decisions[-1].decision
    if re.fullmatch(r"\d{1,18}", step, re.ASCII) and int(step) < len(decisions):
        return int(step)
    if step in by_candidate:
        return by_candidate[step]
    raise StoreError(
        _not_decided(events, step),
        expected=f"a decision from 0 to {decisions[-1].decision}, {LAST!r}, or the id of a candidate that was chosen",
        action="`entropilot why RUN last` explains the latest",
    )


def _not_decided(events: Sequence[Event], step: str) -> str:
    if re.fullmatch(r"-?\d{1,18}", step, re.ASCII):
        ended = next((event for event in events if isinstance(event, AskingEnded)), None)
        if ended is not None and int(step) == ended.decision:
            return f"Decision {step} was never made: the policy had nothing more to ask for ({ended.reason})"
        return f"Decision {step} was never made"
    for event in events:
        if isinstance(event, StartSetLoaded) and step in event.candidate_ids:
            return f"{step!r} was in the start set: no decision chose it"
        if isinstance(event, ObservationAdded) and step == event.candidate_id:
            return f"{step!r} was observed by hand: no decision chose it"
    return f"No decision chose {step!r}"
