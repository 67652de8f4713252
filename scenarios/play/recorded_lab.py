"""The lab's side of a recording: what it answered to which candidate and attempt, what it could do, and said unasked.

An answer is kept with the time that it took after its request. What a lab says unasked is its simulators' status, the
operator's controls, and whatever was not understood; it is kept with its place among requests and answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from protocols.errors import MessageError
from protocols.recording.lines import MessageRow, Row
from protocols.wire.attempt_ids import number_of
from protocols.wire.codec import decode
from protocols.wire.messages import (
    AnyMessage,
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    Capabilities,
    Status,
)
from protocols.wire.topics import AGENT_CLIENT, ANY_SIMULATOR, PREFIX, Channel, parse, removes_retained

OF_THE_LAB: Final = frozenset(
    channel.value for channel in (Channel.RESULT, Channel.FAILURE, Channel.STATUS, Channel.CONTROL)
)
"""What an agent listens to; the rest is said by it."""

CAMPAIGN_LEVEL: Final = len(PREFIX.split("/"))
"""Which level of a topic is the campaign; its channel follows."""

RequestKey = tuple[str, int]
"""A candidate and the number of the attempt: what an answer is found by, whoever asks, and in whatever order."""


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """A result or a failure, as it was recorded.

    Attributes:
        after_s: Time that it took after its request [s].
        simulator: Who gave it.
        payload: The message.
    """

    after_s: float
    simulator: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Unsolicited:
    """Something that the lab said by itself.

    Attributes:
        after_s: Time after the first request [s]; below zero before it.
        requests: How many attempts had been asked for by then.
        answers: How many answers had been given by then.
        channel: The levels of the topic after the campaign.
        payload: The message.
        retain: Whether the broker keeps it.
    """

    after_s: float
    requests: int
    answers: int
    channel: str
    payload: bytes
    retain: bool


@dataclass(frozen=True, slots=True)
class AnswerLookup:
    """What a recording has for an attempt.

    Attributes:
        answers: In the order of their times; none where the lab was silent, or was never asked for the candidate.
        is_known: Whether the lab was ever asked for the candidate.
        is_extra_attempt: Whether the recording has fewer attempts: it is the last answer then, or silence if there was
            none.
    """

    answers: tuple[RecordedAnswer, ...]
    is_known: bool = True
    is_extra_attempt: bool = False


@dataclass(frozen=True, slots=True)
class _Attempt:
    asked: RequestKey
    candidate_id: str
    recipient: str
    requested_s: float


@dataclass(slots=True)
class RecordedLab:
    """The lab of one campaign in a recording.

    Attributes:
        campaign: Name of the campaign.
        answers: By what was asked for (`asked_for`) and attempt, in the order of their times; an empty list where the
            lab was silent.
        unsolicited: What it said by itself, in order.
        simulators: Who spoke, in the order of their first word.
        abilities: What each said last that it can do.
        given: How many answers there are.
    """

    campaign: str
    answers: dict[RequestKey, list[RecordedAnswer]] = field(default_factory=dict)
    unsolicited: list[Unsolicited] = field(default_factory=list)
    simulators: dict[str, None] = field(default_factory=dict)
    abilities: dict[str, Capabilities] = field(default_factory=dict)
    given: int = 0
    _attempts: dict[str, _Attempt | None] = field(default_factory=dict)
    _last_of: dict[str, int | None] = field(default_factory=dict)
    """Of everything that was asked for: its last attempt that has an answer, or None."""
    _first_request_s: float | None = None

    def find(self, what: str, attempt: int) -> AnswerLookup:
        """Return what is recorded for an attempt: its own answers, or the last one where it goes beyond them.

        Args:
            what: What is asked for, see `asked_for`.
            attempt: Which attempt it is, from 1.
        """
        if what not in self._last_of:
            return AnswerLookup((), is_known=False)
        own = self.answers.get((what, attempt))
        if own is not None:
            return AnswerLookup(tuple(own))
        last = self._last_of[what]
        return AnswerLookup(() if last is None else (self.answers[what, last][-1],), is_extra_attempt=True)

    def note(self, row: MessageRow) -> None:
        """Take in a message of this campaign.

        Not one that changed nothing and was cut, for it cannot be said again, and not one whose signature did not hold,
        for it is not the lab's.
        """
        if row.verdict and row.cut_from_bytes:
            return
        if removes_retained(row.topic, row.payload):
            return  # the campaign that it is played to goes on
        if row.signature_fault:
            return
        try:
            message = decode(row.topic, row.payload)
        except MessageError:
            self._note_unsolicited(row, None)
            return
        match message:
            case CandidateRequest():
                self._note_request(row, message)
            case CandidateResult() | CandidateFailure():
                self._note_answer(row, message)
            case Capabilities():
                self.simulators.setdefault(message.simulator)
                self.abilities[message.simulator] = message
            case _:
                self._note_unsolicited(row, message)

    def _note_request(self, row: MessageRow, request: CandidateRequest) -> None:
        if self._first_request_s is None:
            self._first_request_s = row.came_s
            self.unsolicited = [replace(each, after_s=each.after_s - row.came_s) for each in self.unsolicited]
        if request.attempt_id not in self._attempts:
            asked, recipient = (asked_for(request), request.attempt), parse(row.topic).client or ANY_SIMULATOR
            self._begin(request.attempt_id, _Attempt(asked, request.candidate_id, recipient, row.came_s))

    def _begin(self, attempt_id: str, attempt: _Attempt) -> None:
        """Await answers to an attempt; of two campaigns of one name, the first one counts."""
        asked = attempt.asked
        self._attempts[attempt_id] = None if asked in self.answers else attempt
        self.answers.setdefault(asked, [])
        self._last_of.setdefault(asked[0], None)

    def _note_answer(self, row: MessageRow, message: CandidateResult | CandidateFailure) -> None:
        if message.attempt_id not in self._attempts and (asked := _asked_by(message)) is not None:
            came_late = _Attempt(asked, message.candidate_id, ANY_SIMULATOR, row.came_s)  # its request was not heard
            self._begin(message.attempt_id, came_late)
        attempt = self._attempts.get(message.attempt_id)
        if attempt is None:
            return
        what, number = attempt.asked
        if message.candidate_id != attempt.candidate_id or attempt.recipient not in {ANY_SIMULATOR, message.simulator}:
            self._note_unsolicited(row, message)  # forged: the agent refuses it, and shall do so again
            return
        after_s = row.came_s - attempt.requested_s
        self.answers[attempt.asked].append(RecordedAnswer(after_s, message.simulator, row.payload))
        self._last_of[what] = max(number, self._last_of.get(what) or 0)
        self.simulators.setdefault(message.simulator)
        self.given += 1

    def _note_unsolicited(self, row: MessageRow, message: AnyMessage | None) -> None:
        channel = row.topic.split("/", CAMPAIGN_LEVEL + 1)[-1]
        name, _, client = channel.partition("/")
        if name not in OF_THE_LAB or (name == Channel.STATUS and client == AGENT_CLIENT):
            return
        if isinstance(message, Status):
            self.simulators.setdefault(message.client)
        after_s = row.came_s - (self._first_request_s or 0.0)
        retain = row.retain or isinstance(message, Status)
        self.unsolicited.append(Unsolicited(after_s, len(self.answers), self.given, channel, row.payload, retain))


def asked_for(request: CandidateRequest) -> str:
    """Return the name of what a request asks for: the candidate, by the lab's usual method, for the first time, or not.

    Names are compared with each other and with nothing else.
    """
    again = f"--r{request.replicate}" if request.replicate else ""
    return f"{request.candidate_id}--{request.fidelity}{again}" if request.fidelity else request.candidate_id + again


def labs_in(rows: Iterable[Row]) -> Mapping[str, RecordedLab]:
    """Return the labs in a recording, by campaign; topics that are none of ours are passed over."""
    found: dict[str, RecordedLab] = {}
    for row in rows:
        if not isinstance(row, MessageRow) or not row.topic.startswith(f"{PREFIX}/"):
            continue
        levels = row.topic.split("/")
        if len(levels) > CAMPAIGN_LEVEL + 1:
            campaign = levels[CAMPAIGN_LEVEL]
            found.setdefault(campaign, RecordedLab(campaign)).note(row)
    return found


def _asked_by(message: CandidateResult | CandidateFailure) -> RequestKey | None:
    """Return what an answer is of by its attempt's id alone: the lab's usual method, for the first time."""
    number = number_of(message.attempt_id)
    return None if number is None else (message.candidate_id, number)
