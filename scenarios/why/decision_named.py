"""Which decision a person means: a number, "last", or what it chose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from agent.campaign.events import (
    DecisionMade,
    Event,
    ObservationAdded,
    PolicyExhausted,
    RequestIssued,
    StartSetLoaded,
    StopRuleFired,
)
from protocols.errors import StoreError

LAST: Final = "last"
"""The word for the latest decision."""


def find_decision(events: Sequence[Event], decision_name: str) -> int:
    """Return the number of a decision.

    A number is that of a decision; it is taken for a candidate's id only when there is no such decision.

    Args:
        events: The journal.
        decision_name: A number from 0, "last", or the id of a candidate, ours or its table's.

    Raises:
        StoreError: When there is no such decision, with what there is.
    """
    decisions = [event for event in events if isinstance(event, DecisionMade)]
    by_source = {each.source_id: each.decision for each in events if isinstance(each, RequestIssued) and each.source_id}
    by_candidate = by_source | {which: made.decision for made in decisions for which in made.candidate_ids}
    if not decisions:
        raise StoreError(
            "The run has made no decision yet",
            expected="a journal with a decision",
            action="wait for the first one, or take the run up with --resume",
        )
    if decision_name == LAST:
        return decisions[-1].decision
    if re.fullmatch(r"\d{1,18}", decision_name, re.ASCII) and int(decision_name) < len(decisions):
        return int(decision_name)
    if decision_name in by_candidate:
        return by_candidate[decision_name]
    raise StoreError(
        _not_decided(events, decision_name),
        expected=f"a decision from 0 to {decisions[-1].decision}, {LAST!r}, or the id of a candidate that was chosen",
        action="`entropilot why RUN last` explains the latest",
    )


def _not_decided(events: Sequence[Event], decision_name: str) -> str:
    if re.fullmatch(r"-?\d{1,18}", decision_name, re.ASCII):
        ended = next((event for event in events if isinstance(event, PolicyExhausted)), None)
        if ended is not None and int(decision_name) == ended.decision:
            return f"Decision {decision_name} was never made: the policy had nothing more to ask for ({ended.reason})"
        fired = next((event for event in events if isinstance(event, StopRuleFired) and not event.policy), None)
        if fired is not None and int(decision_name) == sum(isinstance(event, DecisionMade) for event in events):
            return f"Decision {decision_name} was never made: the stop rule {fired.reason}"
        return f"Decision {decision_name} was never made"
    for event in events:
        if isinstance(event, StartSetLoaded) and decision_name in event.candidate_ids:
            return f"{decision_name!r} was in the start set: no decision chose it"
        if isinstance(event, ObservationAdded) and decision_name == event.candidate_id:
            return f"{decision_name!r} was observed manually: no decision chose it"
    return f"No decision chose {decision_name!r}"
