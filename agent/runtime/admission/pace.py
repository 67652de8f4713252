"""Lets requests out at their pace and in their hours, one after the other in the order in which they were decided.

A request has one turn, however often it is repeated; repeating it waits for the hours as well, for it may begin work.
When turns were had is written down before the request goes out, so that a process which is started again keeps the
pace. The clock is that of the wall: hours are the lab's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import AwareDatetime, TypeAdapter

from agent.campaign.limits.pace import PaceLimits, free_again_at, free_at, window_s
from protocols.errors import StoreError
from protocols.storage.atomic_file import atomic_write

LOOK_EVERY_S: Final = 1.0
"""How often one that waits looks again: at the clock, which may be set, and whether it is wanted at all."""

MAX_MEMORY_BYTES: Final = 256 * 1024 * 1024
"""Largest file of turns that is read: a million of them take a tenth."""

_TURNS: Final = TypeAdapter(dict[str, AwareDatetime])


class TurnMemory:
    """When requests had their turn, as far as the pace needs it, in a file.

    Args:
        path: The file; None keeps nothing over a restart.

    Raises:
        StoreError: When it cannot be read.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.turns: dict[str, datetime] = {}
        """Attempt -> when it had its turn, oldest first."""
        if path is not None and path.exists():
            self.turns = _read(path)

    def write(self, attempt_id: str, now: datetime, keep: timedelta) -> None:
        """Write down a turn, and forget those that count no more.

        Raises:
            StoreError: When it cannot be written: then the request must not go out.
        """
        self.turns = {each: at for each, at in self.turns.items() if now - at < keep}
        self.turns[attempt_id] = now
        if self._path is not None:
            content = {each: at.isoformat() for each, at in self.turns.items()}
            with atomic_write(self._path) as file:
                file.write(json.dumps(content).encode())


class Pace:
    """The turns of one campaign's requests.

    Args:
        limits: The settings.
        memory: Of earlier turns.
        had_turn: Attempts that were sent by an earlier process.
        is_paused: Tells whether the campaign is paused or being stopped: then nothing new goes out.
        clock: Returns the wall-clock time, with its offset.
        on_event: Called with a name and fields, for the log.

    Attributes:
        reason: Why requests wait, for people; empty while none does.
        on_turn: Called with an attempt that waited, when it goes out: its clock begins.
    """

    def __init__(
        self,
        limits: PaceLimits,
        memory: TurnMemory | None = None,
        *,
        had_turn: Iterable[str] = (),
        is_paused: Callable[[], bool] = lambda: False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_event: Callable[..., Any] = lambda _name, **_told: None,
    ) -> None:
        self.reason = ""
        self.on_turn: Callable[[str], None] = lambda _attempt_id: None
        self._limits = limits
        self._memory = memory or TurnMemory(None)
        self._had_turn = {*had_turn, *self._memory.turns}
        self._is_paused = is_paused
        self._clock = clock
        self._on_event = on_event
        self._held: set[str] = set()
        self._next = asyncio.Lock()

    def is_held(self, attempt_id: str) -> bool:
        """Tell whether a request waits for its turn: nobody can answer it, and its time does not run."""
        return attempt_id in self._held

    async def turn(self, attempt_id: str, is_wanted: Callable[[], bool]) -> bool:
        """Wait until a request may go out; return False when it is no longer wanted.

        Args:
            attempt_id: Which.
            is_wanted: Tells whether it is to go out at all: the link is up, and its answer awaited.

        Raises:
            StoreError: When the turn cannot be written down.
        """
        if not self._limits.is_pacing:
            return is_wanted()
        is_first, began = attempt_id not in self._had_turn, self._clock()
        self._held.add(attempt_id)
        try:
            if attempt_id in self._had_turn:
                went = await self._wait(lambda now: free_again_at(self._limits, now), is_wanted, tells=False)
            else:
                async with self._next:
                    went = await self._wait(self._free_at, is_wanted, tells=True)
                    if went:
                        self._take(attempt_id)
        finally:
            self._held.discard(attempt_id)
            if not self._held:
                self._tell("")
        if went and (is_first or self._clock() - began >= timedelta(seconds=LOOK_EVERY_S)):
            self.on_turn(attempt_id)  # not of a repetition that waited for nothing: its time runs
        return went

    def _free_at(self, now: datetime) -> datetime | None:
        """Return when the next new request may go out; None while nobody knows."""
        return None if self._is_paused() else free_at(self._limits, list(self._memory.turns.values()), now)

    async def _wait(
        self, free: Callable[[datetime], datetime | None], is_wanted: Callable[[], bool], *, tells: bool
    ) -> bool:
        """Wait until it is free; return False when it is no longer wanted by then. The first in line tells why."""
        while is_wanted():
            now = self._clock()
            at = free(now)
            if at is not None and at <= now:
                return True
            if tells or not self.reason:
                self._tell("the campaign is paused" if at is None else f"requests go out again at {_shown(at)}")
            wait_s = LOOK_EVERY_S if at is None else min(LOOK_EVERY_S, (at - now).total_seconds())
            await asyncio.sleep(wait_s)
        return False

    def _take(self, attempt_id: str) -> None:
        self._had_turn.add(attempt_id)
        if window := window_s(self._limits):
            self._memory.write(attempt_id, self._clock(), timedelta(seconds=window))

    def _tell(self, reason: str) -> None:
        if reason == self.reason:
            return
        self.reason = reason
        if reason:
            self._on_event("sending_waits", detail=reason)
        else:
            self._on_event("sending_goes_on")


def _shown(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _read(path: Path) -> dict[str, datetime]:
    reason = "it is too large"
    try:
        if path.stat().st_size <= MAX_MEMORY_BYTES:
            return _TURNS.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = type(error).__name__
    raise StoreError(
        f"{path} cannot be read ({reason}): when requests were sent is not known",
        expected="the file as it was written",
        action="restore it from a copy; or delete it, when an hour has passed since the last request",
    )
