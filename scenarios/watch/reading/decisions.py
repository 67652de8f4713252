"""Decisions as cards: what was chosen, what it knew, and what came of it by the moment that is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from agent.campaign.events import (
    AttemptFailed,
    CandidateRequeued,
    DecisionApproved,
    DecisionMade,
    DecisionVetoed,
    DecisionWithdrawn,
    ObservationAdded,
    ObservationRetracted,
    RequestDeferred,
    RequestExpired,
    ResultAccepted,
)
from agent.campaign.life_cycle import OPEN
from agent.campaign.plan import Ordering
from scenarios.watch.reading.candidates import WORDS, CandidateCourse, courses_of
from scenarios.watch.reading.history import History, count_of, decisions_in, written_at_all
from scenarios.watch.reading.requests import awaited_at
from scenarios.watch.state.moment import Approval, DecidedCandidate, DecisionCard
from scenarios.why.phrases import prediction_in

EXPECTED_GAINS: Final = ("expected_gain", "expected_joint_gain")
"""Under which names policies note what they expect to gain."""

MAX_LOOKED_AT: Final = 2_000
"""Most candidates that failed or expired once and are looked at, to count those that wait to be asked again."""

_WAITING: Final = (AttemptFailed, RequestExpired, RequestDeferred, CandidateRequeued, DecisionMade)
_SAID: Final[dict[type, Approval]] = {
    DecisionApproved: "approved",
    DecisionVetoed: "vetoed",
    DecisionWithdrawn: "withdrawn",
}


def decision_card(connection: Connection, history: History, number: int, sequence: int) -> DecisionCard:
    """Return a decision as it stood at a row of the journal.

    Raises:
        StoreError: When there is none of that number.
    """
    return decision_cards(connection, history, [number], sequence)[0]


def decision_cards(
    connection: Connection, history: History, numbers: Sequence[int], sequence: int
) -> list[DecisionCard]:
    """Return several decisions as they stood at a row of the journal; raises as `decision_card`."""
    rows = {number: history.row_of(number) for number in numbers}
    lag = history.chronicle.plan.lag
    recent = {number for each in numbers for number in range(max(0, each + 1 - lag), each + 1)}
    read = _Read(connection, history, decisions_in(connection, {each: history.row_of(each) for each in recent}))
    times = written_at_all(connection, rows.values())
    return [_card(read, read.made[number], row, times.get(row, ""), sequence) for number, row in rows.items()]


class _Read:
    """Decisions that were read together, and what became of all their candidates.

    Attributes:
        made: The decisions by number: those that are told, and those that they took for pending.
        courses: Of their candidates.
    """

    def __init__(self, connection: Connection, history: History, made: dict[int, DecisionMade]) -> None:
        self.connection: Final = connection
        self.history: Final = history
        self.made: Final = made
        every = {which for event in made.values() for which in _named(event)}
        self.courses: Final = courses_of(connection, history.chronicle, every)


def _named(event: DecisionMade) -> tuple[str, ...]:
    return event.candidate_ids if event.runner_up is None else (*event.candidate_ids, event.runner_up)


def _card(read: _Read, made: DecisionMade, row: int, at: str, sequence: int) -> DecisionCard:
    courses = read.courses
    first = courses[made.candidate_ids[0]].at(sequence) if made.candidate_ids else None
    score = made.scores[-1] if made.scores else None
    known, in_flight = _known_then(read, made)
    return DecisionCard(
        decision=made.decision,
        sequence=row,
        at=at,
        policy=made.policy,
        seed=made.seed,
        based_on=made.based_on,
        reason=made.reason,
        target_family=made.target_family,
        candidates=_candidates(made, courses, sequence),
        runner_up=made.runner_up,
        runner_up_name=None if made.runner_up is None else courses[made.runner_up].name,
        runner_up_score=made.runner_up_score,
        margin=None if score is None or made.runner_up_score is None else score - made.runner_up_score,
        known_then=known,
        in_flight_then=in_flight,
        approval=_approval(read.history, made, sequence),
        expected_gain=next((made.details[name] for name in EXPECTED_GAINS if name in made.details), None),
        real_gain=None if first is None or first.value_row is None else gain_at(read.history, first.value_row),
        details=dict(made.details),
    )


def _candidates(made: DecisionMade, courses: dict[str, CandidateCourse], sequence: int) -> tuple[DecidedCandidate, ...]:
    joined = {each.candidate_id: each for each in made.added}
    prediction = prediction_in(made.details)
    shown = []
    for place, (which, score) in enumerate(zip(made.candidate_ids, made.scores, strict=True)):
        course, now, new = courses[which], courses[which].at(sequence), joined.get(which)
        shown.append(
            DecidedCandidate(
                candidate=which,
                name=course.name,
                family=course.family or (None if new is None else new.family),
                formula="" if new is None else new.formula,
                score=score,
                predicted=prediction.mean if place == 0 else None,  # of the first choice alone it is told
                predicted_sd=prediction.std if place == 0 else None,
                measured=now.value,
                measured_sd=now.uncertainty,
                status=WORDS[now.status] if now.was_chosen or now.value is not None else "not asked for",
            )
        )
    return tuple(shown)


def _approval(history: History, made: DecisionMade, sequence: int) -> Approval:
    if not made.held:
        return "none"
    said: Approval = "waiting"
    for entry in history.chronicle.up_to(sequence, tuple(_SAID)):
        if getattr(entry.event, "decision", None) == made.decision:
            said = _SAID[type(entry.event)]
    return said


def gain_at(history: History, sequence: int) -> float | None:
    """Return by how much the mean gap fell with the value of a row of the journal [nat]; None where not defined."""
    observation = history.course.observation_at(sequence)
    if observation < 1 or history.course.sequence_of(observation) != sequence:
        return None
    before, after = (history.course.figures_at(each)["mean_gap"] for each in (observation - 1, observation))
    return None if math.isnan(before) or math.isnan(after) else before - after


def _known_then(read: _Read, made: DecisionMade) -> tuple[int | None, int | None]:
    """Return how many values a decision knew, and how many candidates it took for pending (`agent.campaign.context`).

    In order, the candidates of the decisions just before count as pending, answered or not.
    """
    plan, row = read.history.chronicle.plan, made.based_on
    if plan.fidelities and made.policy != plan.policy:
        return None, None  # the rest of a budget is decided by a policy that knows of candidates only
    values = _values_at(read.connection, read.history, row)
    if plan.ordering is not Ordering.IN_ORDER:
        return values, _open_at(read.connection, read.history, row)
    recent = range(max(0, made.decision + 1 - plan.lag), made.decision)
    chosen = [which for number in recent for which in read.made[number].candidate_ids]
    still = [now for now in (read.courses[which].at(row) for which in chosen) if now.was_chosen]
    return values - sum(each.value is not None for each in still), len(still)


def _values_at(connection: Connection, history: History, row: int) -> int:
    """Return how many measurements had a value at a row of the journal."""
    plan, course = history.chronicle.plan, history.course
    observation = course.observation_at(row)
    if not plan.fidelities:
        return course.values_at(observation)
    changes = sum(
        1 if isinstance(entry.event, ObservationAdded) else -1
        for entry in history.chronicle.up_to(row, (ObservationAdded, ObservationRetracted))
    )
    start = course.values_at(0) if observation >= 0 else 0
    return start + count_of(connection, ResultAccepted, row) + changes


def _open_at(connection: Connection, history: History, row: int) -> int | None:
    """Return how many candidates were chosen and had no outcome at a row of the journal."""
    awaited = {each.candidate_id for each in awaited_at(connection, history.chronicle, row)}
    others: set[str] = set()
    for entry in history.chronicle.up_to(row, _WAITING):
        others.update(getattr(entry.event, "candidate_ids", ()) or (getattr(entry.event, "candidate_id", ""),))
    others -= awaited
    if len(others) > MAX_LOOKED_AT:
        return None
    courses = courses_of(connection, history.chronicle, others)
    return len(awaited) + sum(course.at(row).status in OPEN for course in courses.values())
