"""What all parts of one run share: the seed's generator, the trace, the lives of processes, and what was counted.

A process is a set of tasks that live and die together. `Life` knows them through a context variable, and is the fence
around them: what a dead process still executes while its tasks unwind has no effect on disk, link or ledger, for
SIGKILL runs no clean-up code.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from datetime import datetime, timedelta
from typing import Any, Final

from protocols.link.transport import Delivery
from tests.simulation.faults import FaultMix
from tests.simulation.signatures import MOST_OVERHEARD, Overheard
from tests.support.campaigns import NOW
from tests.support.checker.history import BROKER
from tests.support.checker.ledger import Ledger
from tests.support.virtual_loop import NumberedTask, VirtualLoop

_LIFE: ContextVar[Life | None] = ContextVar("life", default=None)

MAX_TURNS_TO_LIVE: Final = 8
"""A death that is put off strikes within so many turns of the loop: at any await between two sends of a step."""


class ProcessDied(BaseException):
    """The process that runs this code was killed; it unwinds the stack and is seen by nobody."""


class World:
    """One run.

    Args:
        seed: Of everything.
        faults: What may go wrong; ended by `calm_down`.
        keep_trace: Whether the lines of the trace are kept beside their digest.
    """

    def __init__(self, seed: int, faults: FaultMix, *, keep_trace: bool = False) -> None:
        self.seed = seed
        self.faults = faults
        self.rng = random.Random(f"world-{seed}")
        self.loop: VirtualLoop
        self.lines: list[str] | None = [] if keep_trace else None
        self.counts: Counter[str] = Counter()
        self.gauges: dict[str, tuple[int, int]] = {}
        self.broker_ledger = Ledger(None, BROKER)
        self.bad: set[tuple[str, bytes]] = set()
        """Messages that must change nothing: what the link damaged, and what was forged; as they were sent."""
        self.bad_tokens: set[object] = set()
        """The deliveries of such messages; what was in an envelope has left it when it is handled."""
        self.overheard: Overheard = deque(maxlen=MOST_OVERHEARD)
        """What a stranger heard last, where everything is signed."""
        self.touched: list[str] = []
        self.witnessed: list[tuple[int, str]] = []
        self.faulty = True
        self.wall_offset = timedelta()
        self.furthest_offset = timedelta()
        self.suspended_s = 0.0
        self.deaths_left = faults.most_deaths
        self._ids = 0
        self._digest = hashlib.sha256()

    def enter(self) -> None:
        """Take over the running loop: its tasks then belong to the life that made them."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = loop
        loop.set_task_factory(_make_task)

    def calm_down(self) -> None:
        """End all faults for good."""
        self.faulty = False
        self.wall_offset = self.furthest_offset  # set right: no order is older than the campaign any more

    def clock(self) -> datetime:
        """Return the wall-clock time, which the faults move."""
        return NOW + timedelta(seconds=self.loop.time()) + self.wall_offset

    def now(self) -> str:
        """Return the same as the store keeps it."""
        return self.clock().isoformat()

    def awake_s(self) -> float:
        """Return the time in which the machine was not suspended [s]."""
        return self.loop.time() - self.suspended_s

    def new_id(self) -> str:
        """Return an identifier that nobody has used."""
        self._ids += 1
        return f"id-{self._ids}"

    def trace(self, what: str, *details: object) -> None:
        """Write a line of the trace; its digest is the run's fingerprint."""
        line = f"{self.loop.time():.6f} {what} {' '.join(map(str, details))}"
        self._digest.update(line.encode() + b"\n")
        if self.lines is not None:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """The trace's digest so far."""
        return self._digest.hexdigest()[:32]

    def count(self, what: str, by: int = 1) -> None:
        """Count something for the report."""
        self.counts[what] += by

    def gauge(self, name: str, value: int, bound: int) -> None:
        """Note the length of a queue."""
        most, _ = self.gauges.get(name, (0, bound))
        self.gauges[name] = (max(most, value), bound)

    def is_bad(self, delivery: Delivery) -> bool:
        """Tell whether a message must change nothing."""
        return delivery.ack_token in self.bad_tokens

    def strikes(self, fault: str) -> bool:
        """Tell whether a fault of single messages strikes now."""
        chance = self.faults.wire.get(fault, 0.0) if self.faulty else 0.0
        return chance > 0 and self.rng.random() < chance


class Life:
    """One process, from start to death.

    Args:
        world: Where it lives.
        name: The process.
    """

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.alive = True
        self.fences: list[Callable[[], None]] = []
        """Close files: at death before anything else, and after an orderly end."""
        self.at_death: list[Callable[[], None]] = []
        """What the operating system does for the dead: it closes sockets."""
        self.tasks: set[NumberedTask] = set()
        self.main: asyncio.Task[None]

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the process."""

        def begin() -> None:
            _LIFE.set(self)
            self.main = self.world.loop.create_task(work)

        copy_context().run(begin)

    def kill(self, how: str) -> None:
        """Kill the process here and now; its tasks unwind without effect."""
        if not self.alive:
            return
        self.alive = False
        self.world.trace("killed", self.name, how)
        self.world.count(f"killed: {self.name.partition('-')[0]}")
        self.world.count(f"killed at {how}")
        for shut in (*self.fences, *self.at_death):
            shut()
        for task in sorted(self.tasks, key=lambda task: task.number):
            task.cancel()

    def release(self) -> None:
        """Close the files after an orderly end."""
        self.alive = False
        for fence in self.fences:
            fence()

    def require(self) -> None:
        """Stop a dead process from going on.

        Raises:
            ProcessDied: When it is dead.
        """
        if not self.alive:
            raise ProcessDied(self.name)

    def point(self, kind: str, where: str) -> None:
        """Maybe die here, or some turns of the loop later.

        Raises:
            ProcessDied: When this was it.
        """
        self.require()
        world = self.world
        if not world.faulty or world.deaths_left == 0 or not world.faults.dying:
            return
        if (chance := world.faults.dying.get(kind, 0.0)) and world.rng.random() < chance:
            world.deaths_left -= 1
            self.kill(where)
            raise ProcessDied(self.name)
        if (chance := world.faults.dying.get("turns", 0.0)) and world.rng.random() < chance / 4:
            world.deaths_left -= 1
            world.loop.call_soon(self._put_off, world.rng.randrange(MAX_TURNS_TO_LIVE), where)

    def _put_off(self, turns: int, where: str) -> None:
        if turns and self.alive and self.world.faulty:
            self.world.loop.call_soon(self._put_off, turns - 1, where)
        elif self.world.faulty:
            self.kill(f"some turns after {where}")


def _make_task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> NumberedTask:
    task = NumberedTask(work, loop=loop, **options)
    context = options.get("context")
    life = _LIFE.get() if context is None else context.get(_LIFE)
    if life is not None:
        life.tasks = {each for each in life.tasks if not each.done()} if len(life.tasks) > 64 else life.tasks
        life.tasks.add(task)
        if not life.alive:
            task.cancel()
    return task
