"""Questions that take seconds of calculation: why, what if, is it sound. A process of their own answers one at a time.

A policy is named here as it comes with Entropilot, or as an installed package brings it: a path or a module that a
model names is code that somebody else would choose, and is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from agent.acquisition.built_in import BUILT_IN
from protocols.errors import SettingsError
from protocols.settings.plug_ins import POLICIES, plug_in_names
from protocols.settings.suggestions import did_you_mean
from scenarios.watch.reading.answers.question import AskedRun
from scenarios.watch.reading.answers.worker import Worker
from scenarios.watch.state.answers import Explanation, Verified, WhatIf

WAIT_S: Final = 45.0
"""How long an answer is waited for before a model is told to ask again [s]: the worker's deadline, and its start."""

LOOK_AGAIN_S: Final = 0.1
"""Pause before the worker is asked again [s]."""

Answered = TypeVar("Answered", Explanation, WhatIf, Verified)


class Questions:
    """Asks the process that answers, which begins with the first question.

    Args:
        wait_s: How long an answer is waited for [s]; then its status is `computing`.
    """

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._worker: Final = Worker()
        self._wait_s: Final = wait_s

    def why(self, run: AskedRun, decision: int) -> Explanation:
        """Return why a decision was made, and whether it would be made again."""
        return self._awaited(lambda: self._worker.why(run, decision))

    def what_if(self, run: AskedRun, policy: str, from_decision: int) -> WhatIf:
        """Return what another policy would have done from a decision on.

        Raises:
            SettingsError: When there is no such policy here.
        """
        known = (*BUILT_IN, *plug_in_names(POLICIES))
        if policy not in known:
            raise SettingsError(
                f"There is no policy {policy[:80]!r}",
                expected=f"one of {', '.join(known)}",
                action=did_you_mean(policy, known) or "name one of these",
            )
        return self._awaited(lambda: self._worker.what_if(run, policy, from_decision))

    def verify(self, run: AskedRun) -> Verified:
        """Return what the whole check of a run finds."""
        return self._awaited(lambda: self._worker.verify(run))

    def close(self) -> None:
        """End the process."""
        self._worker.close()

    def _awaited(self, ask: Callable[[], Answered]) -> Answered:
        until = time.monotonic() + self._wait_s
        while (answer := ask()).status == "computing" and time.monotonic() < until:
            time.sleep(LOOK_AGAIN_S)
        return answer
