"""Evaluates on a Dask cluster: chooses a worker, waits for its outcome, and gives up where there will be none.

Each evaluation is a task that is bound to one start of one worker (`on_worker`), with a thread of it for itself. What
was given to a worker that is lost is a failed attempt, once; what was not given yet waits for the cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from protocols.wire.codec import encode
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.messages import CandidateRequest, FailureReason, cut
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.address import scheduler_address
from simulators.executors.children import deadline_exceeded
from simulators.executors.dask import on_worker
from simulators.executors.dask.cluster import CLOSE_S, Cluster, Worker
from simulators.executors.executor import Identity
from simulators.executors.frames import opening_frame, read_reply
from simulators.settings import SimulatorSettings

AWAY_S: Final = 300.0
"""How long an evaluation waits for a cluster that has no worker for us."""

QUEUE_S: Final = 600.0
"""How long a task may wait on its worker behind tasks of others, beside its deadline and the start of a child."""

LOOK_S: Final = 1.0
"""How often whoever waits looks how long it has waited."""


class DaskExecutor:
    """Evaluates on a cluster (`simulators.executors.executor.IdentifyingExecutor`).

    Args:
        settings: The simulator's; `executor` says where the scheduler is.
        on_event: For the log.

    Raises:
        ExtraMissingError: Without the packages of the extra `dask`.
    """

    def __init__(self, settings: SimulatorSettings, on_event: Callable[..., Any]) -> None:
        self._opening = opening_frame(settings.model_copy(update={"executor": "", "cache": ""}))
        self._cluster = Cluster(
            scheduler_address(settings.executor), self._opening, f"entropilot-{settings.id}", on_event
        )
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._keeping: asyncio.Task[None] | None = None
        self._futures: set[Any] = set()
        self._reading: set[asyncio.Task[on_worker.Outcome]] = set()

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Evaluate on a worker that has a free thread; see `Executor`.

        Raises:
            SettingsError: When no worker can make its evaluator: no request would ever succeed.
        """
        async with self._slots, self._worker() as worker:
            kind, content, took_s = await self._outcome(worker, request)
            worker.note(took_s)
        if kind == on_worker.REPLY:
            return read_reply(content, request.candidate_id)
        if kind == on_worker.DEADLINE:
            raise deadline_exceeded(request)
        raise _failed(worker, content.decode())

    async def identity(self) -> Identity | None:
        """Return what names the evaluator of every worker, once there is one."""
        if not self._cluster.was_suitable:
            async with self._worker():
                pass
        return self._cluster.identity

    async def close(self) -> None:
        """Take back what runs, and leave the cluster."""
        for client in {future.client for future in self._futures}:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_S):
                    await client.cancel([future for future in self._futures if future.client is client])
        if self._keeping is not None:
            self._cluster.leave()
            self._keeping.cancel()
            await asyncio.wait({self._keeping}, timeout=2 * CLOSE_S)
            self._keeping = None

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[Worker]:
        """Hold a thread of the worker that has the most free, by its size."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._cluster.keep())
        worker = await self._free_worker()
        worker.running += 1
        try:
            yield worker
        finally:
            worker.running -= 1
            async with self._cluster.changed:
                self._cluster.changed.notify(1)

    async def _free_worker(self) -> Worker:
        began = time.monotonic()
        while True:
            free = [each for each in self._cluster.workers.values() if each.room > 0 and each.is_connected]
            if free:
                return min(free, key=lambda each: each.running / each.threads)
            if (error := self._cluster.no_use()) is not None:
                raise error
            if self._cluster.workers:
                began = time.monotonic()  # all are at work for us: that ends
            elif time.monotonic() - began > AWAY_S:
                detail = f"the cluster {self._cluster.address} had no worker for it in {AWAY_S:g} s; it was not begun"
                raise EvaluationFailed(FailureReason.INTERRUPTED, detail)
            async with self._cluster.changed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._cluster.changed.wait(), LOOK_S)

    async def _outcome(self, worker: Worker, request: CandidateRequest) -> on_worker.Outcome:
        """Give a task to a worker; return what comes of it, also where nothing does."""
        key = f"entropilot-{request.attempt_id}-{fresh_id()}"
        future = worker.client.submit(
            on_worker.evaluate, worker.id, key, self._opening, encode(request), request.deadline_s,
            key=key, workers=[worker.address], allow_other_workers=False, pure=False, retries=0,
        )  # fmt: skip
        self._futures.add(future)
        reading = asyncio.create_task(_read(future))  # never cancelled: Dask reads for several at once
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)
        try:
            patience_s = request.deadline_s + on_worker.START_TIMEOUT_S + QUEUE_S
            either: set[asyncio.Future[Any]] = {reading, worker.lost}
            await asyncio.wait(either, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                outcome = reading.result()
                if outcome[0] == on_worker.NOT_BEGUN:
                    await self._cluster.lose(worker.address, outcome[1].decode())
                return outcome
            reason = worker.lost.result() if worker.lost.done() else f"no outcome within {patience_s:g} s"
            return on_worker.DIED, reason.encode(), worker.typical_s
        finally:
            self._futures.discard(future)
            future.release()  # also takes back what runs: nobody else wants it


async def _read(future: Any) -> on_worker.Outcome:
    """Wait for a task; return its outcome, also where Dask has none."""
    try:
        outcome: on_worker.Outcome = await future
    except asyncio.CancelledError:  # Dask's, of a future that it has given up
        return on_worker.DIED, b"the connection to the scheduler was lost", 0.0
    except Exception as error:  # noqa: BLE001 - KilledWorker, and whatever else Dask says of a task
        if future.cancelled():
            return on_worker.DIED, b"the connection to the scheduler was lost", 0.0
        return on_worker.DIED, f"{type(error).__name__}: {error}".encode(), 0.0
    return outcome


def _failed(worker: Worker, reason: str) -> EvaluationFailed:
    return EvaluationFailed(FailureReason.CRASHED, cut(f"on the worker {worker.address}: {reason}"))
