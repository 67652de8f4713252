"""What a recorded lab says next, and when: pure, on times that are handed in.

    ask        an attempt: its recorded answers are due after their recorded times, divided by the speed
    receive    its receipt: its answer is not repeated any more
    take_due   what is due now; the last answer of an attempt comes again until its receipt

What the lab said unasked comes at its recorded time after the first request. At full speed there are no times: answers
are due when they are asked for, and what was said unasked comes between them, once as many requests were made and
answers given as in the recording; each counts once. Where it does not come to that, it comes when nothing was asked or
said for a while: longer, where the lab was silent.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from protocols.wire.messages import CandidateRequest
from protocols.wire.topics import ANY_SIMULATOR
from scenarios.play.messages import OutgoingMessage, recorded_answer, unknown_answer, unsolicited_message
from scenarios.play.recorded_lab import AnswerLookup, RecordedAnswer, RecordedLab, Unsolicited, asked_for

NOBODY_KNOWN: Final = "recording"
"""Who answers a request to anybody, where the recording names no simulator."""

RESEND_S: Final = 1.0
"""Pause before an answer without a receipt is said again; it doubles. A hundred times what a receipt takes."""

MAX_RESENDS: Final = 8
"""How often: over four minutes in all. An agent that was away longer asks again."""

STALLED_S: Final = 5.0
"""Silence after which, at full speed, the next thing comes that was said unasked: a paused agent asks for nothing, and
waits for the control that lets it go on. Longer than a policy thinks."""

SILENT_STALLED_S: Final = 300.0
"""The same while a candidate waits for a further attempt after silence: the agent asks again when its
`campaign.request_timeout_s` is over, of which nobody tells us. Twice what that is by default, and room; for a candidate
that the agent has abandoned, nothing comes any more."""

MAX_REMEMBERED: Final = 100_000
"""Attempts that are known when they are repeated; of more, the oldest are forgotten and count as new."""

MAX_WAITING: Final = 1_024
"""Answers that may wait for their time; when full, the link is not read and the broker keeps the rest."""


@dataclass(slots=True)
class PlaybackCounts:
    """What was played so far.

    Attributes:
        asked: Attempts that were asked for.
        answered: Those to which all was said that the recording has.
        extra_attempts: Those that go beyond the recorded attempts; they meet what the last one met.
        unknown: Those of candidates that were never asked for then; they got a failure.
        silent: Those that the lab left without an answer then, and so does now.
        repeated: Requests that came again.
        unsolicited: What was said unasked.
    """

    asked: int = 0
    answered: int = 0
    extra_attempts: int = 0
    unknown: int = 0
    silent: int = 0
    repeated: int = 0
    unsolicited: int = 0


@dataclass(frozen=True, order=True, slots=True)
class _Due:
    at_s: float
    number: int
    request: CandidateRequest = field(compare=False)
    simulator: str = field(compare=False)
    answer: RecordedAnswer | None = field(compare=False)
    is_last: bool = field(compare=False)
    is_first_time: bool = field(compare=False)
    tries: int = field(default=0, compare=False)


class LiveSchedule:
    """Says when what is said.

    Args:
        lab: What is recorded.
        campaign: Whose requests are answered.
        speed: How many times faster than recorded; infinite for as fast as it goes.

    Attributes:
        played: What was played so far.
        began_s: When the first request came; None before it.
        last_s: When something was last asked or said.
    """

    def __init__(self, lab: RecordedLab, campaign: str, speed: float) -> None:
        self.played = PlaybackCounts()
        self.began_s: float | None = None
        self.last_s = 0.0
        self._lab = lab
        self._campaign = campaign
        self._speed = speed
        self._due: list[_Due] = []
        self._number = 0
        self._unsolicited = iter(lab.unsolicited)
        self._next_unsolicited = next(self._unsolicited, None)
        self._given = 0
        self._has_receipt: dict[str, bool] = {}
        self._silent: set[str] = set()
        self._anybody = next(iter(lab.simulators), NOBODY_KNOWN)

    @property
    def waiting(self) -> int:
        """Attempts that wait for their answer, and candidates that wait for a further attempt after silence."""
        return len({due.request.attempt_id for due in self._due if due.tries == 0}) + len(self._silent)

    @property
    def is_full(self) -> bool:
        """Whether no more requests can be taken for now."""
        return len(self._due) >= MAX_WAITING

    @property
    def is_idle(self) -> bool:
        """Whether no answer is to be said, nor said again."""
        return not self._due

    @property
    def has_more_unsolicited(self) -> bool:
        """Whether something is left that was said unasked."""
        return self._next_unsolicited is not None

    def ask(self, request: CandidateRequest, recipient: str, now_s: float) -> None:
        """Take a request; one that is repeated is answered again at once, unless its answer is still to come."""
        self.last_s = now_s
        self.began_s = now_s if self.began_s is None else self.began_s
        is_new = request.attempt_id not in self._has_receipt
        found = self._lab.find(asked_for(request), request.attempt)
        if is_new:
            self._count(request, found)
            self._remember(request.attempt_id)
        else:
            self.played.repeated += 1
            if any(due.tries == 0 and due.request.attempt_id == request.attempt_id for due in self._due):
                return
            self._repeat_no_more(request.attempt_id)
        answers: tuple[RecordedAnswer | None, ...] = found.answers if found.is_known else (None,)
        for place, answer in enumerate(answers, 1):
            wait_s = answer.after_s / self._speed if answer is not None and is_new else 0.0
            simulator = self._sender(recipient, answer)
            is_last = place == len(answers)
            self._push(_Due(now_s + wait_s, 0, request, simulator, answer, is_last, is_first_time=is_new))

    def receive(self, attempt_id: str, now_s: float) -> None:
        """Take a receipt."""
        if attempt_id in self._has_receipt:
            self.last_s = now_s
            self._has_receipt[attempt_id] = True
            self._repeat_no_more(attempt_id)

    def next_s(self) -> float | None:
        """Return when something is due next; None while that depends on who asks."""
        soonest = min(self._due[0].at_s if self._due else math.inf, self._unsolicited_at_s())
        return soonest if math.isfinite(soonest) else None

    def take_due(self, now_s: float, sent_at: datetime) -> list[OutgoingMessage]:
        """Return what is due, in the order in which it is to be said."""
        messages: list[OutgoingMessage] = []
        while True:
            answer_at_s = self._due[0].at_s if self._due else math.inf
            unsolicited, unasked_at_s = self._next_unsolicited, self._unsolicited_at_s()
            if min(answer_at_s, unasked_at_s) > now_s:
                return messages
            if unsolicited is not None and unasked_at_s <= answer_at_s:
                messages.append(self._say_unsolicited(unsolicited, sent_at))
            else:
                messages.append(self._answer(heapq.heappop(self._due), now_s, sent_at))
            self.last_s = now_s

    def _say_unsolicited(self, unsolicited: Unsolicited, sent_at: datetime) -> OutgoingMessage:
        if math.isinf(self._speed) and not self._has_passed(unsolicited):
            self._silent.clear()  # it comes because nothing else did: nobody asks for these again
        self._next_unsolicited = next(self._unsolicited, None)
        self.played.unsolicited += 1
        return unsolicited_message(unsolicited, self._campaign, sent_at)

    def _answer(self, due: _Due, now_s: float, sent_at: datetime) -> OutgoingMessage:
        """Return an answer, and let it come again where it is the last and has no receipt."""
        if due.is_first_time:
            self._given += 1
            self.played.answered += due.is_last and due.answer is not None
            self.played.unknown += due.answer is None
        if due.is_last and due.tries < MAX_RESENDS and not self._has_receipt.get(due.request.attempt_id, True):
            again_s = now_s + RESEND_S * 2.0**due.tries
            self._push(replace(due, at_s=again_s, tries=due.tries + 1, is_first_time=False))
        if due.answer is None:
            return unknown_answer(due.request, due.simulator, sent_at)
        return recorded_answer(due.answer, due.request, due.simulator, sent_at)

    def _push(self, due: _Due) -> None:
        self._number += 1
        heapq.heappush(self._due, replace(due, number=self._number))

    def _repeat_no_more(self, attempt_id: str) -> None:
        self._due = [due for due in self._due if due.tries == 0 or due.request.attempt_id != attempt_id]
        heapq.heapify(self._due)

    def _remember(self, attempt_id: str) -> None:
        self._has_receipt[attempt_id] = False
        if len(self._has_receipt) > MAX_REMEMBERED:
            del self._has_receipt[next(iter(self._has_receipt))]

    def _count(self, request: CandidateRequest, found: AnswerLookup) -> None:
        self.played.asked += 1
        self.played.extra_attempts += found.is_extra_attempt
        if found.is_known and not found.answers:
            self.played.silent += 1
            self._silent.add(asked_for(request))
        else:
            self._silent.discard(asked_for(request))

    def _sender(self, recipient: str, answer: RecordedAnswer | None) -> str:
        if recipient != ANY_SIMULATOR:
            return recipient
        return self._anybody if answer is None else answer.simulator

    def _unsolicited_at_s(self) -> float:
        """Return when the next thing is due that was said unasked; infinity where that depends on who asks."""
        unsolicited = self._next_unsolicited
        if unsolicited is None or self.began_s is None:
            return math.inf
        if math.isfinite(self._speed):
            return self.began_s + max(0.0, unsolicited.after_s) / self._speed
        if self._has_passed(unsolicited):
            return self.began_s  # its place has come: before whatever is due
        if self._due:
            return math.inf
        return self.last_s + (SILENT_STALLED_S if self._silent else STALLED_S)

    def _has_passed(self, unsolicited: Unsolicited) -> bool:
        return self.played.asked >= unsolicited.requests and self._given >= unsolicited.answers
