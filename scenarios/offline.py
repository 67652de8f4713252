"""A campaign without a lab: the same rules and the same policies, answered from known values, in one function.

It is what a run is compared with ("the same budget at random, from the same start"), and what `compare` repeats over
seeds. No broker, no clock, no database: the campaign core alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray, Policy
from agent.acquisition.bias import BiasMeter, BiasPoint
from agent.acquisition.registry import make_policy, policy_fingerprint
from agent.campaign import decide
from agent.campaign.context import make_context, pool_arrays
from agent.campaign.events import CampaignPlan, CampaignStarted, Event, ResultAccepted, StartSetLoaded
from agent.campaign.state import Campaign, Phase
from agent.pool.candidates import Pool
from agent.report.trajectory import Trajectory
from agent.settings import CampaignSettings
from agent.step import observe
from protocols.errors import invariant


@dataclass(frozen=True, slots=True)
class OfflineRun:
    """What an offline campaign did.

    Attributes:
        trajectory: The bias trajectory: step 0 is the start set.
        acquired: Pool indices of the observations beyond the start set, in the order in which they came, shape (t,);
            `acquired[i]` is what leads from step i to step i + 1.
    """

    trajectory: Trajectory
    acquired: IndexArray


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
        values: The property of every candidate, in pool order, shape (n,).
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
    plan = settings.plan(
        campaign="offline",
        uid="offline",
        fingerprint=policy_fingerprint(settings.policy, settings.policy_options),
        recipients=("offline",),
        pool_digest=pool.digest,
        start_values=values[list(start)].tolist(),
    )
    return _Player(pool, values, plan, policy).play(start, on_decision)


class _Player:
    def __init__(self, pool: Pool, values: FloatArray, plan: CampaignPlan, policy: Policy) -> None:
        self._campaign = Campaign(pool)
        self._pool = pool
        self._arrays = pool_arrays(pool)
        self._values = values
        self._plan = plan
        self._policy = policy
        self._meter = BiasMeter(pool.families, measure=plan.measure)
        self._points: list[tuple[int, BiasPoint]] = []
        self._acquired: list[int] = []

    def play(self, start: Sequence[int], on_decision: Callable[[int], None]) -> OfflineRun:
        campaign = self._campaign
        ids = tuple(self._pool.candidate_ids[index] for index in start)
        self._fold(CampaignStarted(self._plan))
        self._fold(StartSetLoaded(ids, tuple(float(self._values[index]) for index in start)))
        while campaign.phase is Phase.RUNNING:
            follows = decide.react(campaign)
            for event in follows:
                self._fold(event)
            if follows:
                continue
            needed = decide.decision_needed(campaign)
            if needed is None:
                self._answer_oldest()
                continue
            on_decision(needed.decision)
            proposal = self._policy.propose(make_context(campaign, self._arrays), needed.count)
            for event in decide.decide_proposal(campaign, needed, campaign.sequence, proposal).events:
                self._fold(event)
        trajectory = Trajectory(self._plan.property_name, self._plan.unit, tuple(self._points))
        return OfflineRun(trajectory, np.array(self._acquired, dtype=np.int64))

    def _answer_oldest(self) -> None:
        attempt = next(iter(self._campaign.in_flight.values()))
        index = self._pool.index_of[attempt.candidate_id]
        value = float(self._values[index])
        self._acquired.append(index)
        self._fold(ResultAccepted(attempt.attempt_id, attempt.candidate_id, "offline", value, (), 0.0))

    def _fold(self, event: Event) -> None:
        self._campaign.apply(event)
        if observe(self._meter, self._pool, event) is not None:
            self._points.append((len(self._points), self._meter.point()))


def entropy_range_at_end(trajectory: Trajectory) -> float:
    """Return the final entropy range [nat], NaN where it is not defined."""
    last = trajectory.points[-1][1].entropy_range
    return float(np.nan) if last is None else last
