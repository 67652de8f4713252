"""How long the policy takes to decide and commits take to be written, counted since this process began."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.runtime.policy_runner import PolicyRunner
from agent.runtime.tracing.interval import Interval

FIRST_LOG_S: Final = 2.0
"""The first time comes sooner [s]: whoever looks at a campaign that has just begun finds something."""

LOG_EVERY_S: Final = 30.0
"""How often the counts are logged while something happens [s]: whoever reads the log has them soon."""


NEVER: Final = Interval(0, 0)


@dataclass(slots=True)
class Timings:
    """Counts, and how long all together took [s]."""

    decisions: int = 0
    deciding_s: float = 0.0
    commits: int = 0
    committing_s: float = 0.0
    written: Interval = NEVER
    """When the latest commit was written."""
    asked: list[Interval] = field(default_factory=list)
    """When the policy was asked and answered, of the answers that no committed decision has taken yet."""

    def decided(self, interval: Interval) -> None:
        """Count an answer of the policy."""
        self.decisions += 1
        self.deciding_s += interval.seconds
        self.asked.append(interval)
        del self.asked[:-MAX_ANSWERS]

    def committed(self, start_ns: int, end_ns: int) -> None:
        """Count a commit that began and ended then [ns since 1970]."""
        self.written = Interval(start_ns, end_ns)
        self.commits += 1
        self.committing_s += self.written.seconds


MAX_ANSWERS: Final = 256
"""Answers of the policy that wait for their decision: of one transaction there are never more."""


class TimedPolicyRunner:
    """Notes when a policy is asked and when it answers; implements `agent.runtime.policy_runner.PolicyRunner`.

    Args:
        inner: Runs the policy.
        timings: Gets the times.
        now_ns: Wall-clock time [ns since 1970].
    """

    def __init__(self, inner: PolicyRunner, timings: Timings, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._inner = inner
        self._timings = timings
        self._now_ns = now_ns

    def propose_inline(self, context: AcquisitionContext, count: int) -> Proposal | None:
        """Propose at once, if the policy does."""
        began = self._now_ns()
        proposal = self._inner.propose_inline(context, count)
        if proposal is not None:
            self._timings.decided(Interval(began, self._now_ns()))
        return proposal

    async def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Propose, off the event loop where that is dear."""
        began = self._now_ns()
        proposal = await self._inner.propose(context, count)
        self._timings.decided(Interval(began, self._now_ns()))
        return proposal

    async def close(self) -> None:
        """Release what it holds."""
        await self._inner.close()


class TimingLog:
    """Logs the counts now and then.

    Args:
        logger: With the campaign bound.
        timings: The counts.
        clock: Monotonic time [s].
    """

    def __init__(
        self,
        logger: structlog.typing.FilteringBoundLogger,
        timings: Timings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._timings = timings
        self._clock = clock
        self._due = clock() + FIRST_LOG_S

    def note(self) -> None:
        """Log them where it is time."""
        if self._clock() >= self._due:
            self._due = self._clock() + LOG_EVERY_S
            self.log()

    def log(self) -> None:
        """Log them."""
        told = self._timings
        self._logger.info(
            "timings",
            decisions=told.decisions,
            deciding_s=round(told.deciding_s, 6),
            commits=told.commits,
            committing_s=round(told.committing_s, 6),
        )
