"""The answer that never ends: a viewer's stream of events, each observation after what it knows once and in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from protocols.errors import EntropilotError
from scenarios.watch.reading.source import Source
from scenarios.watch.serving.desk import SourceDesk
from scenarios.watch.serving.event_text import RETRY, event_text
from scenarios.watch.serving.feed import Feed, MayControl
from scenarios.watch.serving.gate import Receive, Scope, Send
from scenarios.watch.serving.limits import MAX_POINTS, MAX_VIEWERS
from scenarios.watch.serving.refusals import Refusal
from scenarios.watch.serving.told import StreamEnd
from scenarios.watch.serving.viewers import Viewer
from scenarios.watch.state.answers import ControlAnswer
from scenarios.watch.state.points import Points

SEND_TIMEOUT_S: Final = 30.0
"""How long one event may take to be taken in [s]: who stops reading is let go, so that its place is free."""

_HEADERS: Final = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The last one asks nginx not to keep events back."""


class Streams:
    """The streams of all runs.

    Args:
        desk: Reads them.
        why_no_control: Says why orders cannot be sent to a run.
    """

    def __init__(self, desk: SourceDesk, why_no_control: MayControl) -> None:
        self._desk = desk
        self._why_no_control = why_no_control
        self._feeds: dict[str, Feed] = {}
        self._watching = 0

    @property
    def viewers(self) -> int:
        """How many watch."""
        return self._watching

    async def open(self, key: str, after: int | None) -> Response:
        """Return a new stream.

        Args:
            key: Of the run.
            after: The row of the journal up to which its reader knows everything; None: up to now.

        Raises:
            Refusal: When there are too many already, or there is no such run.
        """
        self._require_room()
        version = await self._desk.read(key, lambda source: source.version())
        self._require_room()  # others came meanwhile
        self._watching += 1
        return _Stream(self, key, version if after is None else min(after, version))

    def tell_receipt(self, key: str, answer: ControlAnswer) -> None:
        """Tell who watches a run what became of an order."""
        if key in self._feeds:
            self._feeds[key].tell_receipt(answer)

    def end(self) -> None:
        """Say goodbye to all."""
        for feed in list(self._feeds.values()):
            feed.end("The server of the page ends.")

    async def events(self, key: str, told: int) -> AsyncGenerator[bytes]:
        """Yield what a viewer is sent.

        Args:
            key: Of the run.
            told: The row up to which it knows everything.
        """
        feed = self._feeds.setdefault(key, Feed(self._desk, key, self._why_no_control))
        viewer, known = Viewer(), _Known(told)
        feed.join(viewer)  # first: what comes while it catches up waits for it
        try:
            yield RETRY
            async for text in self._missed(key, known):
                yield text
            while (item := await viewer.next()) is not None:
                if item.to is None:
                    yield item.text
                elif item.after == known.to:
                    known.to = item.to
                    yield item.text
                elif item.to > known.to:  # what was read while catching up went further than where this begins
                    async for text in self._missed(key, known):
                        yield text
                if item.is_last:
                    return
            yield event_text("slow", StreamEnd(why=_SLOW))
        except EntropilotError as error:
            yield event_text("bye", StreamEnd(why=str(error)))
        finally:
            feed.leave(viewer)
            if not feed.is_watched:
                self._feeds.pop(key, None)

    def left(self) -> None:
        """Count that a stream has ended."""
        self._watching -= 1

    async def _missed(self, key: str, known: _Known) -> AsyncGenerator[bytes]:
        """Yield the points that a viewer does not know yet, page by page."""
        more = True
        while more:
            after = known.to
            points = await self._desk.read(key, _points_after(after))
            more = points.more
            if points.rows:
                known.to = points.sequence
                yield event_text("points", points, points.sequence)

    def _require_room(self) -> None:
        if self._watching >= MAX_VIEWERS:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{self._watching} viewers watch already",
                expected=f"at most {MAX_VIEWERS}",
                action="close a page that nobody looks at, or start another `entropilot watch`",
                headers={"Retry-After": "10"},
            )


_SLOW: Final = "Events were read too slowly, and the stream was cut; connect again with Last-Event-ID."


@dataclass(slots=True)
class _Known:
    """The row of the journal up to which a viewer knows everything."""

    to: int


def _points_after(after: int) -> Callable[[Source], Points]:
    return lambda source: source.points_after(after, MAX_POINTS)


class _Stream(Response):
    """One viewer's answer: it ends when the viewer is gone, or takes nothing any more."""

    def __init__(self, streams: Streams, key: str, told: int) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._streams = streams
        self._key = key
        self._told = told

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send events until either side ends."""
        sending = asyncio.ensure_future(self._send(send))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait([sending, gone], return_when=asyncio.FIRST_COMPLETED)
        finally:
            has_ended = sending.done()
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)
            self._streams.left()
        if has_ended and not isinstance(sending.exception(), TimeoutError | None):
            await sending  # a fault of ours is told as one

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with contextlib.aclosing(self._streams.events(self._key, self._told)) as events:
            async for text in events:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await send({"type": "http.response.body", "body": text, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
