"""What goes to the lab: set points and request together, each attempt once, and again only where that is safe."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from protocols.link.transport import LinkLost, NotSent, PropertyTransport, PublishRefused, Reply, Transport
from protocols.mapping.facts import Attempts
from protocols.mapping.outgoing import LabMessage
from protocols.mapping.sent_log import SentLog
from protocols.mapping.settings import RepeatSettings

MAX_TIMES_KNOWN: Final = 4_096
"""Attempts beside those in flight of which is known when they were sent."""

REPEAT_CHECK_S: Final = 1.0
"""How often we look whether a request is to be repeated."""


class LabSender:
    """Sends to a lab.

    Args:
        link: The link, beneath signatures: nobody signs to a lab.
        attempts: What was asked.
        sent: The requests that may be with the lab.
        repeat: When a request is sent again.
        on_event: Called with a short name and fields for the log.
        may_repeat: Tells whether anything may be repeated just now: it may begin work.
    """

    def __init__(
        self,
        link: Transport,
        attempts: Attempts,
        sent: SentLog,
        repeat: RepeatSettings,
        on_event: Callable[..., Any],
        *,
        may_repeat: Callable[[], bool] = lambda: True,
    ) -> None:
        self._may_repeat = may_repeat
        self._link = link
        self._attempts = attempts
        self._sent = sent
        self._repeat = repeat
        self._on_event = on_event
        self._sent_at: dict[str, float] = {}
        """Attempt -> when this process sent its request [s, monotonic]."""
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Instrument -> whose turn it is: set points and the request after them belong together."""
        self._due: dict[str, tuple[int, float]] = {}
        """Attempt -> how often its request was repeated, and when it is to be again."""
        self._requests: dict[str, tuple[str, tuple[LabMessage, ...]]] = {}

    def elapsed_s(self, attempt_id: str) -> float | None:
        """Return the time since an attempt's request was sent [s]; None where this process did not send it."""
        sent_at = self._sent_at.get(attempt_id)
        return None if sent_at is None else _time() - sent_at

    async def ask(
        self,
        attempt_id: str,
        instrument: str,
        messages: tuple[LabMessage, ...],
        before: Callable[[str], Awaitable[None]],
    ) -> None:
        """Send set points and request, unless they may be with the lab already.

        Args:
            attempt_id: The attempt.
            instrument: Our id of who is asked.
            messages: The request last.
            before: Called with the instrument before an attempt is sent for the first time.

        Raises:
            LinkLost: It is to be sent again.
            PublishRefused: The broker refuses it, or cannot carry what it needs.
        """
        async with self._turns[instrument]:
            if attempt_id not in self._sent:
                await before(instrument)
            elif not self._repeat.safe:
                return
            await self._send_all(attempt_id, messages)
        self._sent_at.setdefault(attempt_id, _time())
        if self._repeat.safe and self._repeat.times:
            self._requests[attempt_id] = (instrument, messages)
            self._due.setdefault(attempt_id, (0, _time() + self._repeat.after_s))
        if len(self._sent_at) > MAX_TIMES_KNOWN:
            for each in [known for known in self._sent_at if not self._is_awaited(known)]:
                del self._sent_at[each]

    async def send(self, message: LabMessage) -> None:
        """Publish to the lab.

        Raises:
            LinkLost: The outcome is unknown.
            PublishRefused: The broker refuses it, or cannot carry what it needs.
        """
        link, reply = self._link, None
        if message.response_topic:
            reply = Reply(message.response_topic, message.correlation_data)
        if isinstance(link, PropertyTransport):
            if reply is not None and not link.carries_properties:
                raise _without_correlation(message.topic)
            await link.publish(message.topic, message.payload, retain=message.retain, reply=reply, qos=message.qos)
        elif reply is not None:
            raise _without_correlation(message.topic)
        else:
            await link.publish(message.topic, message.payload, retain=message.retain)

    async def repeat(self) -> None:
        """Send again what stays without an answer, where that is safe; for as long as the link is wanted."""
        if not (self._repeat.safe and self._repeat.times):
            return
        while True:
            await asyncio.sleep(REPEAT_CHECK_S)
            for attempt_id, (times, due) in list(self._due.items()):
                if times >= self._repeat.times or not self._is_awaited(attempt_id):
                    del self._due[attempt_id], self._requests[attempt_id]
                elif due <= _time() and self._may_repeat():
                    await self._send_again(attempt_id, times + 1)

    async def _send_again(self, attempt_id: str, times: int) -> None:
        self._due[attempt_id] = (times, _time() + self._repeat.after_s * 2.0**times)
        self._on_event("request_repeated", attempt_id=attempt_id, times=times)
        instrument, messages = self._requests[attempt_id]
        with contextlib.suppress(LinkLost, PublishRefused):  # it was sent before; silence ends the attempt
            async with self._turns[instrument]:
                for message in messages:
                    await self.send(message)

    async def _send_all(self, attempt_id: str, messages: tuple[LabMessage, ...]) -> None:
        """Note the request before it goes out, and take it back where it did not arrive."""
        for message in messages[:-1]:
            await self.send(message)
        self._sent.note(attempt_id)
        try:
            await self.send(messages[-1])
        except (NotSent, PublishRefused):
            self._sent.take_back(attempt_id)
            raise
        except LinkLost:
            if self._repeat.safe:
                raise
            action = "its answer is awaited; it is not sent again"
            self._on_event("request_may_be_lost", attempt_id=attempt_id, action=action)

    def _is_awaited(self, attempt_id: str) -> bool:
        asked = self._attempts.find(attempt_id)
        return asked is not None and asked.in_flight


def _time() -> float:
    return asyncio.get_running_loop().time()


def _without_correlation(topic: str) -> PublishRefused:
    return PublishRefused(
        topic,
        "MQTT 3.1.1 is spoken, which carries no response topic and no correlation data",
        expected="a broker of MQTT 5, for lab.request.response_topic",
        action="use such a broker, or let answers repeat an id (lab.result.correlate_by)",
    )
