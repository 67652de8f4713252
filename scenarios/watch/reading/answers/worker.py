"""One warm child process for what takes seconds: at most one question waits behind the one that is worked out.

Whoever asks is told at once what is known: the answer, or that it is being computed. So a page asks again and again,
and each answer is worked out once: it is kept by run and question, for ever where nothing can change it, else until the
journal has grown. A question that takes longer than its deadline costs the process its life, and the next one gets a
new process.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final, Self

from protocols.concurrency.child import Child, ChildDied
from scenarios.watch.reading.answers.question import AskedRun, Question
from scenarios.watch.state.answers import AnswerStatus, Explanation, Verified, WhatIf

CHILD_MODULE: Final = "scenarios.watch.reading.answers.child"
READY: Final = b"ready"
START_TIMEOUT_S: Final = 120.0
"""How long the process may take to import what it needs, on a loaded machine [s]."""

DEADLINE_S: Final = 30.0
"""How long an answer may take [s]."""

MAX_WAITING: Final = 1
"""Questions that wait behind the one that is worked out; who comes when they do asks again later."""

MAX_KEPT: Final = 256
"""Answers that are kept; the one that was asked for longest ago goes first."""

TRIES: Final = 2
"""How often a question is asked whose process dies: it may have died of something else."""

FAILED_FOR_S: Final = 60.0
"""How long a failure is told before the question is tried again [s]."""

Key = tuple[str, Question]
"""The campaign's uid, and the question."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer, with the journal's version that it was asked at, and when it came [s]."""

    told: dict[str, Any]
    version: int
    came_s: float

    def holds_at(self, version: int, now_s: float) -> bool:
        if self.told.get("error"):
            return version == self.version and now_s - self.came_s < FAILED_FOR_S
        return bool(self.told.get("is_final")) or version == self.version


class Worker:
    """Answers questions in a child process.

    Args:
        deadline_s: How long an answer may take [s].
    """

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._asked: OrderedDict[Key, int] = OrderedDict()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def why(self, run: AskedRun, decision: int) -> Explanation:
        """Return why a decision was made, or that it is being computed."""
        told = self._answer(run, Question("why", str(run.folder), run.database, decision))
        status, error = _status_of(told)
        known = told or {}
        return Explanation(
            decision=decision,
            status=status,
            same_today=known.get("same_today"),
            words=tuple(known.get("words", ())),
            document=known.get("document"),
            error=error,
        )

    def what_if(self, run: AskedRun, policy: str, from_decision: int) -> WhatIf:
        """Return what another policy would have done from a decision on, or that it is being computed."""
        told = self._answer(run, Question("what_if", str(run.folder), run.database, from_decision, policy))
        status, error = _status_of(told)
        known = told or {}
        return WhatIf(
            policy=policy,
            from_decision=from_decision,
            status=status,
            measured=known.get("measured"),
            unknown=known.get("unknown"),
            first_difference=known.get("first_difference"),
            trajectory={name: tuple(column) for name, column in known.get("trajectory", {}).items()},
            error=error,
        )

    def verify(self, run: AskedRun) -> Verified:
        """Return what the whole check of a run found, or that it is being computed."""
        told = self._answer(run, Question("verify", str(run.folder), run.database))
        status, error = _status_of(told)
        known = told or {}
        return Verified(
            status=status,
            is_sound=known.get("is_sound"),
            parts=tuple(known.get("parts", ())),
            problems=tuple(known.get("problems", ())),
            error=error,
        )

    def close(self) -> None:
        """End the process; nothing is answered any more."""
        with self._lock:
            self._is_closed = True
            loop, task, thread = self._loop, self._task, self._thread
        if loop is not None and task is not None:
            loop.call_soon_threadsafe(task.cancel)
        if thread is not None:
            thread.join()

    def _answer(self, run: AskedRun, question: Question) -> dict[str, Any] | None:
        """Return an answer that holds; None while it is computed."""
        key = (run.uid, question)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.holds_at(run.version, time.monotonic()):
                self._kept.move_to_end(key)
                return kept.told
            if self._is_closed:
                return {"error": "nothing is answered any more"}
            if key not in self._asked and len(self._asked) <= MAX_WAITING:
                self._asked[key] = run.version
                self._begin()
        return None

    def _begin(self) -> None:
        """Wake the thread that asks; start it the first time."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="answers", daemon=True)
            self._thread.start()
        elif self._loop is not None and self._wake is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        child, wake = Child(CHILD_MODULE), asyncio.Event()
        with self._lock:
            self._loop, self._wake, self._task = asyncio.get_running_loop(), wake, asyncio.current_task()
            is_closed = self._is_closed
        try:
            while not is_closed:
                wake.clear()
                with self._lock:
                    asked = next(iter(self._asked.items()), None)
                if asked is None:
                    await wake.wait()
                    continue
                (key, version), told = asked, await self._ask(child, asked[0][1])
                self._keep(key, version, told)
        except asyncio.CancelledError:
            pass  # it was closed
        finally:
            await child.stop()

    def _keep(self, key: Key, version: int, told: dict[str, Any]) -> None:
        with self._lock:
            del self._asked[key]
            self._kept[key] = _Kept(told, version, time.monotonic())
            self._kept.move_to_end(key)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)

    async def _ask(self, child: Child, question: Question) -> dict[str, Any]:
        died = ""
        for _ in range(TRIES):
            try:
                if not child.is_running:
                    await child.start()
                    await child.ask(READY, timeout_s=START_TIMEOUT_S)
                answer: dict[str, Any] = json.loads(await child.ask(question.frame(), timeout_s=self._deadline_s))
            except TimeoutError:
                return {"error": f"it was not answered within {self._deadline_s:g} s, and was given up"}
            except ChildDied as error:
                died = error.reason
            except OSError as error:
                return {"error": f"no process can be started ({error.strerror or error})"}
            else:
                return answer
        return {"error": f"the process that works answers out died: {died}"}


def _status_of(told: dict[str, Any] | None) -> tuple[AnswerStatus, str]:
    if told is None:
        return "computing", ""
    error = str(told.get("error", ""))
    return ("failed" if error else "ready"), error
