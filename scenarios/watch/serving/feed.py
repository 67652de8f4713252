"""What is new in a run, asked for once for all who watch it as long as somebody does.

Its observations four times a second; how it stands, which costs four times as much, twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from protocols.errors import EntropilotError
from scenarios.watch.reading.source import Source
from scenarios.watch.serving.desk import SourceDesk
from scenarios.watch.serving.event_text import event_text
from scenarios.watch.serving.limits import HEARTBEAT_S, MAX_POINTS, MOMENT_S, POLL_S
from scenarios.watch.serving.told import Agent, CampaignNews, StreamEnd
from scenarios.watch.serving.viewers import Told, Viewer
from scenarios.watch.state.answers import ControlAnswer
from scenarios.watch.state.moment import Moment
from scenarios.watch.state.points import Points

MayControl = Callable[[str], str]
"""Says by the key of a run why orders cannot be sent to it; "" where they can."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look at a run saw.

    Attributes:
        version: The journal's last row.
        points: What came since the last look; None where nothing did.
        moment: How it stands; None where nothing changed.
        agent: Whether its agent is there.
        why_not: Why orders cannot be sent to it.
    """

    version: int
    points: Points | None
    moment: Moment | None
    agent: Agent
    why_not: str


class Feed:
    """Tells all who watch a run what is new in it.

    Args:
        desk: Reads it.
        key: Of the run.
        why_no_control: Says why orders cannot be sent to it.
    """

    def __init__(self, desk: SourceDesk, key: str, why_no_control: MayControl) -> None:
        self._desk = desk
        self._key = key
        self._why_no_control = why_no_control
        self._viewers: set[Viewer] = set()
        self._task: asyncio.Task[None] | None = None
        self._version: int | None = None
        self._told = 0
        self._moment: Moment | None = None
        self._stood_at = -MOMENT_S
        self._news: CampaignNews | None = None
        self._said_at = 0.0
        self._problem = ""

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._viewers)

    def join(self, viewer: Viewer) -> None:
        """Let somebody watch: how the campaign stands is told at once, where it is known."""
        self._viewers.add(viewer)
        if self._news is not None:
            viewer.offer(Told(event_text("campaign", self._news)))
        if self._moment is not None:
            viewer.offer(Told(event_text("moment", self._moment)))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def leave(self, viewer: Viewer) -> None:
        """Let somebody go; who watches last ends the looking."""
        self._viewers.discard(viewer)
        if not self._viewers and self._task is not None:
            self._task.cancel()
            self._task = None
            self._version = self._moment = self._news = None

    def tell_receipt(self, answer: ControlAnswer) -> None:
        """Tell what became of an order."""
        self._tell(Told(event_text("receipt", answer)))

    def end(self, why: str) -> None:
        """Say goodbye."""
        self._tell(Told(event_text("bye", StreamEnd(why=why)), is_last=True))

    def _tell(self, told: Told) -> None:
        for viewer in self._viewers:
            viewer.offer(told)

    async def _watch(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self._look()
            except EntropilotError as error:
                self._say(None, str(error))
            except Exception:  # noqa: BLE001 - it is told, and looked at again
                _log.exception("a fault of Entropilot while the run %s was watched", self._key)
                self._say(None, "A fault of Entropilot; see what `entropilot watch` printed.")
            await asyncio.sleep(max(POLL_S - (time.monotonic() - began), POLL_S / 10))

    async def _look(self) -> None:
        """Look once, and tell what is new."""
        seen = await self._desk.read(self._key, self._see)
        while seen.points is not None:
            if seen.points.rows:
                text = event_text("points", seen.points, seen.points.sequence)
                self._tell(Told(text, self._told, seen.points.sequence))
                self._told = seen.points.sequence
            if not seen.points.more:
                break
            seen = await self._desk.read(self._key, self._see)
        if seen.moment is not None and seen.moment != self._moment:
            self._moment = seen.moment
            self._tell(Told(event_text("moment", seen.moment)))
        self._version = seen.version
        self._say(seen, "")

    def _see(self, source: Source) -> _Seen:
        """Ask a run what is new; in a thread."""
        version, agent = source.version(), self._desk.shelf.agent(self._key)
        points = moment = None
        if self._version is None:
            self._told = version
        elif version != self._version:
            self._told = min(self._told, version)  # a run that was begun again under its name
            points = source.points_after(self._told, MAX_POINTS)
        is_due = time.monotonic() - self._stood_at >= MOMENT_S
        is_behind = self._moment is None or self._moment.last_sequence != version
        if self._version is None or (is_behind and is_due) or (self._news is not None and agent != self._news.agent):
            moment, self._stood_at = source.moment(), time.monotonic()
        return _Seen(version, points, moment, agent, self._why_no_control(self._key))

    def _say(self, seen: _Seen | None, problem: str) -> None:
        """Tell how the campaign is, where that changed, and every second."""
        before, now = self._news, time.monotonic()
        read_at = datetime.now(UTC).isoformat() if seen is not None else before.as_of if before else None
        news = CampaignNews(
            key=self._key,
            phase=None if problem or self._moment is None else self._moment.phase,
            reason="" if self._moment is None else self._moment.reason,
            agent="unknown" if seen is None else seen.agent,
            as_of=read_at,
            sequence=self._version or 0,
            problem=problem,
            can_control=seen is not None and not seen.why_not,
            why_not=problem if seen is None else seen.why_not,
        )
        is_new = (
            before is None or news.model_copy(update={"as_of": before.as_of, "sequence": before.sequence}) != before
        )
        if is_new or now - self._said_at >= HEARTBEAT_S:
            self._news, self._said_at = news, now
            self._tell(Told(event_text("campaign", news)))
