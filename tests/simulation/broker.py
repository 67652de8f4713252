"""The broker in virtual time: the product's, with messages lost, repeated and damaged inside, and crashes.

There TCP gives no protection. What becomes of packets on their way is `tests.simulation.link`'s.
"""

from __future__ import annotations

import copy
import hashlib
from collections import deque
from collections.abc import Callable

from protocols.errors import MessageError
from protocols.link.memory.broker import MemoryBroker, Session
from protocols.link.memory.policy import BrokerPolicy, Message
from protocols.wire.codec import decode
from tests.simulation.link import Link
from tests.simulation.signatures import is_signed, says_the_same
from tests.simulation.world import World

Queue = Callable[[Message], None]


class Troubles(BrokerPolicy):
    """What the seed lets happen to messages inside the broker."""

    def __init__(self, world: World) -> None:
        self._world = world

    def connected(self, client_id: str, *, session_present: bool) -> None:
        self._world.trace("connect", client_id, session_present)

    def disconnected(self, client_id: str, *, will: bool) -> None:
        self._world.trace("lost", client_id, will)

    def routed(self, sender: str, message: Message) -> None:
        self._world.count("messages")
        digest = hashlib.sha256(message.topic.encode() + message.payload).hexdigest()[:8]
        self._world.overheard.append(message)
        self._world.trace("route", sender, message.topic.removeprefix("entropilot/v1/"), digest)

    def accept(self, route: Callable[[], bool], confirm: Callable[[bool], None]) -> None:
        world = self._world
        if world.strikes("drop"):
            world.count("message dropped")
            taken = world.rng.random() < 0.5  # confirmed and lost, or lost without a word
            if not taken:
                return
        else:
            taken = route() or world.faults.forgetful
        if not world.strikes("drop"):
            confirm(taken)

    def deliver(self, message: Message, queue: Queue) -> None:
        world = self._world
        if world.strikes("drop"):
            world.count("message dropped")
            return
        for fault in ("flip", "truncate"):
            if world.strikes(fault) and (damaged := _damaged(world, fault, message)) is not None:
                world.count(f"message damaged: {fault}")
                queue(damaged)
                if world.rng.random() < 0.5:
                    return
        if world.strikes("duplicate"):
            world.count("message duplicated")
            world.loop.call_later(world.rng.expovariate(1 / world.rng.choice((0.1, 5.0, 60.0))), queue, message)
        delay = world.faults.wire.get("delay", 0.0)
        if delay and world.faulty and world.rng.random() < 0.3:
            world.count("message delayed")
            world.loop.call_later(world.rng.expovariate(1 / delay), queue, message)
        else:
            queue(message)


class SimBroker(MemoryBroker):
    """The broker."""

    def __init__(self, world: World) -> None:
        super().__init__(policy=Troubles(world))
        self.world = world
        self.links: dict[str, Link] = {}
        self._snapshot: tuple[dict[str, Session], dict[str, bytes]] = ({}, {})

    def crash(self, memory: str) -> None:
        """End the broker; `memory` is kept, wiped, or stale: what it was at the last `remember`."""
        self.world.trace("broker crash", memory)
        self.stop(forget=memory == "wiped")
        if memory == "stale":
            self.sessions, self.retained = self._snapshot
            self._snapshot = ({}, {})

    def remember(self) -> None:
        """Save what a crash may later bring back, as a broker does from time to time."""
        sessions = {}
        for name, each in self.sessions.items():
            kept = deque([*each.unacknowledged.values(), *each.queue])
            sessions[name] = Session(name, each.filters, kept)
        self._snapshot = (sessions, copy.copy(self.retained))

    @property
    def has_snapshot(self) -> bool:
        """Whether there is something that a crash could bring back."""
        return bool(self._snapshot[0])

    def start(self) -> None:
        """Start it again."""
        self.world.trace("broker up")
        super().start()


def _damaged(world: World, fault: str, message: Message) -> Message | None:
    """Damage a message; None when the damage would make another valid message, which a checksum would have caught.

    Where it is signed there is no other valid one: then None when the damage is in nothing that counts.
    """
    payload = bytearray(message.payload)
    if fault == "truncate" or not payload:
        payload = payload[: world.rng.randrange(len(payload) + 1)]
    else:
        for _ in range(world.rng.randint(1, 3)):
            payload[world.rng.randrange(len(payload))] ^= 1 << world.rng.randrange(8)
    damaged = Message(message.topic, bytes(payload))
    if says_the_same(damaged.payload, message.payload) if is_signed(message.payload) else _is_valid(damaged):
        return None
    world.bad.add((damaged.topic, damaged.payload))
    return damaged


def _is_valid(message: Message) -> bool:
    try:
        decode(message.topic, message.payload)
    except MessageError:
        return False
    return True
