"""Whatever a calculator does costs one failure with its reason, and leaves no program and no wrong answer behind."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from protocols.concurrency.started_programs import MARK
from protocols.settings.user_code import CodeSource
from protocols.wire.messages import CandidateRequest, FailureReason
from protocols.wire.structure import CrystalStructure
from simulators.calculators.own import AllowedCalculator
from simulators.evaluator import EvaluationFailed
from simulators.executors.children import ChildExecutor
from simulators.settings import SimulatorSettings
from tests.support import sample_messages as messages

pytestmark = [pytest.mark.system, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")]

CALCULATOR = "hostile.py:make"
HERE = Path(__file__).parent
DEADLINE_S = 1.5
"""Deadline of what never ends."""

LONG_S = 300.0
"""Deadline of what ends by itself: nobody waits for it, unless a death is not noticed."""

MEMORY_MB = 2_048
PATIENCE_S = 20.0

TIMED_OUT, CRASHED, FAILED = FailureReason.DEADLINE_EXCEEDED, FailureReason.CRASHED, FailureReason.CALCULATION_FAILED


def crystal(symbol: str, edge: float = 3.7) -> CrystalStructure:
    half = edge / 2
    cell = ((0.0, half, half), (half, 0.0, half), (half, half, 0.0))
    return CrystalStructure(cell=cell, symbols=(symbol,), scaled_positions=((0.0, 0.0, 0.0),))


def request(symbol: str, deadline_s: float = LONG_S) -> CandidateRequest:
    return messages.request(
        structure=crystal(symbol),
        formula=symbol,
        properties=("volume_per_atom", "energy_per_atom"),
        deadline_s=deadline_s,
    )


@pytest.fixture
async def lab() -> AsyncIterator[ChildExecutor]:
    settings = SimulatorSettings(id="sim-1", calculator=CALCULATOR, concurrency=1, memory_limit_mb=MEMORY_MB)
    made = ChildExecutor(settings.with_allowed_calculator(AllowedCalculator(CALCULATOR, CodeSource(str(HERE)))))
    yield made
    await made.close()
    assert left_by(made) == []


def left_by(lab: ChildExecutor) -> list[int]:
    """The processes that live and have the mark of a child of ours."""
    marks = {child._mark for child in lab._all}
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) in marks:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


async def volume_of_copper(lab: ChildExecutor) -> float:
    measured = await lab.evaluate(request("Cu"))
    return next(each.value for each in measured.quantities if each.name == "volume_per_atom")


MISDEEDS = {
    "never ends": [
        ("H", DEADLINE_S, TIMED_OUT, "not finished after 1.5 s"),  # loops in C
        ("He", DEADLINE_S, TIMED_OUT, "not finished"),  # starts a program first
        ("Li", DEADLINE_S, TIMED_OUT, "not finished"),  # leaves a daemon that does not hear SIGTERM
        ("C", DEADLINE_S, TIMED_OUT, "not finished"),  # forks forty times
        ("S", DEADLINE_S, TIMED_OUT, "not finished"),  # stops itself
    ],
    "dies": [
        ("N", LONG_S, CRASHED, "code -11"),  # segmentation fault
        ("Be", LONG_S, CRASHED, "code -11"),  # leaves a daemon, and the same
        ("B", LONG_S, CRASHED, "code -11"),  # leaves a copy that holds the pipes, and the same
        ("F", LONG_S, CRASHED, "code 1"),  # raises what is no Exception
        ("Na", LONG_S, CRASHED, "ended with code"),  # KeyboardInterrupt
        ("Mg", LONG_S, CRASHED, "code 0"),  # SystemExit
        ("Cl", LONG_S, CRASHED, "code 0"),  # ends
        ("Si", LONG_S, CRASHED, "Bad file descriptor"),  # closes files
        ("P", LONG_S, CRASHED, "ended with code"),  # closes all files
    ],
    "raises or lies": [
        ("O", LONG_S, CRASHED, "ZeroDivisionError: in Gaul"),
        ("Ne", LONG_S, CRASHED, "Wordless"),  # an exception that cannot be told
        ("Al", LONG_S, CRASHED, "MemoryError"),
        ("Ti", LONG_S, FAILED, "not finite"),
        ("V", LONG_S, FAILED, "not finite"),
        ("Cr", LONG_S, CRASHED, "ValueError"),  # words
        ("Mn", LONG_S, CRASHED, "TypeError"),  # nothing
        ("Fe", LONG_S, FAILED, ""),  # a huge number
        ("Co", LONG_S, CRASHED, "TypeError"),  # a list
    ],
}
"""Kind of misdeed -> element, deadline [s], reason, and what the detail says."""


@pytest.mark.parametrize("kind", MISDEEDS)
async def test_each_misdeed_costs_one_failure_and_leaves_nothing(lab: ChildExecutor, kind: str) -> None:
    for symbol, deadline_s, reason, says in MISDEEDS[kind]:
        began = time.monotonic()
        with pytest.raises(EvaluationFailed) as failed:
            await lab.evaluate(request(symbol, deadline_s))
        assert time.monotonic() - began < LONG_S / 2, f"{symbol}: a death is noticed, and not only at the deadline"
        found = failed.value.reason, says in failed.value.detail
        assert found == (reason, True), (symbol, failed.value.detail)
        running = [child._process.pid for child in lab._all if child.is_running and child._process is not None]
        assert [each for each in left_by(lab) if each not in running] == [], symbol
    assert await volume_of_copper(lab) == pytest.approx(12.0, rel=0.02)


async def test_what_a_calculator_says_reads_or_forks_does_not_change_an_answer(lab: ChildExecutor) -> None:
    copper = await volume_of_copper(lab)
    child = lab._all[0]
    assert child._process is not None
    pid = child._process.pid
    for symbol in ("K", "Ca", "Sc"):  # prints, reads, comes back twice
        measured = await lab.evaluate(request(symbol))
        assert {each.name for each in measured.quantities} >= {"volume_per_atom"}
        assert await volume_of_copper(lab) == copper
    assert child._process.pid == pid
    async with asyncio.timeout(30):
        while left_by(lab) != [pid]:  # noqa: ASYNC110 - the second that came back is ended, a moment later
            await asyncio.sleep(0.05)


async def test_what_a_child_says_for_long_is_not_kept(lab: ChildExecutor) -> None:
    for _ in range(3):
        await lab.evaluate(request("K"))
    stderr = lab._all[0]._stderr
    assert stderr is not None
    assert os.fstat(stderr.fileno()).st_size < 3_000_000
