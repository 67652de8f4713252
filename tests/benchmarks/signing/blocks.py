"""One campaign whose loop works in blocks of three kinds by turns, and what an iteration of each block took.

As `loop_throughput`: a lab without latency in another process, random policy, eight requests in flight, Mosquitto on
loopback, recording and log on. The agent holds its keys for the blocks that are signed, and none for the others; the
lab signs the answer to what was signed.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.assembly import assemble_agent
from agent.loop import Agent
from agent.opening import open_campaign
from agent.runtime.transaction import Transaction
from protocols.link.broker_settings import BrokerSettings
from protocols.recording.recorded_transport import RecordedTransport
from protocols.signing.key_file import new_key, write_keys
from protocols.signing.key_ring import KeyRing
from protocols.signing.transport import SignedTransport, Signing
from tests.benchmarks.processes.beside import run_beside_lab
from tests.benchmarks.world import settings, start_of, synthetic_pool

PARALLEL = 8
LAB = "lab-1"

BLOCK = 60
"""Observations of a block."""
FIRST = 12
"""Observations at the begin of a block that are not counted: answers to the block before are among them."""

BARE, TELLING, SIGNED = "bare", "receipts", "signed"
"""Unsigned with receipts without row and digest, as in 0.1.0; with them; and signed as well."""

ORDERS = tuple(itertools.permutations((BARE, TELLING, SIGNED)))


@dataclass(frozen=True, slots=True)
class Took:
    """What an iteration took.

    Attributes:
        wall_s: On the clock [s].
        processor_s: Of the agent's process, all its threads [s].
    """

    wall_s: float
    processor_s: float


Round = Mapping[str, Took]


class Turns:
    """Lets an agent work in each way by turns, and notes what each block took; called after every commit."""

    def __init__(self, ring: KeyRing) -> None:
        self.rounds: list[Round] = []
        self._ring = ring
        self._kinds = self._in_turn()
        self._kind = BARE
        self._until = 0
        self._began: tuple[int, float, float] | None = None
        self._round: dict[str, Took] = {}
        self._agent: Agent

    def begin(self, agent: Agent) -> None:
        """Take over an agent that has not begun."""
        self._agent = agent
        self._telling = agent.outbound._head
        recorded = agent.outbound._transport
        assert isinstance(recorded, RecordedTransport)
        signed = recorded._inner
        assert isinstance(signed, SignedTransport)
        self._link = signed
        self._turn(0)

    def __call__(self, step: Transaction) -> None:
        """Note the time, and turn to the next way when a block is done."""
        if not step.bias:
            return
        number, now = step.bias[-1].observation, (time.perf_counter(), time.process_time())
        if self._began is None and number >= self._until - BLOCK + FIRST:
            self._began = (number, *now)
        elif self._began is not None and number >= self._until:
            first, *began = self._began
            self._round[self._kind] = Took(
                *((end - begin) / (number - first) for begin, end in zip(began, now, strict=True))
            )
            if len(self._round) == len(ORDERS[0]):
                self.rounds.append(self._round)
                self._round = {}
            self._turn(number)

    def _turn(self, number: int) -> None:
        self._kind, self._until, self._began = next(self._kinds), number + BLOCK, None
        self._link._ring = self._ring if self._kind == SIGNED else KeyRing()
        self._agent.outbound._head = (lambda: None) if self._kind == BARE else self._telling

    @staticmethod
    def _in_turn() -> Iterator[str]:
        return itertools.chain.from_iterable(itertools.cycle(ORDERS))


async def play(folder: Path, broker: BrokerSettings, rounds: int) -> list[Round]:
    """Run one campaign of so many rounds; return what each block of each took."""
    count = len(ORDERS[0]) * BLOCK * rounds + BLOCK
    pool, terms = synthetic_pool(count + 500), settings(count, parallel=PARALLEL)
    signing = Signing(KeyRing(new_key(), {LAB: new_key()}))
    own, turns = folder.with_suffix(".keys"), Turns(signing.ring)
    write_keys(own, signing.ring.part_of(LAB))
    with (
        open_campaign(
            folder, pool=pool, settings=terms, campaign="bench", recipients=(LAB,), start=start_of(pool, 140),
            resume=False,
        ) as files,
        assemble_agent(
            files, pool=pool, settings=terms, broker=broker, header={}, signing=signing, on_commit=turns
        ) as agent,
    ):  # fmt: skip
        turns.begin(agent)
        await run_beside_lab(agent, broker, terms, str(own))
    return turns.rounds
