"""Gives spans to a collector in a thread of its own. Who traces never waits for it, and never fails by it.

    put        into a bounded queue, at once; a full one drops the span and counts it
    the thread takes what is there, a batch at a time, and sends it; what is not taken is dropped and counted
    close      gives what is left a moment, unless nobody took the last batch, then drops and counts it

A collector that hangs costs the process a thread that waits, and nothing else: it is a daemon, so no end waits for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from protocols.tracing.span import Span

MAX_BATCH: Final = 512
"""Spans in one request to the collector."""

COLLECT_S: Final = 0.5
"""How long spans are collected for one request [s]: traces are looked at by people."""

CLOSE_S: Final = 1.0
"""How long the end may wait for what is left [s]: SIGTERM has five seconds in all."""

Send = Callable[[Sequence[Span]], bool]
"""Sends spans; whether the collector took them. It may wait and may raise."""


class SpanSink(Protocol):
    """Takes spans."""

    def put(self, span: Span) -> None:
        """Take a span, at once."""
        ...


class SpanExport:
    """The queue of one part of ours, and its thread.

    Args:
        send: Sends a batch; called in the thread.
        max_queue: Spans that may wait.

    Attributes:
        sent: Spans that a collector took.
        dropped: Spans that were given up: there was no room, or nobody took them.
    """

    def __init__(self, send: Send, max_queue: int) -> None:
        self.sent = 0
        self.dropped = 0
        self._send = send
        self._max_queue = max_queue
        self._waiting: deque[Span] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._in_hand = 0
        self._taken_up_s = 0.0
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def put(self, span: Span) -> None:
        """Take a span; where there is no room it is dropped and counted."""
        with self._changed:
            if self._is_closing or len(self._waiting) >= self._max_queue:
                self.dropped += 1
                return
            self._waiting.append(span)
            if len(self._waiting) in {1, MAX_BATCH}:
                self._changed.notify()

    def close(self, wait_s: float = CLOSE_S) -> None:
        """Send what is left, as far as that goes in a moment; drop and count the rest.

        Args:
            wait_s: How long a moment is [s].
        """
        with self._changed:
            self._is_closing = True
            self._changed.notify()
            waited_s = time.monotonic() - self._taken_up_s if self._in_hand else 0.0
        self._thread.join(0.0 if self._is_failing else max(0.0, wait_s - waited_s))
        with self._changed:
            self.dropped += len(self._waiting) + self._in_hand
            self._waiting.clear()
            self._in_hand = 0

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                taken = self._send(batch)
            except Exception:  # noqa: BLE001 - whatever goes wrong with traces, only traces are lost
                taken = False
            with self._changed:
                self._is_failing = not taken
                if self._in_hand:  # else the end has given it up meanwhile, and counted it
                    self.sent += len(batch) if taken else 0
                    self.dropped += 0 if taken else len(batch)
                self._in_hand = 0

    def _next_batch(self) -> list[Span]:
        """Wait for spans, and a little more for others; return nothing when all is sent and we are to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing)
            self._changed.wait_for(lambda: len(self._waiting) >= MAX_BATCH or self._is_closing, COLLECT_S)
            batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
            self._in_hand, self._taken_up_s = len(batch), time.monotonic()
            return batch
