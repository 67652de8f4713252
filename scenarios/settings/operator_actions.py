"""What an operator of a scenario wants, and when: settings, and the controls that they become."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from agent.campaign.plan import MAX_BUDGET
from agent.pool.candidates import Pool
from protocols.errors import SettingsError
from protocols.wire.limits import MAX_NEW_CANDIDATES
from protocols.wire.messages import AddedCandidate, Control, ControlAction, Finite, Quantity, SourceId, Text

OPERATOR: Final = "operator"
"""Who asks, in the topic of its controls; no instrument may have this id."""

MAX_WISHES: Final = 1_000
"""Most actions of a scenario: more than a person has during a campaign."""

MAX_AFTER_S: Final = 86_400.0
"""Longest pause before an action [s]: a scenario is no calendar."""

_OF_A_VALUE: Final = frozenset({ControlAction.ADD_OBSERVATION, ControlAction.AMEND_OBSERVATION})
_OF_A_CANDIDATE: Final = _OF_A_VALUE | {
    ControlAction.EXCLUDE_CANDIDATE,
    ControlAction.REQUEUE_CANDIDATE,
    ControlAction.RETRACT_OBSERVATION,
}
_OF_A_DECISION: Final = frozenset({ControlAction.APPROVE_DECISION, ControlAction.VETO_DECISION})
_IN_BULK: Final = ControlAction.ADD_OBSERVATIONS


def _as_sent(candidates: object) -> object:
    """Return candidates of a settings file as a message would have them: it knows no tuples either."""
    if not isinstance(candidates, list):
        return candidates
    return tuple(AddedCandidate.model_validate_json(json.dumps(each, default=str)) for each in candidates)


class OperatorAction(BaseModel):
    """One thing that an operator does, at a point of the campaign and not at a time: so it is repeatable."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    at: Annotated[int, Field(ge=0)]
    """Results that the campaign has accepted by then."""
    action: ControlAction
    """pause, resume, stop, exclude_candidate, requeue_candidate, add_observation, retract_observation,
    amend_observation, add_candidates, approve_decision, veto_decision or set_budget."""
    candidate: SourceId | Annotated[int, Field(ge=0)] | None = None
    """Whom it is about: an id, ours or as the pool's table writes it, or a place in the pool, from 0 in the order of
    ours."""
    value: Finite | None = None
    """For add_observation: what was measured manually; for amend_observation: what it should have been [unit]."""
    decision: Annotated[int, Field(ge=0)] | None = None
    """For approve_decision and veto_decision: its number; the action waits until it awaits approval."""
    budget: Annotated[int, Field(ge=1, le=MAX_BUDGET)] | None = None
    """For set_budget: candidates that may be requested in all."""
    candidates: (
        Annotated[tuple[AddedCandidate, ...], Field(max_length=MAX_NEW_CANDIDATES), BeforeValidator(_as_sent)] | None
    ) = None
    """For add_candidates: what joins the pool, each with candidate_id, family, features, and what it is made of."""
    after_s: Annotated[float, Field(ge=0, le=MAX_AFTER_S)] = 0.0
    """How long it waits, when the action before it is sent and `at` is reached [s]."""
    reason: Text = ""
    """Why, in the operator's words."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, given, wanted in (
            ("candidate", self.candidate, self.action in _OF_A_CANDIDATE),
            ("value", self.value, self.action in _OF_A_VALUE),
            ("decision", self.decision, self.action in _OF_A_DECISION),
            ("budget", self.budget, self.action is ControlAction.SET_BUDGET),
            ("list of candidates", self.candidates, self.action is ControlAction.ADD_CANDIDATES),
        ):
            if (given is not None) != wanted:
                message = f"{self.action.value} {'needs a' if wanted else 'takes no'} {name}"
                raise ValueError(message)
        if self.action is _IN_BULK:
            message = f"{_IN_BULK.value} is for files of values: give an add_observation for each"
            raise ValueError(message)
        return self


def require_possible(operator_actions: Sequence[OperatorAction]) -> None:
    """Check that every action has its turn: nothing is acquired while a campaign is paused, so no `at` is reached.

    Raises:
        ValueError: For a validator.
    """
    paused_at: int | None = None
    last = 0
    for place, each in enumerate(operator_actions):
        if each.at < last:
            message = f"operator.{place} acts at {each.at}, the one before it at {last}; put them in order"
            raise ValueError(message)
        if paused_at is not None and each.at != paused_at:
            message = f"operator.{place} acts at {each.at}, but the campaign is paused at {paused_at} and stays there"
            raise ValueError(message)
        last = each.at
        if each.action is ControlAction.PAUSE:
            paused_at = each.at
        elif each.action in {ControlAction.RESUME, ControlAction.STOP}:
            paused_at = None
    if paused_at is not None:
        message = f"the operator pauses the campaign at {paused_at} and never resumes or stops it"
        raise ValueError(message)


def controls(
    operator_actions: Sequence[OperatorAction],
    *,
    campaign: str,
    pool: Pool,
    property_name: str,
    unit: str,
    now: datetime,
) -> tuple[Control, ...]:
    """Return the messages of the actions; each has the same id in every life of a campaign, and so acts once.

    Raises:
        SettingsError: When an action is about a candidate that the pool does not have.
    """
    return tuple(
        Control(
            campaign=campaign,
            message_id=hashlib.sha256(f"operator/{campaign}/{place}".encode()).hexdigest()[:32],
            sent_at=now,
            action=each.action,
            operator=OPERATOR,
            candidate_id=None if each.candidate is None else _candidate_id(each.candidate, pool, place),
            quantity=None if each.value is None else Quantity(name=property_name, value=each.value, unit=unit),
            candidates=each.candidates,
            decision=each.decision,
            budget=each.budget,
            reason=each.reason,
        )
        for place, each in enumerate(operator_actions)
    )


def _candidate_id(candidate: str | int, pool: Pool, place: int) -> str:
    if isinstance(candidate, int) and candidate < len(pool):
        return pool.candidate_ids[candidate]
    if isinstance(candidate, str) and candidate in pool.index_of:
        return candidate
    if isinstance(candidate, str) and candidate in pool.of_source_id:
        return pool.of_source_id[candidate]
    raise SettingsError(
        f"operator.{place}.candidate is {candidate!r}",
        expected=f"the id of one of the {len(pool)} candidates, or a place below {len(pool)}",
        action="look up the id in the pool's table",
    )
