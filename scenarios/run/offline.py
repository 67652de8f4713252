"""A campaign without a lab: the same rules and the same policies, answered from known values, in one function.

It is what a run is compared with ("the same budget at random, from the same start"), and what `compare` repeats over
seeds. No broker, no clock, no database: the campaign core alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from agent.acquisition.base import Ask, FloatArray, IndexArray
from agent.acquisition.registry import make_policy, policy_fingerprint
from agent.campaign import follow, proposals
from agent.campaign.context import make_context, pool_arrays
from agent.campaign.events import (
    AttemptFailed,
    CampaignStarted,
    CandidateExcluded,
    Event,
    Measured,
    ResultAccepted,
    StartSetLoaded,
)
from agent.campaign.life_cycle import Phase, Standing
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Campaign
from agent.entropy.bias import BiasMeter, BiasPoint
from agent.pool.candidates import Pool
from agent.runtime.transaction import observe
from agent.settings import CampaignSettings
from protocols.errors import invariant
from scenarios.run.trajectory import Trajectory

Answer = Callable[[int], Sequence[float] | None]
"""Returns the property of a candidate by its pool index, and what is balanced beside it; None where nobody knows."""

UNKNOWN: Final = "unknown"
"""Reason of a failure that stands for an answer which nobody has."""


@dataclass(frozen=True, slots=True)
class OfflineRun:
    """What an offline campaign did.

    Attributes:
        trajectory: The bias trajectory: step 0 is the start set.
        asked_at: How many candidates had been answered for, known or not, at each point of the trajectory.
        unknown: Pool indices of the candidates that nobody could answer for, in order, shape (u,).
        acquired: Pool indices of the observations beyond the start set, in the order in which they came, shape (t,);
            `acquired[i]` is what leads from step i to step i + 1.
    """

    trajectory: Trajectory
    acquired: IndexArray
    asked_at: tuple[int, ...] = ()
    unknown: IndexArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


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
        The bias trajectory: step 0 is the start set.
    """
    return play_offline(pool, values, start, settings, on_decision=on_decision).trajectory


def play_offline(
    pool: Pool,
    values: FloatArray,
    start: Sequence[int],
    settings: CampaignSettings,
    *,
    on_decision: Callable[[int], None] = lambda _number: None,
) -> OfflineRun:
    """Run a campaign to its end, and say in which order it acquired what; arguments as of `run_offline`."""
    invariant(bool(np.isfinite(values).all()), "an offline campaign knows the value of every candidate")
    policy = make_policy(settings.policy, settings.policy_options)
    rows = values.reshape(len(pool), 1 + len(settings.further)).tolist()
    known = {index: rows[index] for index in start}
    return play_answered(pool, rows.__getitem__, known, settings, policy.propose, on_decision=on_decision)


def play_answered(
    pool: Pool,
    answer: Answer,
    start: Mapping[int, Sequence[float]],
    settings: CampaignSettings,
    ask: Ask,
    *,
    excluded: Iterable[int] = (),
    on_decision: Callable[[int], None] = lambda _number: None,
) -> OfflineRun:
    """Run a campaign to its end on answers that may be missing: such a candidate is set aside, and counted.

    Args:
        pool: The candidates.
        answer: Knows the values.
        start: Pool index and values of the start set.
        settings: Policy, budget, seed, parallel, ordering.
        ask: Asks the policy.
        excluded: Pool indices that may not be asked for.
        on_decision: Called with the number of each decision, for progress.
    """
    plan = settings.plan(
        campaign="offline",
        uid="offline",
        fingerprint=policy_fingerprint(settings.policy, settings.policy_options),
        recipients=("offline",),
        pool_digest=pool.digest,
        start_values=[row[0] for row in start.values()],
        start_further=[tuple(row[1:]) for row in start.values()],
    )
    return _Player(pool, answer, plan, ask).play(start, excluded, on_decision)


class _Player:
    def __init__(self, pool: Pool, answer: Answer, plan: CampaignPlan, ask: Ask) -> None:
        self._campaign = Campaign(pool)
        self._pool = pool
        self._arrays = pool_arrays(pool)
        self._answer = answer
        self._plan = plan
        self._ask = ask
        self._meter = BiasMeter(pool.families, measure=plan.aspects)
        self._points: list[tuple[int, BiasPoint]] = []
        self._acquired: list[int] = []
        self._asked_at: list[int] = []
        self._unknown: list[int] = []

    def play(
        self, start: Mapping[int, Sequence[float]], excluded: Iterable[int], on_decision: Callable[[int], None]
    ) -> OfflineRun:
        campaign = self._campaign
        ids = tuple(self._pool.candidate_ids[index] for index in start)
        self._fold(CampaignStarted(self._plan))
        further = tuple(tuple(row[1:]) for row in start.values()) if self._plan.further else ()
        self._fold(StartSetLoaded(ids, tuple(row[0] for row in start.values()), further))
        for index in excluded:
            name = self._pool.candidate_ids[index]
            if campaign.standing[index] == Standing.AVAILABLE:
                self._fold(CandidateExcluded(name, "excluded by the operator then", f"excluded-{index}"))
        while campaign.phase is Phase.RUNNING:
            follows = follow.react(campaign)
            for event in follows:
                self._fold(event)
            if follows:
                continue
            needed = proposals.decision_needed(campaign)
            if needed is None:
                self._answer_oldest()
                continue
            on_decision(needed.decision)
            proposal = self._ask(make_context(campaign, self._arrays), needed.count)
            for event in proposals.decide_proposal(campaign, needed, campaign.sequence, proposal).events:
                self._fold(event)
        trajectory = Trajectory(self._plan.label, self._plan.unit, tuple(self._points))
        acquired, unknown = (np.array(each, dtype=np.int64) for each in (self._acquired, self._unknown))
        return OfflineRun(trajectory, acquired, tuple(self._asked_at), unknown)

    def _answer_oldest(self) -> None:
        attempt = next(iter(self._campaign.in_flight.values()))
        index = self._pool.index_of[attempt.candidate_id]
        answer = self._answer(index)
        if answer is None:
            self._unknown.append(index)
            why = "nobody knows its value"
            failed = AttemptFailed(attempt.attempt_id, attempt.candidate_id, "offline", UNKNOWN, why, permanent=True)
            self._fold(failed)
            return
        value, *others = answer
        quantities = tuple(
            Measured(each.name, other, each.unit) for each, other in zip(self._plan.further, others, strict=True)
        )
        self._acquired.append(index)
        self._fold(ResultAccepted(attempt.attempt_id, attempt.candidate_id, "offline", value, quantities, 0.0))

    def _fold(self, event: Event) -> None:
        self._campaign.apply(event)
        if observe(self._meter, self._pool, event) is not None:
            self._points.append((len(self._points), self._meter.point()))
            self._asked_at.append(len(self._acquired) + len(self._unknown))


def entropy_range_at_end(trajectory: Trajectory) -> float:
    """Return the final entropy range [nat], NaN where it is not defined."""
    last = trajectory.points[-1][1].entropy_range
    return float(np.nan) if last is None else last
