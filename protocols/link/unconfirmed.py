"""What a session has sent and its broker has not confirmed: each message waits for its word, and only so many at once.

A broker that confirms nothing is named, and when it says nothing at all for long, it is hung up on.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

import aiomqtt

from protocols.link.dropped_packets import DroppedPackets, Suspicion
from protocols.link.failures import LOOK_AT_IT
from protocols.link.transport import LinkLost
from protocols.wire.limits import MAX_PUBLISHES_IN_FLIGHT

SILENT_TIMEOUTS: Final = 3
"""After so many times `publish_timeout_s` without any word of a broker that we sent messages to, we hang up: it may
hang, or have lost us."""


class Unconfirmed:
    """The messages of one session that wait for a PUBACK.

    Args:
        timeout_s: How long each may wait [s].
        on_event: Called with a short name and fields for the log.

    Attributes:
        slots: One for each message that may be on its way.
    """

    def __init__(self, timeout_s: float, on_event: Callable[..., None]) -> None:
        self.slots = asyncio.Semaphore(MAX_PUBLISHES_IN_FLIGHT)
        self._timeout_s = timeout_s
        self._on_event = on_event
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._sizes: dict[int, int] = {}
        self._dropped_packets = DroppedPackets()
        self._last_word_s = math.inf
        self._is_silent = False

    def __len__(self) -> int:
        return len(self._answers)

    async def answer(self, client: aiomqtt.Client, number: int, size_bytes: int) -> int:
        """Wait for the reason code of a message that was just sent.

        Args:
            client: Over which.
            number: Of its packet.
            size_bytes: The same packet's size.

        Raises:
            LinkLost: When none comes.
        """
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers[number], self._sizes[number] = answer, size_bytes
        try:
            async with asyncio.timeout(self._timeout_s):  # wait_for may swallow a cancellation
                return await answer
        except TimeoutError:
            self._note_silence(client)
            raise LinkLost from None
        finally:
            self._answers.pop(number, None)
            self._sizes.pop(number, None)

    def take(self, number: int, code: int) -> None:
        """Note the reason code of a packet, whether anybody still waits for it or not."""
        self.note_word()
        answer = self._answers.get(number)
        if answer is not None and not answer.done():
            self._dropped_packets.confirmed(self._sizes[number])
            answer.set_result(code)

    def link_began(self) -> None:
        """Note that a connection stands."""
        self._last_word_s, self._is_silent = time.monotonic(), False

    def link_ended(self) -> Suspicion | None:
        """Give up all that wait; return whether one of their packets seems to be too large."""
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(LinkLost())
        return self._dropped_packets.link_ended(self._sizes.values()) if self._sizes else None

    def note_word(self) -> None:
        """Note that the broker says something."""
        self._last_word_s = time.monotonic()
        if self._is_silent:
            self._is_silent = False
            self._on_event("broker_speaks_again")

    def _note_silence(self, client: aiomqtt.Client) -> None:
        """Say that the broker confirms nothing; hang up when it has said nothing at all for long."""
        silent_s = time.monotonic() - self._last_word_s
        if not self._is_silent:
            self._is_silent = True
            self._on_event("broker_silent", unconfirmed_s=self._timeout_s, action=LOOK_AT_IT)
        if silent_s >= SILENT_TIMEOUTS * self._timeout_s and not client._disconnected.done():  # noqa: SLF001
            message = f"it took our messages and said nothing for {silent_s:.0f} s"
            client._disconnected.set_exception(aiomqtt.MqttError(message))  # noqa: SLF001 - ends the message iterator
