"""A whole campaign without a lab, with what every step of it took."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import scipy.linalg  # noqa: F401 - a limit on threads holds for libraries that are there when it is set
from threadpoolctl import threadpool_limits

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.bias import BiasPoint
from agent.acquisition.registry import make_policy
from agent.settings import CampaignSettings
from scenarios.offline import run_offline
from tests.benchmarks.published_tables import PublishedWorld


class Watched:
    """Another policy, and what it said last; named in the settings as a user's own."""

    last: ClassVar[Proposal | None] = None

    def __init__(self, *, name: str, options: dict[str, Any]) -> None:
        self._policy = make_policy(name, options)

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Propose as the other one does."""
        Watched.last = self._policy.propose(context, count)
        return Watched.last


@dataclass
class TimedCampaign:
    """What came of a campaign.

    Attributes:
        points: Bias after so many acquisitions; the first is the start.
        cpu_s: Processor time of the campaign, of this process and its threads.
        wall_s: Time on the clock.
        end: Why it ended before its budget was spent, or nothing.
    """

    points: list[BiasPoint] = field(default_factory=list)
    cpu_s: float = 0.0
    wall_s: float = 0.0
    end: str = ""

    @property
    def steps(self) -> int:
        """Acquisitions made."""
        return len(self.points) - 1

    def at(self, step: int) -> BiasPoint | None:
        """The bias after so many acquisitions; None when it ended before."""
        return self.points[step] if step <= self.steps else None


def mean_entropy(point: BiasPoint) -> float:
    """Mean of the defined entropies [nat]."""
    return float(np.mean([h for h in point.entropies if h is not None]))


def play(world: PublishedWorld, policy: str, steps: int, **options: Any) -> TimedCampaign:
    """Acquire one candidate after the other, with one BLAS thread, as the agent has it."""
    settings = CampaignSettings(
        property="formation_energy", unit="eV/atom", budget=steps, policy=f"{__name__}:Watched",
        policy_options={"name": policy, "options": options},
    )  # fmt: skip
    Watched.last = None
    with threadpool_limits(1):
        wall, cpu = time.perf_counter(), time.process_time()
        trajectory = run_offline(world.pool, world.values, world.start, settings)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    points = [point for _, point in trajectory.points]
    last = Watched.last
    return TimedCampaign(points, cpu, wall, "" if last is None or last.choices else last.reason)
