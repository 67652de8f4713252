"""A campaign without a lab: the same rules and the same policies, answered from known values, in one function.

It is what a run is compared with ("the same budget at random, from the same start"), and what `compare` repeats over
seeds. How it is played is next door, in `scenarios.run.offline_campaign`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from pydantic import ValidationError

from agent.acquisition.base import AcquisitionContext, Ask, FloatArray, IndexArray, Proposal
from agent.acquisition.registry import make_policies, policy_fingerprint, require_fixed_pool, uses_fidelities
from agent.campaign.events import CandidateAbandoned, CandidatesAdded, Event, ResultAccepted, StartSetLoaded
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Attempt
from agent.campaign.target_values import candidate_index
from agent.entropy.bias import BiasPoint
from agent.pool.candidates import Candidate, Pool
from agent.pool.growth import NewCandidate
from agent.pool.measurements import Measurement
from agent.settings import CampaignSettings
from protocols.errors import SettingsError, invariant
from protocols.wire.messages import Control, ControlAction, FailureReason, Quantity
from scenarios.run.offline_campaign import NO_CLOCK, OFFLINE, Failure, LabAnswer, OfflineCampaign
from scenarios.run.trajectory import Trajectory


@dataclass(frozen=True, slots=True)
class Measured:
    """What a lab said of a candidate.

    Attributes:
        values: The property, and what is balanced beside it [their units], shape (p,).
        uncertainties: Standard uncertainties of these, 0 where none was said, shape (p,) [their units].
    """

    values: Sequence[float]
    uncertainties: Sequence[float]


Answer = Callable[[Candidate], Sequence[float] | Measured | None]
"""Returns the property of a candidate, and what is balanced beside it; None where nobody knows."""

MeasuredAnswer = Callable[[Candidate, Measurement], Sequence[float] | Measured | None]
"""The same by the row of the pool that is asked for, and what it measures."""

BY_THE_OPERATOR: Final = "by the operator of the recorded campaign"
"""Why a candidate joins the pool or is excluded."""

UNKNOWN: Final = Failure(FailureReason.UNKNOWN_CANDIDATE, "nobody knows its value")
"""Stands for an answer which nobody has; another attempt would not have it either."""


@dataclass(frozen=True, slots=True)
class OfflineRun:
    """What an offline campaign did.

    Attributes:
        trajectory: The bias trajectory: observation 0 is the start set.
        asked_at: How many candidates had their outcome, known or not, at each point of the trajectory.
        unknown: Pool indices of the candidates that nobody could answer for, in order, shape (u,).
        acquired: Pool indices of the observations beyond the start set, in the order in which they came, shape (t,);
            `acquired[i]` is what leads from observation i to observation i + 1.
        abandoned: Pool indices of the candidates that were abandoned, those of `unknown` among them, shape (a,).
        ended: Why it ended.
        is_finished: Whether it came to its end; if not, it has paused itself.
        events: Its journal.
    """

    trajectory: Trajectory
    acquired: IndexArray
    asked_at: tuple[int, ...] = ()
    unknown: IndexArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    abandoned: IndexArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    ended: str = ""
    is_finished: bool = True
    events: tuple[Event, ...] = ()


def run_offline(
    pool: Pool,
    values: FloatArray,
    start: Sequence[int],
    settings: CampaignSettings,
    *,
    on_decision: Callable[[int], None] = lambda _number: None,
) -> Trajectory:
    """Run a campaign to its end.

    Args:
        pool: The candidates.
        values: The property of every candidate, in pool order, shape (n,); of several balanced ones, shape (n, p).
        start: Pool indices of the start set.
        settings: Policy, budget, seed, parallel, ordering.
        on_decision: Called with the number of each decision, for progress.

    Returns:
        The bias trajectory: observation 0 is the start set.
    """
    return play_offline(pool, values, start, settings, on_decision=on_decision).trajectory


def play_offline(
    pool: Pool,
    values: FloatArray,
    start: Sequence[int],
    settings: CampaignSettings,
    *,
    uncertainties: FloatArray | None = None,
    fidelities: Mapping[str, FloatArray] | None = None,
    on_decision: Callable[[int], None] = lambda _number: None,
) -> OfflineRun:
    """Run a campaign to its end, and say in which order it acquired what.

    Args:
        pool: As of `run_offline`, as all but the following.
        values: Of every candidate.
        start: Pool indices of the start set.
        settings: Policy, budget, seed, parallel, ordering.
        uncertainties: Standard uncertainties of the values, shape (n, p), 0 where none is known; none by default.
        fidelities: Values of the property by other methods than the target, shape (n,), NaN where nobody knows them.
        on_decision: Called with the number of each decision.

    Raises:
        SettingsError: When the policy makes candidates of its own, or asks for methods, whose values nobody knows.
    """
    invariant(bool(np.isfinite(values).all()), "an offline campaign knows the value of every candidate")
    require_fixed_pool(settings.policy, settings.code)
    _require_values_of(settings, fidelities or {})
    policy = make_policies(settings.policy, settings.policy_options, settings.code, rest=settings.stop.rest_policy)
    shape = (len(pool), 1 + len(settings.additional_properties))
    told = np.zeros(shape) if uncertainties is None else uncertainties.reshape(shape)
    values = values.reshape(shape)

    def measured(index: int) -> Measured:
        return Measured(values[index].tolist(), told[index].tolist())

    def answer(row: Candidate, asked: Measurement) -> Measured | None:
        index = pool.index_of[asked.candidate_id]
        if row.candidate_id == asked.candidate_id or asked.fidelity == settings.fidelity:
            return measured(index)
        by = (fidelities or {}).get(asked.fidelity or "")
        value = math.nan if by is None else float(by[index])
        return None if math.isnan(value) else Measured((value,), (0.0,))

    known = {index: measured(index) for index in start}
    return play_measured(pool, answer, known, settings, policy.propose, on_decision=on_decision)


def play_answered(
    pool: Pool,
    answer: Answer,
    start: Mapping[int, Sequence[float] | Measured],
    settings: CampaignSettings,
    ask: Ask,
    *,
    joined: Sequence[NewCandidate] = (),
    excluded: Iterable[str] = (),
    on_decision: Callable[[int], None] = lambda _number: None,
) -> OfflineRun:
    """Run a campaign to its end on answers for rows of the pool, by their ids; arguments as of `play_measured`."""
    return play_measured(
        pool,
        lambda row, _asked: answer(row),
        start,
        settings,
        ask,
        joined=joined,
        excluded=excluded,
        on_decision=on_decision,
    )


def play_measured(
    pool: Pool,
    answer: MeasuredAnswer,
    start: Mapping[int, Sequence[float] | Measured],
    settings: CampaignSettings,
    ask: Ask,
    *,
    joined: Sequence[NewCandidate] = (),
    excluded: Iterable[str] = (),
    on_decision: Callable[[int], None] = lambda _number: None,
) -> OfflineRun:
    """Run a campaign to its end on answers that may be missing: such a candidate is abandoned, and counted.

    Args:
        pool: The candidates.
        answer: Knows the values.
        start: Pool index and values of the start set, with their uncertainties where they are known.
        settings: Policy, budget, seed, parallel, ordering.
        ask: Asks the policy.
        joined: Candidates that an operator added to the pool.
        excluded: Ids of candidates that may not be asked for.
        on_decision: Called with the number of each decision, for progress.
    """
    known = {index: _measured(each) for index, each in start.items()}
    plan = settings.plan(
        campaign=OFFLINE,
        uid=OFFLINE,
        fingerprint=policy_fingerprint(settings.policy, settings.policy_options, settings.code),
        recipients=(OFFLINE,),
        pool=pool,
        start_values=[each.values[0] for each in known.values()],
        start_additional=[tuple(each.values[1:]) for each in known.values()],
    )
    lab = KnownValues(plan, answer, lambda: played.campaign.pool)

    def reported(context: AcquisitionContext, count: int) -> Proposal:
        on_decision(context.decision)
        return ask(context, count)

    played = OfflineCampaign(pool, lab, reported, code=settings.code)
    joining = {each.candidate_id for each in joined}
    exclusions = [_exclusion(each) for each in excluded if each in joining or each in pool.index_of]
    played.begin(plan, _start_set(pool, known, plan), exclusions, joined=_additions(joined))
    played.play()
    return _run_of(played, lab)


def _require_values_of(settings: CampaignSettings, known: Mapping[str, FloatArray]) -> None:
    """Check that the values by every method are known that a policy may ask for.

    Raises:
        SettingsError: When they are not.
    """
    if not settings.fidelities or not uses_fidelities(settings.policy, settings.code):
        return
    if lacking := [each for each in settings.fidelities if each != settings.fidelity and each not in known]:
        raise SettingsError(
            f"The policy {settings.policy!r} may ask for {lacking[0]!r}, and nobody knows what that says",
            expected="a table with a column for every method of [campaign.fidelities] (pool.columns.fidelities)",
            action="name the columns, or a policy that asks for the target alone",
        )


class KnownValues:
    """A lab that knows values, and reports them as the plan wants them.

    Args:
        plan: Which properties, in which units.
        answer: Knows the values.
        pool: Returns the candidates, with all that has joined them.

    Attributes:
        unknown: Pool indices of the candidates that it could not answer for, in order.
    """

    def __init__(self, plan: CampaignPlan, answer: MeasuredAnswer, pool: Callable[[], Pool]) -> None:
        self._plan = plan
        self.unknown: list[int] = []
        self._answer = answer
        self._pool = pool
        self._wanted = [
            (plan.property_name, plan.unit),
            *((each.name, each.unit) for each in plan.additional_properties),
        ]

    def __call__(self, attempt: Attempt) -> LabAnswer:
        """Answer an attempt."""
        pool = self._pool()
        answer = self._answer(pool.candidate(attempt.candidate_id), self._plan.measurement_of(attempt.candidate_id))
        if answer is None:
            self.unknown.append(pool.index_of[attempt.candidate_id])
            return UNKNOWN
        said = _measured(answer)
        try:
            return tuple(
                Quantity(name=name, value=value, unit=unit, standard_deviation=uncertainty or None)
                for (name, unit), value, uncertainty in zip(self._wanted, said.values, said.uncertainties, strict=True)
            )
        except ValidationError as error:
            return Failure(FailureReason.CALCULATION_FAILED, error.errors(include_url=False)[0]["msg"])


def _measured(answer: Sequence[float] | Measured) -> Measured:
    """Return values with their uncertainties; 0 where none were told."""
    return answer if isinstance(answer, Measured) else Measured(answer, (0.0,) * len(answer))


def _start_set(pool: Pool, start: Mapping[int, Measured], plan: CampaignPlan) -> StartSetLoaded:
    additional = [tuple(each.values[1:]) for each in start.values()] if plan.additional_properties else ()
    uncertainties = [tuple(each.uncertainties) for each in start.values()]
    return StartSetLoaded.of(
        [(pool.candidate_ids[index], each.values[0]) for index, each in start.items()],
        additional,
        uncertainties if any(map(any, uncertainties)) else (),
    )


def _additions(joined: Sequence[NewCandidate]) -> tuple[CandidatesAdded, ...]:
    """Return the event by which candidates join the pool, as the operator of the recorded campaign let them."""
    return (CandidatesAdded(tuple(joined), BY_THE_OPERATOR, OFFLINE),) if joined else ()


def _exclusion(candidate_id: str) -> Control:
    """Return the control that excludes a candidate, as the operator of the recorded campaign did."""
    return Control(
        campaign=OFFLINE,
        message_id=candidate_id,
        sent_at=NO_CLOCK,
        action=ControlAction.EXCLUDE_CANDIDATE,
        candidate_id=candidate_id,
        reason=BY_THE_OPERATOR,
    )


def _run_of(played: OfflineCampaign, lab: KnownValues) -> OfflineRun:
    campaign, plan = played.campaign, played.campaign.plan
    points: list[tuple[int, BiasPoint]] = []
    asked_at: list[int] = []
    acquired: list[int] = []
    outcomes = 0
    spent: list[int] = []
    for change in played.changes:
        outcomes += isinstance(change.event, ResultAccepted | CandidateAbandoned)
        if change.metrics is not None:
            points.append((change.metrics.observation, change.metrics.point))
            asked_at.append(outcomes)
            spent.append(change.metrics.spent)
        if isinstance(change.event, ResultAccepted) and change.metrics is not None:
            acquired.append(candidate_index(campaign, change.event.candidate_id))
    return OfflineRun(
        Trajectory(plan.label, plan.unit, tuple(points), spent=tuple(spent) if plan.fidelities else ()),
        np.array(acquired, dtype=np.int64),
        tuple(asked_at),
        np.array(lab.unknown, dtype=np.int64),
        np.flatnonzero(campaign.statuses == CandidateStatus.ABANDONED),
        played.ended,
        campaign.phase is Phase.FINISHED,
        tuple(change.event for change in played.changes),
    )
