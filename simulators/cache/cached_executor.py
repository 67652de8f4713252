"""Evaluates what nobody has evaluated yet, and looks up the rest; it stands around an executor, before noise.

Only results and permanent failures are kept: a deadline, a crash or a calculation that failed may go otherwise next
time. What two slots of one simulator are asked for at the same time is computed once; two processes may compute it
both, and the first value stays.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from protocols.concurrency.daemon_thread import in_daemon_thread
from protocols.wire.limits import MAX_PROVENANCE
from protocols.wire.messages import PERMANENT_FAILURES, CandidateRequest, cut
from simulators.cache.keys import cache_key
from simulators.cache.store import KeptResult, ResultCache
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.executors.executor import IdentifyingExecutor
from simulators.executors.frames import failure_content, measurement_content, measurement_of

CACHED: Final = "cached"
"""Name of the provenance that a value from the cache bears: when it was computed."""

CALL_TIMEOUT_S: Final = 2.0
"""How long the file may keep an evaluation waiting [s]: a slow disk costs that, and nobody's deadline."""


class CachedExecutor:
    """Evaluates through a cache (`simulators.executors.executor.Executor`).

    Args:
        inner: Evaluates, and says whose values it gives.
        cache: Where they are kept.
        on_event: For the log.
    """

    def __init__(self, inner: IdentifyingExecutor, cache: ResultCache, on_event: Callable[..., Any]) -> None:
        self._inner = inner
        self._cache = cache
        self._on_event = on_event
        self._running: dict[str, asyncio.Future[None]] = {}
        """Keys that are being looked up or computed; done when they have been."""

    async def evaluate(self, request: CandidateRequest) -> Measurement:
        """Return what was measured, now or before; see `Executor`."""
        key = await self._key(request)
        if key is None:
            return await self._inner.evaluate(request)
        await self._wait_for_same(key, request.deadline_s)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running.setdefault(key, done)
        try:
            if (kept := await self._find(key)) is not None:
                self._on_event("answered_from_cache", attempt=request.attempt_id, computed_at=kept.computed_at)
                return _measurement_of(kept)
            return await self._compute(key, request)
        finally:
            if self._running.get(key) is done:
                del self._running[key]
            done.set_result(None)

    async def close(self) -> None:
        """End what runs."""
        await self._inner.close()

    async def _key(self, request: CandidateRequest) -> str | None:
        identity = await self._inner.identity()
        return None if identity is None else cache_key(identity, request)

    async def _wait_for_same(self, key: str, patience_s: float) -> None:
        """Wait while another slot computes the same, but no longer than the evaluation itself might take."""
        if (running := self._running.get(key)) is not None:
            await asyncio.wait([running], timeout=patience_s)

    async def _compute(self, key: str, request: CandidateRequest) -> Measurement:
        try:
            measured = await self._inner.evaluate(request)
            if len(measured.provenance) < MAX_PROVENANCE:  # there is room to say that it was kept
                await self._keep(key, measurement_content(measured))
        except EvaluationFailed as failure:
            if failure.reason in PERMANENT_FAILURES:
                await self._keep(key, failure_content(failure))
            raise
        return measured

    async def _find(self, key: str) -> KeptResult | None:
        return await self._in_time(lambda: self._cache.find(key))

    async def _keep(self, key: str, content: Mapping[str, object]) -> None:
        try:
            value = json.dumps(content, allow_nan=False).encode()
        except (TypeError, ValueError):
            return  # of an evaluator in this process that gave what is no value: it fails when it is sent
        kept = KeptResult(value, datetime.now(UTC).isoformat(timespec="seconds"))
        await self._in_time(lambda: self._cache.keep(key, kept))

    async def _in_time(self, call: Callable[[], KeptResult | None]) -> KeptResult | None:
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return await in_daemon_thread(call, discard=lambda _kept: None)
        except TimeoutError:
            self._on_event("cache_not_used", detail=f"no answer within {CALL_TIMEOUT_S:g} s")
            return None


def _measurement_of(kept: KeptResult) -> Measurement:
    """Return a kept measurement with its mark; raise a kept failure, which says since when it is known.

    Raises:
        EvaluationFailed: That failure.
    """
    try:
        measured = measurement_of(json.loads(kept.value))
    except EvaluationFailed as failure:
        raise EvaluationFailed(
            failure.reason, cut(f"{failure.detail} (known since {kept.computed_at}: from the cache)")
        ) from None
    return replace(measured, provenance={**measured.provenance, CACHED: kept.computed_at})
