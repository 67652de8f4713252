"""Real child processes: whatever an evaluator does, the simulator gets quantities or a failure with a reason."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from protocols.errors import SettingsError
from protocols.wire.limits import MAX_TEXT_LENGTH
from protocols.wire.messages import FailureReason
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.children import ChildExecutor
from simulators.executors.choice import make_executor
from simulators.executors.in_place import InPlaceExecutor
from simulators.oracle_table import NoAnswer
from simulators.settings import SimulatorSettings
from tests.support import sample_messages as messages
from tests.support.evaluators import LIES, Constant, energy

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0
"""For a child that imports its calculator on a loaded machine."""


def settings_of(evaluator: str = "Misbehaving", **fields: Any) -> SimulatorSettings:
    return SimulatorSettings(
        **({"id": "sim-1", "evaluator": f"tests.support.evaluators:{evaluator}", "concurrency": 1} | fields)
    )


@pytest.fixture(autouse=True)
def children_find_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
async def executor() -> AsyncIterator[ChildExecutor]:
    made = ChildExecutor(settings_of())
    yield made
    await made.close()


async def failed(executor: ChildExecutor, formula: str, deadline_s: float = PATIENCE_S) -> EvaluationFailed:
    with pytest.raises(EvaluationFailed) as caught:
        await executor.evaluate(messages.request(formula=formula, deadline_s=deadline_s))
    assert len(caught.value.detail) <= MAX_TEXT_LENGTH
    return caught.value


async def pid_of(executor: ChildExecutor) -> int:
    measured = await executor.evaluate(messages.request(formula="pid"))
    return int(measured.quantities[0].value)


async def test_an_evaluation_runs_in_another_process_that_stays_for_the_next_one(executor: ChildExecutor) -> None:
    assert await executor.evaluate(messages.request()) == Measurement(energy(-1.5))
    assert await pid_of(executor) == await pid_of(executor) != psutil.Process().pid


async def test_an_evaluation_that_hangs_is_killed_at_its_deadline_and_the_next_one_succeeds(
    executor: ChildExecutor,
) -> None:
    pid = await pid_of(executor)
    began = time.monotonic()
    failure = await failed(executor, "hang", deadline_s=0.2)
    assert time.monotonic() - began < PATIENCE_S
    assert failure.reason is FailureReason.DEADLINE_EXCEEDED
    assert "0.2 s" in failure.detail
    assert not psutil.pid_exists(pid)
    assert await pid_of(executor) != pid


async def test_starting_a_child_does_not_count_against_the_deadline_of_its_first_request(
    executor: ChildExecutor,
) -> None:
    """The child imports for longer than this; the evaluation itself is quick."""
    assert await executor.evaluate(messages.request(deadline_s=0.15)) == Measurement(energy(-1.5))


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("exit", "code 9: the calculator gave up"),
        ("abort", "code -6"),
        ("system exit", "code 4"),
        ("raise", "ZeroDivisionError: division of Gaul"),
    ],
)
async def test_a_crash_is_told_with_its_words_and_the_next_evaluation_succeeds(
    executor: ChildExecutor, formula: str, words: str
) -> None:
    failure = await failed(executor, formula)
    assert failure.reason is FailureReason.CRASHED
    assert words in failure.detail
    assert await executor.evaluate(messages.request()) == Measurement(energy(-1.5))


@pytest.mark.parametrize("lie", LIES)
async def test_quantities_that_are_none_are_a_failure_and_not_a_result(executor: ChildExecutor, lie: str) -> None:
    failure = await failed(executor, lie)
    expected = {
        "none": FailureReason.CRASHED,
        "numbers": FailureReason.CRASHED,
        "unserialisable": FailureReason.CRASHED,
    }
    assert failure.reason is expected.get(lie, FailureReason.CALCULATION_FAILED)
    assert failure.detail
    assert await executor.evaluate(messages.request()) == Measurement(energy(-1.5))


async def test_what_an_evaluator_prints_does_not_disturb(executor: ChildExecutor) -> None:
    assert await executor.evaluate(messages.request(formula="print")) == Measurement(energy(-1.5))
    assert await executor.evaluate(messages.request()) == Measurement(energy(-1.5))


async def test_a_long_reason_is_cut_to_what_may_travel(executor: ChildExecutor) -> None:
    assert (await failed(executor, "long detail")).reason is FailureReason.CALCULATION_FAILED


async def test_an_evaluation_that_eats_memory_is_stopped_at_its_limit() -> None:
    executor = ChildExecutor(settings_of(memory_limit_mb=4_096))
    try:
        failure = await failed(executor, "memory")
        assert failure.reason is FailureReason.CRASHED
        assert "MemoryError" in failure.detail
        assert await executor.evaluate(messages.request()) == Measurement(energy(-1.5))
    finally:
        await executor.close()


async def test_a_refusal_keeps_its_reason_and_its_detail() -> None:
    executor = ChildExecutor(settings_of("Failing", options={"reason": "unsupported", "detail": "no such element"}))
    try:
        failure = await failed(executor, "Al")
        assert (failure.reason, failure.detail) == (FailureReason.UNSUPPORTED, "no such element")
    finally:
        await executor.close()


async def test_silence_stays_silence() -> None:
    executor = ChildExecutor(settings_of("Silent"))
    try:
        with pytest.raises(NoAnswer):
            await executor.evaluate(messages.request())
    finally:
        await executor.close()


@pytest.mark.parametrize(
    "fields",
    [
        {"evaluator": "tests.support.evaluators:Missing"},
        {"evaluator": "no_such_module_anywhere:Class"},
        {"options": {"unknown": 1}},
        {"evaluator": "tests.support.evaluators:UNIT"},
    ],
)
async def test_an_evaluator_that_cannot_be_made_stops_the_simulator_with_an_advice(fields: dict[str, Any]) -> None:
    executor = ChildExecutor(settings_of(**fields))
    try:
        with pytest.raises(SettingsError, match=r"(The evaluator|Evaluator) .*What to do"):
            await executor.evaluate(messages.request())
    finally:
        await executor.close()


async def test_there_are_as_many_processes_as_slots_and_no_more() -> None:
    executor = ChildExecutor(settings_of(concurrency=2))
    try:
        pids = await asyncio.gather(*(pid_of(executor) for _ in range(6)))
        assert len(set(pids)) == 2
        asked = messages.request(formula="sleep", deadline_s=PATIENCE_S)
        running = [asyncio.create_task(executor.evaluate(asked)) for _ in range(2)]
        waiting = asyncio.create_task(executor.evaluate(messages.request()))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        for task in running:
            task.cancel()
        assert await waiting == Measurement(energy(-1.5))
    finally:
        await executor.close()


async def test_closing_kills_what_runs_at_once() -> None:
    executor = ChildExecutor(settings_of())
    pid = await pid_of(executor)
    running = asyncio.create_task(executor.evaluate(messages.request(formula="hang", deadline_s=PATIENCE_S)))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await executor.close()
    assert time.monotonic() - began < PATIENCE_S
    assert not psutil.pid_exists(pid)
    with pytest.raises(EvaluationFailed):
        await running


async def test_an_evaluation_that_nobody_waits_for_any_more_leaves_a_slot_that_works(executor: ChildExecutor) -> None:
    first = await pid_of(executor)
    asked = messages.request(formula="hang", deadline_s=PATIENCE_S)
    running = asyncio.create_task(executor.evaluate(asked))
    await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with asyncio.timeout(PATIENCE_S):
        assert await pid_of(executor) != first


async def test_a_calculation_of_ase_comes_through() -> None:
    executor = make_executor(SimulatorSettings(id="sim-1", concurrency=1))
    assert isinstance(executor, ChildExecutor)
    try:
        asked = messages.request(properties=("formation_energy_per_atom",))
        answers = {each.name: each.value for each in (await executor.evaluate(asked)).quantities}
        # Aluminium by EMT is hcp in its ground state; fcc lies 3.9 meV above.
        assert answers["formation_energy_per_atom"] == pytest.approx(0.0039, abs=1e-4)
    finally:
        await executor.close()


async def test_how_a_value_was_measured_comes_through() -> None:
    executor = make_executor(settings_of("Documented"))
    try:
        measured = await executor.evaluate(messages.request())
        assert measured == Measurement(energy(-1.5), {"method": "by eye", "steps": 3.0})
    finally:
        await executor.close()


async def test_a_look_up_is_answered_in_place() -> None:
    executor = InPlaceExecutor(Constant(2.0))
    assert await executor.evaluate(messages.request()) == Measurement(energy(2.0))
    await executor.close()


async def test_two_runs_with_one_cache_calculate_once(tmp_path: Path) -> None:
    settings = SimulatorSettings(id="sim-1", concurrency=1, cache=str(tmp_path / "results.db"))
    asked = messages.request(properties=("formation_energy_per_atom",))
    values, marks = [], []
    for _ in range(2):
        executor = make_executor(settings)
        try:
            measured = await executor.evaluate(asked)
        finally:
            await executor.close()
        values.append(measured.quantities)
        marks.append("cached" in measured.provenance)
    assert values[0] == values[1]
    assert marks == [False, True]


async def test_another_calculator_does_not_find_the_values_of_the_first(tmp_path: Path) -> None:
    for calculator in ("emt", "lennard_jones"):
        cache = str(tmp_path / "results.db")
        executor = make_executor(SimulatorSettings(id="sim-1", concurrency=1, cache=cache, calculator=calculator))
        try:
            measured = await executor.evaluate(messages.request(properties=("volume_per_atom",)))
        finally:
            await executor.close()
        assert "cached" not in measured.provenance
