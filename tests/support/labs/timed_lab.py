"""A lab whose instruments take their time, which is counted and not waited for: what an assignment is worth.

Each instrument works on as many attempts at once as it has slots, in the order in which they come, and may die: then
it answers nothing any more, and after a grace its absence is decided.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from agent.campaign import decide, presence
from agent.campaign.life_cycle import Phase
from agent.campaign.state import Attempt
from protocols.wire.messages import Capabilities
from tests.support.campaigns import Play, result_of

NOW: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_ids = count(1)


def announcement(instrument: str, *, campaign: str = "demo", **fields: Any) -> Capabilities:
    """What an instrument says that it can do; one slot, unless told otherwise."""
    said: dict[str, Any] = {
        "campaign": campaign,
        "message_id": f"said-{next(_ids)}",
        "sent_at": NOW,
        "simulator": instrument,
    }
    return Capabilities(**(said | {"slots": 1} | fields))


def announce(game: Play, instrument: str, *, signed_by: str = "", **fields: Any) -> None:
    """Let a campaign hear what an instrument can do; what follows by itself, follows later."""
    outcome = decide.decide_message(game.campaign, announcement(instrument, **fields), signed_by=signed_by)
    game.fold(*outcome.events)


@dataclass
class Instrument:
    """One of the lab: how long one attempt takes [s], how many it works on, and when it dies."""

    takes_s: float
    slots: int = 1
    dies_s: float = float("inf")
    waiting: deque[Attempt] = field(default_factory=deque)
    running: int = 0


@dataclass
class TimedLab:
    """Plays a campaign to its end.

    Attributes:
        game: The campaign, before anything was asked.
        instruments: Of the lab, by name; those that the plan names.
        grace_s: How long after a death others get the work of the dead.
        now_s: The time that has passed.
        evaluated: How often each attempt was evaluated, begun ones of a dead instrument as well.
        by: How many results each instrument gave.
    """

    game: Play
    instruments: Mapping[str, Instrument]
    grace_s: float = 0.0
    now_s: float = 0.0
    evaluated: Counter[str] = field(default_factory=Counter)
    by: Counter[str] = field(default_factory=Counter)
    _sent: set[str] = field(default_factory=set)
    _ahead: list[tuple[float, int, str, Attempt | None]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def play(self) -> float:
        """Play until the campaign is over; return how long it took [s]."""
        for name, each in self.instruments.items():
            if each.dies_s < float("inf"):
                heapq.heappush(self._ahead, (each.dies_s + self.grace_s, next(self._numbers), name, None))
        self.game.settle()
        while self.game.campaign.phase is not Phase.FINISHED:
            self._hand_over()
            assert self._ahead, "nobody works, and the campaign is not over"
            self.now_s, _, name, attempt = heapq.heappop(self._ahead)
            if attempt is None:
                self.game.take(presence.decide_away(self.game.campaign, name, "it says so"))
            elif self.now_s < self.instruments[name].dies_s:
                self._finish(name, attempt)
        return self.now_s

    def ideal_s(self, evaluations: int) -> float:
        """Return the shortest time in which the instruments can make so many evaluations [s]."""
        ends = sorted(
            lap * each.takes_s
            for each in self.instruments.values()
            for lap in range(1, evaluations + 1)
            for _ in range(each.slots)
            if lap * each.takes_s < each.dies_s
        )
        return ends[evaluations - 1]

    def _hand_over(self) -> None:
        for attempt in list(self.game.campaign.in_flight.values()):
            if attempt.attempt_id not in self._sent:
                self._sent.add(attempt.attempt_id)
                self.instruments[attempt.recipient].waiting.append(attempt)
        for name in self.instruments:
            self._begin(name)

    def _begin(self, name: str) -> None:
        each = self.instruments[name]
        while each.waiting and each.running < each.slots and self.now_s < each.dies_s:
            attempt = each.waiting.popleft()
            if attempt.in_flight:  # else it was withdrawn while it waited
                each.running += 1
                self.evaluated[attempt.attempt_id] += 1
                heapq.heappush(self._ahead, (self.now_s + each.takes_s, next(self._numbers), name, attempt))

    def _finish(self, name: str, attempt: Attempt) -> None:
        each = self.instruments[name]
        each.running -= 1
        self.by[name] += 1
        result = result_of(attempt).model_copy(update={"duration_s": each.takes_s})
        self.game.take(decide.decide_result(self.game.campaign, result))
