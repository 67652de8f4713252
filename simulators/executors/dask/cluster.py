"""The connection to a Dask cluster, and which of its workers can evaluate for us.

    connect   with back-off, for as long as it takes
    look      every second: who is there; whoever is new is tried first, whoever left is lost
    lost      the scheduler is gone: so is every worker, and we connect again

Dask's own client would reconnect too, but forgets what was in flight without a word to us; a fresh client is clearer.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import importlib.util
import logging
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from protocols.errors import SettingsError
from protocols.extras import load
from simulators.executors.dask.on_worker import DIED, START_TIMEOUT_S, admit
from simulators.executors.executor import Identity
from simulators.executors.frames import read_opening_reply

CONNECT_S: Final = 10.0
"""How long one attempt to reach the scheduler may take."""

PAUSE_MIN_S: Final = 0.2
"""First pause before the next attempt; pauses double, with jitter."""

PAUSE_MAX_S: Final = 10.0
"""Longest such pause: a scheduler that comes back is found within it."""

LOOK_S: Final = 1.0
"""How often is looked who is there."""

CLOSE_S: Final = 1.5
"""How long a goodbye may take; a simulator has five seconds to end."""

QUICK_S: Final = 0.1
"""An evaluation below this is quick [s]: what Dask needs to hand over a task, 10 to 25 ms, counts beside it."""

AHEAD: Final = 4
"""Quick evaluations that a worker has for each thread: all but one wait there. When it is lost, all of them are."""

OUR_TASK: Final = "simulators.executors.dask.on_worker"
"""The module that a worker must be able to import."""

ALLOWED_FAILURES: Final = "distributed.scheduler.allowed-failures"
"""Dask's setting of how many workers a task may kill before it is given up; ours are to be given up at once."""


@dataclass(eq=False, slots=True)
class Worker:
    """A worker that can evaluate for us.

    Attributes:
        address: Where it is.
        id: Names this start of it for ever.
        threads: Tasks that it runs at once.
        client: The connection that it was found through.
        lost: Done, with the reason, when it is there no more.
        running: Our tasks on it.
        typical_s: How long an evaluation takes there, the last ones counting most [s].
    """

    address: str
    id: str
    threads: int
    client: Any
    lost: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    running: int = 0
    typical_s: float = QUICK_S

    @property
    def room(self) -> int:
        """How many more tasks it is given: one a thread, and some ahead where evaluations are quick."""
        return self.threads * (AHEAD if self.typical_s < QUICK_S else 1) - self.running

    @property
    def is_connected(self) -> bool:
        """Whether the connection that it was found through still stands, as far as Dask knows."""
        return bool(self.client.status == "running")

    def note(self, took_s: float) -> None:
        """Note how long an evaluation took [s]."""
        self.typical_s += (took_s - self.typical_s) / 8

    def lose(self, reason: str) -> None:
        """Note that it is there no more."""
        if not self.lost.done():
            self.lost.set_result(reason)


class Cluster:
    """Keeps the connection, and knows the workers.

    Args:
        address: The scheduler's, as Dask writes it.
        opening: What a child is opened with there.
        name: Who we are, for people who look at the cluster.
        on_event: For the log.
    """

    def __init__(self, address: str, opening: bytes, name: str, on_event: Callable[..., Any]) -> None:
        self.address = address
        self.workers: dict[str, Worker] = {}
        """Those that can evaluate for us, by address."""
        self.refused: dict[str, str] = {}
        """Those that cannot, by address, with the reason."""
        self.identity: Identity | None = None
        """What names the evaluator of every worker; known with the first."""
        self.was_suitable = False
        """Whether a worker could evaluate for us, now or before."""
        self.changed = asyncio.Condition()
        """Notified when workers come or go."""
        self._distributed = load("distributed")
        self._opening = opening
        self._name = name
        self._on_event = on_event
        self._trying: dict[str, asyncio.Task[None]] = {}
        self._is_left = False
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what happens is told in our own log
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)

    def leave(self) -> None:
        """Connect no more: what Dask makes of being cancelled may look like a lost scheduler."""
        self._is_left = True

    async def keep(self) -> None:
        """Keep connected until cancelled, or left."""
        pause_s, is_away = PAUSE_MIN_S, False
        while not self._is_left:
            try:
                async with self._client() as client:
                    pause_s, is_away = PAUSE_MIN_S, False
                    self._on_event("cluster_connected", cluster=self.address)
                    await self._check_retries(client)
                    await self._watch(client)
                    self._on_event("cluster_lost", cluster=self.address)
            except (OSError, TimeoutError, RuntimeError, ImportError) as error:  # Dask's ways to say: not there
                if not is_away and not self._is_left:
                    self._on_event("cluster_away", cluster=self.address, detail=str(error)[:200])
                is_away = True
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - decides nothing
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    def no_use(self) -> SettingsError | None:
        """Return why no worker can ever evaluate for us; None while one may."""
        if self.was_suitable or self._trying or not self.refused:
            return None
        address, reason = next(iter(self.refused.items()))
        return SettingsError(
            f"No worker of the cluster {self.address} can evaluate: {address}: {reason}",
            expected=f"workers with Entropilot {importlib.metadata.version('entropilot')} and what the evaluator needs",
            action="install the same packages there as here, start the workers again, then the simulator",
        )

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[Any]:
        client = self._distributed.Client(
            self.address, asynchronous=True, set_as_default=False, timeout=CONNECT_S, name=self._name
        )
        try:
            async with asyncio.timeout(2 * CONNECT_S):
                await client
            yield client
        finally:
            await self._lose_all("the connection to the scheduler was lost")
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_S):
                    await client.close()

    async def _watch(self, client: Any) -> None:
        """Look who is there, until the scheduler is lost."""
        while client.status == "running" and not self._is_left:
            async with asyncio.timeout(CONNECT_S):
                there = (await client.scheduler.identity(n_workers=-1))["workers"]
            gone = [address for address in (*self.workers, *self.refused, *self._trying) if address not in there]
            for address in gone:
                await self.lose(address, "the worker left the cluster")
            for address, told in there.items():
                if address not in self.workers and address not in self.refused and address not in self._trying:
                    self._trying[address] = asyncio.create_task(self._try(client, address, told["nthreads"]))
            for _ in range(10):  # a lost scheduler is noticed sooner than who is there
                await asyncio.sleep(LOOK_S / 10)
                if client.status != "running":
                    return

    async def lose(self, address: str, reason: str) -> None:
        """Forget a worker; whoever waits for it is told."""
        self.refused.pop(address, None)
        if (trying := self._trying.pop(address, None)) is not None:
            trying.cancel()
        if (worker := self.workers.pop(address, None)) is not None:
            worker.lose(reason)
            self._on_event("worker_lost", worker=address, detail=reason)
        await self._notify()

    async def _lose_all(self, reason: str) -> None:
        for address in {*self.workers, *self.refused, *self._trying}:
            await self.lose(address, reason)

    async def _try(self, client: Any, address: str, threads: int) -> None:
        """Have a new worker start a child, and take the worker if that gives the same values as the others'."""
        try:
            worker_id, complaint = await self._admitted(client, address)
        except Exception as error:  # noqa: BLE001 - what cannot be read there may raise anything
            if _is_of_the_connection(client, error):  # it says nothing of the worker, which is tried again
                self._trying.pop(address, None)
                await self._notify()
                return
            worker_id, complaint = "", f"it cannot run our task ({type(error).__name__}: {error})"
        if complaint:
            self.refused[address] = complaint
            self._on_event("worker_refused", worker=address, detail=complaint)
        else:
            self.workers[address] = Worker(address, worker_id, threads, client)
            self._on_event("worker_found", worker=address, threads=threads)
        self._trying.pop(address, None)
        await self._notify()

    async def _admitted(self, client: Any, address: str) -> tuple[str, str]:
        """Return a worker's id, and what is wrong with it, empty where nothing is."""
        if lacking := await self._lacking(client, address):
            return "", lacking
        future = client.submit(admit, self._opening, workers=[address], pure=False, retries=0)
        async with asyncio.timeout(2 * START_TIMEOUT_S):
            worker_id, (kind, reply, _) = await future
        if kind == DIED:
            return worker_id, f"the evaluating process: {reply.decode()}"
        try:
            identity = read_opening_reply(reply)
        except SettingsError as error:
            return worker_id, str(error)
        if self.was_suitable and identity != self.identity:
            return worker_id, f"its evaluator is another one ({_difference(self.identity, identity)})"
        self.identity, self.was_suitable = identity, True
        return worker_id, ""

    async def _lacking(self, client: Any, address: str) -> str:
        """Return what a worker lacks of us, asked by functions of Python: a task that it cannot read may end it."""
        ours = importlib.metadata.version("entropilot")
        for function, argument in ((importlib.metadata.version, "entropilot"), (importlib.util.find_spec, OUR_TASK)):
            async with asyncio.timeout(CONNECT_S):
                told = (await client.run(function, argument, workers=[address], on_error="return"))[address]
            if isinstance(told, Exception) or told is None:
                return f"it lacks Entropilot ({type(told).__name__}: {told})"
            if function is importlib.metadata.version and told != ours:
                return f"it has Entropilot {told}, and we are {ours}"
        return ""

    async def _check_retries(self, client: Any) -> None:
        """Say so where the cluster would give a task that has killed a worker to the next: ours cannot run there."""
        from dask import config

        with contextlib.suppress(Exception):  # a scheduler that takes no functions does not say
            allowed = await client.run_on_scheduler(config.get, ALLOWED_FAILURES)
            if allowed:
                self._on_event("cluster_repeats_tasks", detail=f"{ALLOWED_FAILURES} is {allowed}; expected 0")

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()


def _is_of_the_connection(client: Any, error: Exception) -> bool:
    """Tell whether a question to a worker failed because the scheduler, or the way to it, was lost meanwhile."""
    lost = (load("distributed.client").FutureCancelledError, load("distributed.comm.core").CommClosedError)
    return client.status != "running" or isinstance(error, lost)


def _difference(ours: Identity | None, theirs: Identity | None) -> str:
    one, other = dict(ours or {}), dict(theirs or {})
    names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    return ", ".join(f"{name}: {other.get(name)}, not {one.get(name)}" for name in names)
