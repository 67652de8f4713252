"""One seed from beginning to end: safety under faults, then liveness without, then the checker.

A supervisor for each process starts it, sees how it ended and starts it again, as systemd would.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.campaign.context import pool_arrays
from agent.campaign.life_cycle import Phase
from agent.campaign.people.approval import NEVER
from agent.pool.measurements import measured
from protocols.errors import BrokerError, CampaignHalted
from tests.simulation.broker import SimBroker
from tests.simulation.lives import AGENT, AgentProcess, SimulatorProcess
from tests.simulation.nemesis import Nemesis
from tests.simulation.terms import Terms, draw_terms
from tests.simulation.twin import undisturbed
from tests.simulation.world import ProcessDied, World
from tests.support.checker.history import Ending, History, Shutdown, Verdict, Violation, check
from tests.support.checker.ledger import Ledger
from tests.support.virtual_loop import Deadlock, Spinning, run_in_virtual_time

RAM_DISK: Final = Path("/dev/shm")
"""Where the databases are, when the machine has it: real SQLite, real pragmas, no disk to wait for."""

ORDERLY: Final = (CampaignHalted, BrokerError)
"""How a process may end by itself; its supervisor starts it again."""

RECEIPT_WITHIN_S: Final = 140.0
"""How long an answer may lack its receipt in the calm, while the agent runs: it is repeated every 75 s at most, and
both ends may need 30 s to connect."""

APPROVE_EVERY_S: Final = 2.0
"""How often the operator looks in the calm which decisions wait for approval."""

RESUME_EVERY_S: Final = 20.0
"""How often the operator ends a pause in the calm after the faults."""


@dataclass(slots=True)
class Report:
    """What one seed gave."""

    seed: int
    digest: str
    violations: list[Violation]
    counts: Counter[str]
    unknown: Counter[str]
    virtual_s: float
    seconds: float
    finished: bool
    lines: list[str] = field(default_factory=list)


class TracedLedger(Ledger):
    """A lab's ledger, whose lines are part of the trace."""

    def __init__(self, world: World, lab: str) -> None:
        super().__init__(None, lab)
        self.life = 0
        self._world = world

    def note(self, what: str, attempt: str, **fields: str) -> None:
        """Write one line."""
        super().note(what, attempt, **fields)
        self._world.trace(what, self.lab, attempt, fields.get("status", ""))


class Run:
    """One run of some terms.

    Args:
        terms: What is played.
        folder: For the databases.
        keep_trace: Whether the trace is kept.
    """

    def __init__(self, terms: Terms, folder: Path, *, keep_trace: bool = False) -> None:
        self.terms = terms
        self.folder = folder
        self.world = World(terms.seed, terms.faults, keep_trace=keep_trace)
        self.broker: SimBroker
        self.processes: dict[str, AgentProcess | SimulatorProcess] = {}
        self.ledgers = {name: TracedLedger(self.world, name) for name in terms.simulators}
        self.shutdowns: list[Shutdown] = []
        self.own_ends: list[str] = []
        """Ends of a process that nobody asked for and that no rule allows."""
        self.ending: Ending | None = None
        self.kept_back: list[str] = []
        self.stopped_early = False
        self.left: set[str] = set()
        """Simulators that are away for good."""
        self._stopping: dict[str, float] = {}
        self._finished: asyncio.Event
        self._calmed: asyncio.Event

    async def play(self) -> None:
        """Play both phases."""
        world, terms = self.world, self.terms
        world.enter()
        world.count("signed campaigns", int(terms.signing.has_keys))
        self.broker = SimBroker(world)
        self._finished, self._calmed = asyncio.Event(), asyncio.Event()
        nemesis = Nemesis(self)
        keepers = [asyncio.create_task(self._keep(name)) for name in (AGENT, *terms.simulators)]
        trouble = asyncio.create_task(nemesis.run())
        end = asyncio.create_task(self._finished.wait())
        await asyncio.wait((trouble, end, *keepers), return_when=asyncio.FIRST_COMPLETED)
        if not self._finished.is_set() and not self.own_ends:
            await trouble
            await self._calm(nemesis, end)
        elif self._finished.is_set() and terms.faults.lasts_s:
            self.ending = Ending(0.0, terms.patience_s)
        self.stopped_early = nemesis.stopped
        for task in (trouble, end, *keepers):
            task.cancel()
        await asyncio.gather(trouble, end, *keepers, return_exceptions=True)
        for process in self.processes.values():
            process.life.kill("the end of the run")
        world.trace("end")

    async def _calm(self, nemesis: Nemesis, end: asyncio.Task[Any]) -> None:
        """Stop all faults, and wait for the campaign to end."""
        world, loop = self.world, self.world.loop
        world.trace("calm")
        world.calm_down()
        self._calmed.set()
        if not self.broker.is_up:
            self.broker.start()
        for link in self.broker.links.values():
            link.unclog(*sorted(link.clogged))
        calm_since = loop.time()
        seen: dict[str, float] = {}
        while not end.done() and loop.time() < calm_since + 2 * self.terms.patience_s:
            process = self.processes.get(AGENT)
            if isinstance(process, AgentProcess) and process.agent.campaign.phase is Phase.PAUSED:
                nemesis.resume()
            awaiting = tuple(process.agent.campaign.awaiting_approval) if isinstance(process, AgentProcess) else ()
            for decision in awaiting:
                nemesis.approve(decision)
            is_held = self.terms.plan.approval.required != NEVER
            await asyncio.wait((end,), timeout=APPROVE_EVERY_S if is_held else RESUME_EVERY_S)
            if not end.done() and self._agent_is_up():
                seen = {answer: seen.get(answer, loop.time()) for answer in sorted(self._without_receipt())}
                late = [each for each, since in seen.items() if loop.time() >= since + RECEIPT_WITHIN_S]
                self.kept_back += [each for each in late if each not in self.kept_back]
            else:
                seen = {}
        took = loop.time() - calm_since if end.done() else None
        self.ending = Ending(took, self.terms.patience_s, self._state())

    def _agent_is_up(self) -> bool:
        process = self.processes.get(AGENT)
        return process is not None and process.life.alive

    def _without_receipt(self) -> set[str]:
        """Return the answers that wait for their receipt, by the simulators' own files."""
        found = set()
        for name in self.terms.simulators:
            path = self.folder / f"{name}.db"
            if path.exists() and name not in self.left:  # else it has never started, or nobody can tell it
                with contextlib.closing(sqlite3.connect(path)) as database:
                    rows = database.execute("SELECT attempt_id FROM attempt WHERE progress = 'answered'").fetchall()
                found |= {f"{name}: {attempt_id}" for (attempt_id,) in rows}
        return found

    def _state(self) -> str:
        """Return what the agent waits for, for the report of a campaign that does not end."""
        process = self.processes.get(AGENT)
        if not isinstance(process, AgentProcess):
            return "there is no agent"
        agent = process.agent
        awaited = sorted((each.attempt_id, each.recipient) for each in agent.campaign.in_flight.values())
        there, away = sorted(agent.presence.there), sorted(agent.campaign.absence.away)
        return (
            f"phase {agent.campaign.phase}, connected {agent.connected}, awaited {awaited},"
            f" thought there {there}, away {away}, unconfirmed {sorted(agent.outbound.unconfirmed)}"
        )

    def kill(self, name: str) -> None:
        """Kill a process, if it lives."""
        process = self.processes.get(name)
        if process is not None:
            process.life.kill("a strike")

    def stop(self, name: str) -> None:
        """Ask a process to end, as SIGTERM does."""
        process = self.processes.get(name)
        if process is None or not process.life.alive or name in self._stopping:
            return
        self.world.trace("stop", name)
        self._stopping[name] = self.world.awake_s()
        if isinstance(process, AgentProcess):
            process.agent.request_shutdown()
        else:
            process.service.request_shutdown()

    def attempts(self) -> list[tuple[str, str, str]]:
        """Return attempt, candidate and recipient of the requests that were made."""
        process = self.processes.get(AGENT)
        if not isinstance(process, AgentProcess):
            return []
        campaign = process.agent.campaign
        asked = ((each, campaign.plan.measurement_of(each.candidate_id)) for each in campaign.attempts.values())
        return [(each.attempt_id, measured.candidate_id, each.recipient) for each, measured in asked]

    async def _keep(self, name: str) -> None:
        """Keep one process alive."""
        world, lives = self.world, 0
        while not self._finished.is_set():
            if lives == self.terms.lives.get(name):
                world.trace("left", name)
                world.count("instruments that left")
                self.left.add(name)
                await self._finished.wait()
                return
            lives += 1
            ended = asyncio.Event()
            try:
                process = self._made(name)
            except ProcessDied:
                pass
            except Exception as error:  # noqa: BLE001 - whatever it is, the report shows it
                self.own_ends.append(f"{name} cannot start: {_told(error)}")
                return
            else:
                self.processes[name] = process
                world.trace("start", name)
                world.count(f"starts: {name.split('-', maxsplit=1)[0]}")
                process.life.start(self._lived(name, process))
                process.life.main.add_done_callback(lambda _task, ended=ended: ended.set())  # type: ignore[misc]
                await ended.wait()
                self._stopping.pop(name, None)
                if name == AGENT and self._is_finished_on_disk():
                    self._finished.set()
                    return
            await self._stay_away()

    async def _stay_away(self) -> None:
        """Let a process be away for a while; when the faults are over, not for long."""
        world = self.world
        mean_s = world.rng.choice((0.1, 5.0, 60.0)) if world.faulty else 0.5
        pause_s = 0.01 + world.rng.expovariate(1 / mean_s)
        if self._calmed.is_set():
            await asyncio.sleep(pause_s)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._calmed.wait(), pause_s)

    def _made(self, name: str) -> AgentProcess | SimulatorProcess:
        if name == AGENT:
            return AgentProcess(self.world, self.broker, self.terms, self.folder)
        return SimulatorProcess(self.world, self.broker, self.terms, self.folder, name=name, ledger=self.ledgers[name])

    async def _lived(self, name: str, process: AgentProcess | SimulatorProcess) -> None:
        """Run one life and see how it ended."""
        life, world = process.life, self.world
        try:
            await process.run()
        except ORDERLY as error:
            if life.alive:
                world.trace("ended", name, type(error).__name__)
                world.count(f"ended by itself: {type(error).__name__}")
                life.kill("an error")
        except BaseException as error:  # noqa: BLE001 - the same
            if life.alive:
                self.own_ends.append(f"{name}: {_told(error)}")
                life.kill("an error that is our own fault")
        else:
            if life.alive:
                world.trace("ended", name)
                self._note_orderly(name, process)

    def _note_orderly(self, name: str, process: AgentProcess | SimulatorProcess) -> None:
        asked = self._stopping.get(name)
        if asked is not None:
            self.world.count("orderly shutdowns")
            self.shutdowns.append(Shutdown(name, self.world.awake_s() - asked, process.undone()))
        process.life.release()

    def _is_finished_on_disk(self) -> bool:
        with contextlib.closing(sqlite3.connect(self.folder / "campaign.db")) as database:
            last = database.execute("SELECT kind FROM journal ORDER BY sequence DESC LIMIT 1").fetchone()
        return last is not None and str(last[0]) == "CampaignFinished"

    def judge(self) -> Verdict:
        """Let the checker decide."""
        terms, world = self.terms, self.world
        methods = terms.plan.methods
        entries = [entry for name in sorted(self.ledgers) for entry in self.ledgers[name].entries]
        verdict = check(
            History(
                database=self.folder / "campaign.db",
                ledger=[*entries, *world.broker_ledger.entries],
                witnessed=world.witnessed,
                pool=pool_arrays(terms.pool if methods is None else measured(terms.pool, methods)),
                policy=terms.policy,
                twin=undisturbed(terms) if terms.has_twin else None,
                stopped_early=self.stopped_early,
                touched=world.touched,
                gauges=world.gauges,
                shutdowns=self.shutdowns,
                kept_back=self.kept_back,
                ending=self.ending,
            )
        )
        for what in self.own_ends:
            verdict.blame("I12", f"a process ended by itself: {what}")
        return verdict


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-3000:]


def play_seed(seed: int, *, keep_trace: bool = False, terms: Terms | None = None) -> Report:
    """Play one seed and judge it."""
    began = time.perf_counter()
    with _folder() as folder:
        run = Run(terms or draw_terms(seed), folder, keep_trace=keep_trace)
        stuck: list[Violation] = []
        try:
            run_in_virtual_time(run.play(), seed=seed)
        except (Deadlock, Spinning) as error:
            stuck.append(Violation("I12", f"{type(error).__name__}: {error}; {run._state()}"))
            run.stopped_early = True
        verdict = run.judge()
    world = run.world
    return Report(
        seed=seed,
        digest=world.digest,
        violations=verdict.violations + stuck,
        counts=world.counts + verdict.figures,
        unknown=verdict.unknown,
        virtual_s=world.loop.time(),
        seconds=time.perf_counter() - began,
        finished=run.ending is not None and run.ending.seconds is not None,
        lines=world.lines or [],
    )


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    where = Path(tempfile.mkdtemp(prefix="entropilot-", dir=RAM_DISK if RAM_DISK.is_dir() else None))
    try:
        yield where
    finally:
        shutil.rmtree(where)
