"""A real Dask cluster: whatever an evaluation or a part of it does, each attempt ends once and nothing stays."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from protocols.errors import SettingsError
from protocols.wire.messages import FailureReason
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.choice import make_executor
from simulators.executors.dask import dask_executor
from simulators.executors.dask.dask_executor import DaskExecutor
from simulators.settings import SimulatorSettings
from tests.support import sample_messages as messages
from tests.support.clusters.local_cluster import LocalCluster, local_cluster
from tests.support.evaluators import energy
from tests.support.lab import until

pytestmark = pytest.mark.system

PATIENCE_S = 60.0
"""For what needs a loaded machine's attention."""


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with local_cluster() as cluster:
        yield cluster


class Lab:
    """Makes executors, and ends them with the test."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._made: list[DaskExecutor] = []

    def executor(self, cluster: LocalCluster, evaluator: str = "Misbehaving", **fields: Any) -> DaskExecutor:
        """Return one that has noted nothing yet."""
        named = evaluator if ":" in evaluator else f"tests.support.evaluators:{evaluator}"
        usual = {"id": "sim-1", "evaluator": named, "concurrency": 4}
        settings = SimulatorSettings(**(usual | {"executor": cluster.executor} | fields))
        made = make_executor(settings, lambda name, **told: self.events.append((name, told)))
        assert isinstance(made, DaskExecutor)
        self._made.append(made)
        return made

    async def close(self) -> None:
        """End all."""
        for each in self._made:
            await each.close()

    async def until(self, event: str, count: int = 1) -> dict[str, Any]:
        """Wait until something was noted so often; return what was noted last."""
        await until(lambda: len(self._of(event)) >= count)
        return self._of(event)[-1]

    def _of(self, event: str) -> list[dict[str, Any]]:
        return [told for name, told in self.events if name == event]


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    made = Lab()
    yield made
    await made.close()


async def failed(executor: DaskExecutor, formula: str, deadline_s: float = PATIENCE_S) -> EvaluationFailed:
    with pytest.raises(EvaluationFailed) as caught:
        await executor.evaluate(messages.request(formula=formula, deadline_s=deadline_s))
    return caught.value


async def pid_of(executor: DaskExecutor) -> int:
    measured = await executor.evaluate(messages.request(formula="pid"))
    return int(measured.quantities[0].value)


async def gone(pid: int) -> None:
    await until(lambda: not psutil.pid_exists(pid))


def below(process_id: int) -> list[int]:
    return [each.pid for each in psutil.Process(process_id).children(recursive=True)]


async def test_an_evaluation_runs_in_a_child_of_a_worker_that_stays_for_the_next_one(
    cluster: LocalCluster, lab: Lab
) -> None:
    executor = lab.executor(cluster)
    assert await executor.evaluate(messages.request()) == Measurement(energy(-1.5))
    first = await pid_of(executor)
    assert first in below(cluster.workers[0].pid)
    assert await pid_of(executor) == first


async def test_one_that_hangs_is_killed_at_its_deadline_and_the_next_one_succeeds(
    cluster: LocalCluster, lab: Lab
) -> None:
    executor = lab.executor(cluster)
    pid = await pid_of(executor)
    failure = await failed(executor, "hang", deadline_s=0.2)
    assert failure.reason is FailureReason.DEADLINE_EXCEEDED
    await gone(pid)
    assert await pid_of(executor) != pid


@pytest.mark.parametrize(
    ("formula", "words"),
    [("exit", "code 9: the calculator gave up"), ("abort", "code -6"), ("raise", "ZeroDivisionError")],
)
async def test_a_crash_costs_that_attempt_alone(cluster: LocalCluster, lab: Lab, formula: str, words: str) -> None:
    executor = lab.executor(cluster)
    failure = await failed(executor, formula)
    assert failure.reason is FailureReason.CRASHED
    assert words in failure.detail
    assert await executor.evaluate(messages.request()) == Measurement(energy(-1.5))
    assert cluster.workers[0].poll() is None


async def test_one_that_eats_memory_is_stopped_at_its_limit(cluster: LocalCluster, lab: Lab) -> None:
    executor = lab.executor(cluster, memory_limit_mb=4_096)
    assert "MemoryError" in (await failed(executor, "memory")).detail
    assert await executor.evaluate(messages.request()) == Measurement(energy(-1.5))


async def test_a_calculation_of_ase_comes_through_and_is_found_in_the_cache(
    cluster: LocalCluster, lab: Lab, tmp_path: Path
) -> None:
    settings = {"id": "sim-1", "executor": cluster.executor, "cache": str(tmp_path / "results.db")}
    asked = messages.request(properties=("formation_energy_per_atom",))
    marks = []
    for _ in range(2):
        executor = make_executor(SimulatorSettings(**settings))
        try:
            measured = await executor.evaluate(asked)
        finally:
            await executor.close()
        assert measured.quantities[0].value == pytest.approx(0.0039, abs=1e-4)  # fcc Al above hcp, by EMT
        marks.append("cached" in measured.provenance)
    assert marks == [False, True]


async def test_closing_kills_what_runs_there(cluster: LocalCluster, lab: Lab) -> None:
    executor = lab.executor(cluster)
    pid = await pid_of(executor)
    running = asyncio.create_task(executor.evaluate(messages.request(formula="hang", deadline_s=3_600.0)))
    await asyncio.sleep(0.3)
    await executor.close()
    with pytest.raises(EvaluationFailed):
        await running
    await gone(pid)


async def test_a_simulator_that_is_gone_leaves_nothing_running(cluster: LocalCluster, lab: Lab) -> None:
    executor = lab.executor(cluster)
    pid = await pid_of(executor)
    running = asyncio.create_task(executor.evaluate(messages.request(formula="hang", deadline_s=3_600.0)))
    await asyncio.sleep(0.3)
    (worker,) = executor._cluster.workers.values()
    worker.client.scheduler_comm.comm.abort()  # as the system closes the connection of a killed process
    assert "lost" in str(await asyncio.wait_for(asyncio.gather(running, return_exceptions=True), PATIENCE_S))
    await gone(pid)
    assert await executor.evaluate(messages.request()) == Measurement(energy(-1.5)), "it has connected again"


async def test_a_worker_that_is_killed_costs_the_attempt_that_it_had_and_leaves_no_process(
    cluster: LocalCluster, lab: Lab
) -> None:
    executor = lab.executor(cluster)
    pid = await pid_of(executor)
    running = asyncio.create_task(failed(executor, "hang"))
    await asyncio.sleep(0.3)
    cluster.start_worker()
    await lab.until("worker_found", 2)
    cluster.kill_worker(cluster.workers[0])
    failure = await asyncio.wait_for(running, PATIENCE_S)
    assert failure.reason is FailureReason.CRASHED
    assert "on the worker tcp://" in failure.detail
    await gone(pid)
    assert await executor.evaluate(messages.request()) == Measurement(energy(-1.5))


@pytest.mark.parametrize("allowed_failures", ["0", "3"])
async def test_what_a_worker_has_begun_is_begun_nowhere_else(tmp_path: Path, lab: Lab, allowed_failures: str) -> None:
    (tmp_path / "table.csv").write_text("id,energy\nal-1,-1.5\n")
    witness = tmp_path / "witness"
    options = {"table": str(tmp_path / "table.csv"), "witness": str(witness), "seconds": 5.0}
    env = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": allowed_failures}
    with local_cluster(workers=2, threads=1, env=env) as cluster:
        named = "tests.support.clusters.counting:Counting"
        executor = lab.executor(cluster, evaluator=named, options=options)
        try:
            await executor.identity()  # which looks for workers
            await lab.until("worker_found", 2)
            attempts = [f"a-{number}" for number in range(2)]
            running = [asyncio.create_task(executor.evaluate(messages.request(name))) for name in attempts]
            await until(lambda: witness.exists() and len(witness.read_text().split()) == 2)
            cluster.workers[0].send_signal(signal.SIGTERM)  # it says goodbye: Dask would repeat what it ran
            outcomes = await asyncio.wait_for(asyncio.gather(*running, return_exceptions=True), PATIENCE_S)
            assert sorted(type(each).__name__ for each in outcomes) == ["EvaluationFailed", "Measurement"]
            await asyncio.sleep(1.0)
            assert sorted(witness.read_text().split()) == attempts
        finally:
            await executor.close()


async def test_a_scheduler_that_is_lost_costs_what_ran_and_is_found_when_it_is_back(
    cluster: LocalCluster, lab: Lab
) -> None:
    executor = lab.executor(cluster)
    pid = await pid_of(executor)
    running = asyncio.create_task(failed(executor, "hang"))
    await asyncio.sleep(0.3)
    cluster.kill_scheduler()
    failure = await asyncio.wait_for(running, PATIENCE_S)
    assert "the connection to the scheduler was lost" in failure.detail
    waiting = asyncio.create_task(executor.evaluate(messages.request()))
    await lab.until("cluster_away")
    assert not waiting.done()
    await gone(pid)
    cluster.start_scheduler()
    cluster.start_worker()
    assert await asyncio.wait_for(waiting, PATIENCE_S) == Measurement(energy(-1.5))


async def test_a_cluster_that_is_not_there_is_a_failure_after_a_bound_time(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_executor, "AWAY_S", 0.3)
    executor = lab.executor(LocalCluster(tmp_path))  # nobody listens there
    failure = await failed(executor, "Al")
    assert failure.reason is FailureReason.INTERRUPTED
    assert "it was not begun" in failure.detail


async def test_an_evaluator_that_cannot_be_made_there_ends_the_simulator_with_an_advice(
    cluster: LocalCluster, lab: Lab
) -> None:
    executor = lab.executor(cluster, "Missing")
    with pytest.raises(SettingsError, match=r"No worker of the cluster .* can evaluate.*Missing.*What to do"):
        await executor.evaluate(messages.request())


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"entropilot-9.9.9.dist-info/METADATA": "Metadata-Version: 2.1\nName: entropilot\nVersion: 9.9.9\n"},
            "it has Entropilot 9.9.9, and we are",
        ),
        ({"simulators/__init__.py": ""}, "it lacks Entropilot"),
    ],
)
async def test_a_worker_with_another_version_or_without_ours_is_refused_by_name(
    tmp_path: Path, lab: Lab, files: dict[str, str], words: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content)
    with local_cluster(workers=0) as cluster:
        cluster._env["PYTHONPATH"] = f"{tmp_path}:{cluster._env['PYTHONPATH']}"
        cluster.start_worker()
        executor = lab.executor(cluster)
        with pytest.raises(SettingsError, match=words):
            await executor.evaluate(messages.request())
        told = await lab.until("worker_refused")
        assert words in told["detail"]


async def test_a_cluster_that_would_repeat_tasks_is_said_to(lab: Lab) -> None:
    with local_cluster(env={"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "3"}) as cluster:
        await lab.executor(cluster).evaluate(messages.request())
    assert "is 3; expected 0" in (await lab.until("cluster_repeats_tasks"))["detail"]
