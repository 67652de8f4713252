"""The part of an attempt's trace that an instrument knows: from its commit that it begins to that of its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from protocols.tracing.export import SpanExport
from protocols.tracing.span import EVALUATE, SEND, Span
from protocols.wire.topics import Channel
from simulators.outbox import AttemptProgress, Change

FAILED: Final = f"/{Channel.FAILURE.value}/"
"""In the topic of an answer that tells of a failure."""

MAX_OPEN: Final = 4_096
"""Evaluations whose beginning is known; more never run at once, but some end without an answer."""


class EvaluationTraces:
    """Makes spans of what an instrument commits.

    Args:
        export: Takes them, at once.
        simulator: The instrument's id.
        on_event: Called with a name and fields, for the log.
        now_ns: Wall-clock time [ns since 1970].
    """

    def __init__(
        self,
        export: SpanExport,
        simulator: str,
        *,
        on_event: Callable[..., Any] = lambda _name, **_told: None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._export = export
        self._simulator = simulator
        self._on_event = on_event
        self._now_ns = now_ns
        self._began: dict[str, int] = {}

    def committed(self, changes: Iterable[Change]) -> None:
        """Make the spans of a committed transaction."""
        now = self._now_ns()
        for change in changes:
            if change.progress is AttemptProgress.STARTED:
                self._began[change.attempt_id] = now
                if len(self._began) > MAX_OPEN:
                    del self._began[next(iter(self._began))]
            elif change.answer is not None and change.attempt_id in self._began:
                error = "the instrument reports a failure" if FAILED in change.answer.topic else ""
                told = {"entropilot.instrument": self._simulator}
                began = self._began.pop(change.attempt_id)
                self._export.put(Span(change.attempt_id, EVALUATE, began, now, SEND, told, error))

    def close(self) -> None:
        """Give what is left away, and say what was lost."""
        self._export.close()
        if self._export.dropped:
            self._on_event("traces_lost", dropped=self._export.dropped, sent=self._export.sent)
