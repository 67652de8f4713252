"""What takes time: why a decision was made, what another policy would have done, the whole check, two runs compared."""

from __future__ import annotations

from collections import OrderedDict
from http import HTTPStatus
from typing import Final, TypeVar

from agent.acquisition.built_in import BUILT_IN
from protocols.settings.plug_ins import POLICIES, plug_in_names
from scenarios.watch.reading.answers.comparison import compare_runs
from scenarios.watch.reading.answers.question import AskedRun
from scenarios.watch.reading.answers.worker import Worker
from scenarios.watch.reading.source import Source
from scenarios.watch.serving.desk import SourceDesk
from scenarios.watch.serving.refusals import Refusal
from scenarios.watch.serving.told import PolicyListing
from scenarios.watch.state.answers import Comparison, Explanation, Verified, WhatIf
from scenarios.watch.state.trust import Trust

Answer = TypeVar("Answer", Explanation, WhatIf, Verified)

MAX_UNDER_WAY: Final = 100
"""Most questions that are asked for again and again at once: who asked one of the first asks it as a new one."""


class Questions:
    """Answers what takes time: most of it in a process of its own, so that the server goes on.

    Args:
        desk: Reads the runs.
        worker: Works answers out.
    """

    def __init__(self, desk: SourceDesk, worker: Worker | None = None) -> None:
        self._desk = desk
        self._worker = worker or Worker()
        self._under_way: OrderedDict[tuple[str, ...], AskedRun] = OrderedDict()
        self._checked: dict[str, tuple[AskedRun, Verified]] = {}

    async def why(self, key: str, decision: int) -> Explanation:
        """Return why a decision was made, or that it is being worked out."""
        run = await self._asked(key, ("why", str(decision)), decision)
        return self._told(key, ("why", str(decision)), self._worker.why(run, decision))

    async def what_if(self, key: str, policy: str, start: int) -> WhatIf:
        """Return what another policy would have done, or that it is being worked out.

        Raises:
            Refusal: When there is no such policy: nobody's file is run for a browser.
        """
        known = self.policies().policies
        if policy not in known:
            raise Refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"There is no policy {policy[:100]!r}",
                expected=f"one of {', '.join(known)}",
                action="choose one of /api/policies; `entropilot what-if` takes one of a file of yours",
            )
        what = ("what-if", policy, str(start))
        run = await self._asked(key, what)
        return self._told(key, what, self._worker.what_if(run, policy, start))

    async def verify(self, key: str) -> Verified:
        """Return what the whole check found, or that it is under way."""
        run = await self._asked(key, ("verify",))
        found = self._told(key, ("verify",), self._worker.verify(run))
        if found.status == "ready":
            self._checked[key] = (run, found)
        return found

    async def compare(self, left: str, right: str) -> Comparison:
        """Return two runs beside each other."""
        return await self._desk.read_two(left, right, compare_runs)

    def with_check(self, key: str, trust: Trust) -> Trust:
        """Return what is told of trust, with the whole check where it was made."""
        run, found = self._checked.get(key, (None, None))
        if run is None or found is None or found.is_sound is None or trust.is_sound is False:
            return trust
        checked = {"is_whole": True, "checked_to": run.version, "is_sound": found.is_sound, "problems": found.problems}
        return trust.model_copy(update=checked)

    def policies(self) -> PolicyListing:
        """Return the policies that can be asked."""
        return PolicyListing(policies=tuple(dict.fromkeys((*BUILT_IN, *plug_in_names(POLICIES)))))

    def close(self) -> None:
        """End what is under way."""
        self._worker.close()

    def _told(self, key: str, what: tuple[str, ...], answer: Answer) -> Answer:
        """Return an answer; one that is there is not under way any more."""
        if answer.status != "computing":
            self._under_way.pop((key, *what), None)
        return answer

    async def _asked(self, key: str, what: tuple[str, ...], decision: int | None = None) -> AskedRun:
        """Return the run that is asked of, as it stood when the question came first: one that grows would never do.

        Raises:
            Refusal: When it has no folder that could be asked.
            StoreError: When there is no such decision.
        """
        if (key, *what) in self._under_way:
            return self._under_way[key, *what]
        folder = self._desk.shelf.folder(key)

        def ask(source: Source) -> tuple[str, int]:
            if decision is not None:
                source.decision(decision)
            return source.campaign().uid, source.version()

        uid, version = await self._desk.read(key, ask)
        if folder is None:
            raise Refusal(
                HTTPStatus.CONFLICT,
                "A broker does not tell what this is worked out from",
                expected="the run's folder",
                action="start `entropilot watch` where the agent works",
            )
        run = AskedRun(folder, self._desk.shelf.database(key), uid, version)
        self._under_way[key, *what] = run
        while len(self._under_way) > MAX_UNDER_WAY:
            self._under_way.popitem(last=False)
        return run
