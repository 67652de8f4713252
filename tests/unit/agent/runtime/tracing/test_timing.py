"""Tests of counting how long the policy and commits take."""

from __future__ import annotations

from itertools import count
from typing import Any

from agent.acquisition.base import Proposal
from agent.runtime.tracing.interval import Interval
from agent.runtime.tracing.timing import FIRST_LOG_S, LOG_EVERY_S, MAX_ANSWERS, TimedPolicyRunner, TimingLog, Timings

PROPOSAL = Proposal((), "nothing", None)


class Runner:
    """Answers at once, or only when it is awaited."""

    def __init__(self, *, inline: bool) -> None:
        self.inline = inline
        self.closed = False

    def propose_inline(self, _context: Any, _count: int) -> Proposal | None:
        return PROPOSAL if self.inline else None

    async def propose(self, _context: Any, _count: int) -> Proposal:
        return PROPOSAL

    async def close(self) -> None:
        self.closed = True


def test_an_answer_at_once_is_counted_and_none_is_not() -> None:
    timings, clock = Timings(), count(0, 1_000_000_000)
    for inline, answer in ((True, PROPOSAL), (False, None)):
        timed = TimedPolicyRunner(Runner(inline=inline), timings, lambda: next(clock))
        assert timed.propose_inline(None, 1) is answer  # type: ignore[arg-type]  # not looked at
    assert (timings.decisions, timings.deciding_s, timings.asked) == (1, 1.0, [Interval(0, 1_000_000_000)])


async def test_an_answer_that_is_awaited_is_counted_and_the_end_is_handed_on() -> None:
    timings, clock, runner = Timings(), count(0, 1_000_000_000), Runner(inline=False)
    timed = TimedPolicyRunner(runner, timings, lambda: next(clock))
    assert await timed.propose(None, 1) is PROPOSAL  # type: ignore[arg-type]  # not looked at
    await timed.close()
    assert (timings.decisions, timings.deciding_s, runner.closed) == (1, 1.0, True)


def test_answers_that_no_decision_takes_do_not_pile_up() -> None:
    timings = Timings()
    for number in range(2 * MAX_ANSWERS):
        timings.decided(Interval(number, number))
    assert len(timings.asked) == MAX_ANSWERS
    assert timings.asked[-1].start_ns == 2 * MAX_ANSWERS - 1


def test_a_clock_that_is_set_back_takes_no_time() -> None:
    timings = Timings()
    timings.committed(1_000_000_000, 0)
    assert (timings.commits, timings.committing_s) == (1, 0.0)


class Logger:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def info(self, name: str, **told: Any) -> None:
        self.lines.append({"event": name, **told})


def test_the_counts_are_logged_soon_and_then_now_and_then() -> None:
    logger, timings, now = Logger(), Timings(), [0.0]
    log = TimingLog(logger, timings, lambda: now[0])  # type: ignore[arg-type]  # the part of it that is used
    timings.committed(0, 500_000_000)
    for now[0] in (0.1, FIRST_LOG_S, FIRST_LOG_S + 1, FIRST_LOG_S + LOG_EVERY_S):
        log.note()
    told = {"event": "timings", "decisions": 0, "deciding_s": 0.0, "commits": 1, "committing_s": 0.5}
    assert logger.lines == [told, told]
