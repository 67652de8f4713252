"""A whole campaign without a lab: what it took, and the bias after every step, by the published entropy.

Whatever entropy a policy balances, all are judged by the same: SciPy's automatic estimate, as the paper has it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import scipy.linalg  # noqa: F401 - a limit on threads holds for libraries that are there when it is set
from threadpoolctl import threadpool_limits

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.registry import make_policy
from agent.entropy.bias import BiasMeter, BiasPoint
from agent.settings import CampaignSettings
from scenarios.run.offline import run_offline
from tests.benchmarks.published_tables import PublishedWorld


class Watched:
    """Another policy, and what it said last; named in the settings as a user's own."""

    last: ClassVar[Proposal | None] = None
    chosen: ClassVar[list[int]] = []
    """Pool indices of all choices, in order."""
    scored: ClassVar[int] = 0
    """Candidates of the families aimed at, over all proposals in this campaign."""

    def __init__(self, *, name: str, options: dict[str, Any]) -> None:
        self._policy = make_policy(name, options)

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Propose as the other one does."""
        Watched.last = self._policy.propose(context, count)
        Watched.chosen.extend(choice.index for choice in Watched.last.choices)
        if Watched.last.target_family is not None:
            target = context.pool.families.index(Watched.last.target_family)
            Watched.scored += int((context.pool.family_codes[context.available] == target).sum())
        return Watched.last


@dataclass
class TimedCampaign:
    """What came of a campaign.

    Attributes:
        points: Bias after so many acquisitions; the first is the start.
        cpu_s: Processor time of the campaign, of this process and its threads.
        wall_s: Time on the clock.
        end: Why it ended before its budget was spent, or nothing.
        scored: Candidates that were scored in all.
    """

    points: list[BiasPoint] = field(default_factory=list)
    cpu_s: float = 0.0
    wall_s: float = 0.0
    end: str = ""
    scored: int = 0

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
    Watched.last, Watched.chosen, Watched.scored = None, [], 0
    with threadpool_limits(1):
        wall, cpu = time.perf_counter(), time.process_time()
        run_offline(world.pool, world.values, world.start, settings)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    meter = BiasMeter(world.pool.families, world.pool.family_codes[world.start], world.values[world.start])
    points = [meter.point()]
    for index in Watched.chosen:
        meter.add(int(world.pool.family_codes[index]), float(world.values[index]))
        points.append(meter.point())
    last = Watched.last
    return TimedCampaign(points, cpu, wall, "" if last is None or last.choices else last.reason, Watched.scored)
