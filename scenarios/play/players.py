"""Who plays a recording onto a broker: one the lab's side for a live agent, one all of it for those who watch.

    hear    requests, receipts, the agent's status, and that it asks what all can do
    say     what is due, in its order (`live_schedule`): answers as often as the agent asks, and what came unasked
    look    whether it is over, and what a watching person sees

Nothing is kept on disk: who asks again for an attempt is answered again, after a restart of this process too.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from protocols.concurrency.signals import ending_on_signals
from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import MessageError
from protocols.link.transport import Delivery, LinkDown, LinkUp
from protocols.recording.lines import MessageRow
from protocols.recording.reader import open_recording
from protocols.wire.codec import decode
from protocols.wire.messages import (
    CandidateRequest,
    Capabilities,
    CapabilitiesRequest,
    Health,
    ReceiptStatus,
    ResultReceipt,
    Status,
)
from protocols.wire.topics import ANY_SIMULATOR, RETAINED, parse
from scenarios.play.link import REFUSED, SAID, UNHEARD, LiveLink, announcement, online
from scenarios.play.messages import OutgoingMessage
from scenarios.play.schedule import LiveSchedule, PlaybackCounts

AGENT_LEFT_S: Final = 10.0
"""Silence after which it is over, unless the agent says that it is there: time to take a killed one up again."""

LOOK_EVERY_S: Final = 0.25
"""How often it is looked whether it is over, and a watching person is told."""


@dataclass(slots=True)
class PlaybackStatus:
    """How far it is.

    Attributes:
        seconds: How long it has been going on.
        said: Messages that the broker has taken.
        unheard: Of further ones it said that nobody listened.
        refused: Messages that it refused, as too large, say, or whose topic MQTT does not take.
        waiting: Attempts that wait for their recorded answer.
        played: What was asked and answered; of both sides, nothing.
        connected: Whether there ever was a link.
    """

    seconds: float = 0.0
    said: int = 0
    unheard: int = 0
    refused: int = 0
    waiting: int = 0
    played: PlaybackCounts = field(default_factory=PlaybackCounts)
    connected: bool = False


OnProgress = Callable[[PlaybackStatus], None]


class Player(ABC):
    """Plays until it is over.

    Args:
        link: The link.

    Attributes:
        last_down: Why there is no link, as the transport said it last.
    """

    def __init__(self, link: LiveLink) -> None:
        self.last_down: LinkDown | None = None
        self._link = link
        self._linked = asyncio.Event()
        self._ended = asyncio.Event()

    async def run(self, on_progress: OnProgress) -> PlaybackStatus:
        """Play; return how far it came, which may be nowhere: without a link, when it was asked to end."""
        began_s = asyncio.get_running_loop().time()
        try:
            with ending_on_signals(self._ended.set):
                async with asyncio.TaskGroup() as group:
                    works = (self._link.transport.run(), self._hear(), self._say(), self._look(on_progress, began_s))
                    tasks = [group.create_task(work) for work in works]
                    await self._ended.wait()
                    tasks[2].cancel()
                    await asyncio.wait([tasks[2]])
                    await self._link.leave()
                    for task in tasks:
                        task.cancel()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None
        return self._playing(began_s)

    async def _hear(self) -> None:
        """Take what the link brings."""
        while True:
            item = await self._link.transport.receive()
            if isinstance(item, Delivery):
                self._link.transport.acknowledge(item)
            else:
                self._note_link(item)

    def _note_link(self, item: LinkUp | LinkDown) -> None:
        if isinstance(item, LinkUp):
            self._linked.set()
        else:
            self.last_down = item

    @abstractmethod
    async def _say(self) -> None:
        """Say what is to be said."""

    def _is_over(self) -> bool:
        return False

    async def _look(self, on_progress: OnProgress, began_s: float) -> None:
        while True:
            on_progress(self._playing(began_s))
            if self._is_over():
                self._ended.set()
            await asyncio.sleep(LOOK_EVERY_S)

    def _playing(self, began_s: float) -> PlaybackStatus:
        counts = self._link.counts
        seconds = asyncio.get_running_loop().time() - began_s
        return PlaybackStatus(seconds, counts[SAID], counts[UNHEARD], counts[REFUSED], connected=self._linked.is_set())


class WholePlayer(Player):
    """Says everything as it was, both sides.

    Args:
        path: The recording.
        speed: How many times faster than recorded.
        link: The link.
    """

    def __init__(self, path: Path, speed: float, link: LiveLink) -> None:
        super().__init__(link)
        self._path = path
        self._speed = speed

    async def _say(self) -> None:
        loop = asyncio.get_running_loop()
        await self._linked.wait()
        began_s, first_s = loop.time(), None
        with open_recording(self._path) as recording:
            for row in recording.rows():
                if not isinstance(row, MessageRow):
                    continue
                first_s = row.time_s if first_s is None else first_s
                await asyncio.sleep(began_s + (row.time_s - first_s) / self._speed - loop.time())
                await self._link.say(OutgoingMessage(row.topic, row.payload, row.retain or _is_kept(row.topic)))
        self._ended.set()


class LabPlayback(Player):
    """Answers a live agent as the recorded lab did.

    Args:
        schedule: Knows what is due when.
        link: The link.
        campaign: Whose requests are answered.
        simulators: Who is there, and what each can do, as far as it is recorded.
        until_idle_s: Silence after which it is over, also when nobody has ever asked; None: it waits for the first
            request, and then as long as the agent says that it is there.
    """

    def __init__(
        self,
        schedule: LiveSchedule,
        link: LiveLink,
        *,
        campaign: str,
        simulators: Mapping[str, Capabilities | None],
        until_idle_s: float | None,
    ) -> None:
        super().__init__(link)
        self._schedule = schedule
        self._until_idle_s = until_idle_s
        self._outgoing: deque[OutgoingMessage] = deque(online(campaign, simulator) for simulator in simulators)
        self._outgoing.extend(announcement(campaign, name, recorded) for name, recorded in simulators.items())
        self._is_asked_for_abilities = False
        self._woken = asyncio.Event()
        self._room = asyncio.Event()
        self._is_back = False
        self._agent_is_there: bool | None = None
        self._linked_s: float | None = None

    async def _hear(self) -> None:
        while True:
            await self._room.wait()
            item = await self._link.transport.receive()
            if isinstance(item, Delivery):
                self._take(item)
                self._link.transport.acknowledge(item)
            else:
                self._note_link(item)
            self._make_room()
            self._woken.set()

    def _note_link(self, item: LinkUp | LinkDown) -> None:
        if isinstance(item, LinkUp):
            self._linked_s = asyncio.get_running_loop().time()
            self._is_back = self._linked.is_set()
        super()._note_link(item)

    def _take(self, item: Delivery) -> None:
        now_s = asyncio.get_running_loop().time()
        try:
            message = decode(item.topic, item.payload)
        except MessageError:
            return  # not for a lab to judge
        match message:
            case CandidateRequest():
                self._schedule.ask(message, parse(item.topic).client or ANY_SIMULATOR, now_s)
            case ResultReceipt() if message.status is not ReceiptStatus.WITHDRAWN:  # it is of no answer
                self._schedule.receive(message.attempt_id, now_s)
            case CapabilitiesRequest():
                self._is_asked_for_abilities = True
            case Status():
                self._agent_is_there = message.health is Health.ONLINE
            case _:
                pass

    async def _say(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            if self._is_back:
                self._is_back = False
                await self._link.say_online()
            if self._is_asked_for_abilities:
                self._is_asked_for_abilities = False
                await self._link.announce()
            self._outgoing.extend(self._schedule.take_due(loop.time(), datetime.now(UTC)))
            self._make_room()
            while self._outgoing:
                await self._link.say(self._outgoing[0])
                self._outgoing.popleft()
            due_s = self._schedule.next_s()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if due_s is None else max(0.0, due_s - loop.time())):
                    await self._woken.wait()

    def _make_room(self) -> None:
        if self._schedule.is_full:
            self._room.clear()
        else:
            self._room.set()

    def _is_over(self) -> bool:
        schedule = self._schedule
        if self._linked_s is None or not schedule.is_idle or self._outgoing:
            return False
        now_s = asyncio.get_running_loop().time()
        if self._until_idle_s is not None:
            return now_s - max(schedule.last_s, self._linked_s) >= self._until_idle_s
        if schedule.began_s is None:
            return False
        silence_s = now_s - schedule.last_s
        more_comes = self._agent_is_there is None and schedule.has_more_unsolicited
        return silence_s >= AGENT_LEFT_S and not self._agent_is_there and not more_comes

    def _playing(self, began_s: float) -> PlaybackStatus:
        playing = super()._playing(began_s)
        playing.waiting = self._schedule.waiting
        playing.played = self._schedule.played
        return playing


def _is_kept(topic: str) -> bool:
    """Tell whether a topic is one that a broker keeps: a recorder hears a live message without that mark."""
    try:
        return parse(topic).channel in RETAINED
    except MessageError:
        return False
