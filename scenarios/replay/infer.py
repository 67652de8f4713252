"""Tells from messages alone what the agent did, for recordings that do not say it: those of a recorder beside it.

An answer or a control is folded when it is heard. A request shows the rest: the first one of a decision, that it was
made; a further attempt of a candidate, that the one before had expired, unless its failure was heard. One that goes to
another instrument than whose turn it was shows that this one was away; its next request, that it was back. So does one
of a candidate that was abandoned because nobody answered.

Where instruments announced what they can do, requests have no turns: then each attempt goes to whom it was heard to go,
at once, whether its agent had to wait for a free slot or not. A candidate that nobody could serve was never asked for,
and a decision of none but such candidates cannot be told.

A control may have made the agent drop what its policy answered, and ask again; when that was, nobody heard. So the
answer may be to the question as it was first asked, or as it was after any control since.

What cannot be told is the order in which the agent took two answers that were heard at about the same time. With
`ordering = "in_order"` no decision depends on it; with "as_completed" one may.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from agent.campaign.events import CampaignResumed, CampaignStarted, StartSetLoaded
from agent.campaign.lab.assignment import recipient_of
from agent.campaign.life_cycle import Phase
from agent.campaign.proposals import decision_needed
from agent.campaign.state import Campaign
from protocols.errors import MessageError
from protocols.recording.lines import MessageRow, Row
from protocols.wire.attempt_ids import uid_of
from protocols.wire.codec import decode
from protocols.wire.messages import CandidateRequest
from protocols.wire.topics import EVERY_CAMPAIGN, Channel, parse
from scenarios.replay.decisions import Decision
from scenarios.replay.follow import CannotFollow, Follower

TO_THE_AGENT: Final = frozenset({Channel.RESULT, Channel.FAILURE, Channel.CONTROL})
"""What it folds; a status says nothing that a rule reads."""

EARLY_SHARE: Final = 0.5
"""Part of its time after which a request may be taken for expired: clocks start with every connection again."""


@dataclass(slots=True)
class Requests:
    """What the requests of one campaign tell, read before it is followed.

    Attributes:
        campaign: Its name.
        uid: Random part of its attempt ids.
        of_decision: Decision number -> what it asked for, in that order: candidate, method, repetition.
        signatures_told: Whether whoever listened had keys, and noted who signed what.
        went_to: To whom each attempt went.
        in_turn: Whether the recipients had their turns; not where any instrument announced what it can do.
    """

    campaign: str
    uid: str
    of_decision: dict[int, tuple[tuple[str, str | None, int], ...]] = field(default_factory=dict)
    signatures_told: bool = False
    went_to: dict[str, str] = field(default_factory=dict)
    in_turn: bool = True


class RequestsHeard:
    """Collects what the requests in a recording tell; of two campaigns of one name, the first.

    Attributes:
        by_campaign: Name -> what its requests tell.
    """

    def __init__(self) -> None:
        self.by_campaign: dict[str, Requests] = {}
        self._announced: set[str] = set()

    def note(self, row: Row) -> None:
        """Take in a row."""
        if campaign := _announced_in(row):
            self._announced.add(campaign)
        request = _request(row)
        if request is None or not isinstance(row, MessageRow) or row.signature_fault:
            return
        uid = uid_of(request.attempt_id)
        known = self.by_campaign.setdefault(request.campaign, Requests(request.campaign, uid))
        known.signatures_told = known.signatures_told or bool(row.signed_by)
        named = known.of_decision.get(request.decision, ())
        asked = (request.candidate_id, request.fidelity, request.replicate)
        if uid == known.uid and asked not in named:
            known.of_decision[request.decision] = (*named, asked)
        if uid == known.uid:
            known.went_to.setdefault(request.attempt_id, parse(row.topic).client or "")

    def found(self) -> dict[str, Requests]:
        """Return what the requests tell, by campaign, when all rows were taken in."""
        for name, requests in self.by_campaign.items():
            requests.in_turn = not self._announced & {name, EVERY_CAMPAIGN}
        return self.by_campaign


class Inference:
    """Follows messages without notes.

    Args:
        follower: Folds what is told.
        requests: What the campaign's requests tell.
        started: How the campaign began.
        start_set: What it began with.
        request_timeout_s: Time that an attempt has to answer.
    """

    def __init__(
        self,
        follower: Follower,
        requests: Requests,
        started: CampaignStarted,
        start_set: StartSetLoaded,
        request_timeout_s: float,
    ) -> None:
        self._follower = follower
        self._requests = requests
        self._timeout_s = request_timeout_s
        self._sent_s: dict[str, float] = {}
        self._in_turn = requests.in_turn or len(started.plan.recipients) == 1
        follower.fold(started, 0, 0.0)
        if not self._in_turn:
            self._campaign.lab.went_to = requests.went_to
        follower.fold(start_set, 0, 0.0)
        follower.transaction((), {}, 0, 0.0)

    def take(self, row: Row) -> None:
        """Follow a row."""
        if isinstance(row, MessageRow):
            self._follower.attempt(row, self._take)

    def _take(self, row: MessageRow) -> None:
        try:
            topic = parse(row.topic)
        except MessageError:
            return
        if topic.campaign != self._requests.campaign:
            return
        if topic.channel in TO_THE_AGENT:
            self._follower.keep(row)
            self._follower.transaction([{"row": row.number}], {}, row.number, row.time_s)
            if topic.channel is Channel.CONTROL:
                self._follower.ask_as_well()
        request = _request(row)
        if request is not None and uid_of(request.attempt_id) == self._requests.uid:
            self._take_request(row, request)

    def _take_request(self, row: MessageRow, request: CandidateRequest) -> None:
        campaign = self._campaign
        if request.attempt_id in campaign.attempts:
            self._sent_s.setdefault(request.attempt_id, row.time_s)
            return
        if campaign.phase is Phase.PAUSED and campaign.paused_itself:
            self._follower.fold(CampaignResumed("the agent was started again"), row.number, row.time_s)
            self._follower.transaction((), {}, row.number, row.time_s)
        self._follow_recipient(row, request)
        if request.attempt_id in campaign.attempts:
            pass  # it was handed on
        elif request.attempt > 1:
            which = self._row_of(request)
            self._expire_attempts_of(which, row)
            if which in campaign.absence.unanswered:
                self._return(row)
        else:
            self._decide(request.decision, row)
        if request.attempt_id not in campaign.attempts:
            raise CannotFollow(f"attempt {request.attempt_id} does not follow from the messages before it")
        self._sent_s[request.attempt_id] = row.time_s

    def _follow_recipient(self, row: MessageRow, request: CandidateRequest) -> None:
        """Fold who must have been away, or back, for a request to go to whom it went."""
        campaign, recipient, which = self._campaign, parse(row.topic).client, self._row_of(request)
        if recipient in campaign.absence.away:
            self._follower.transaction([{"back": recipient}], {}, row.number, row.time_s)
        for each in [each for each in campaign.in_flight.values() if each.candidate_id == which]:
            too_early = row.time_s - self._sent_s.get(each.attempt_id, row.time_s) < EARLY_SHARE * self._timeout_s
            if each.recipient != recipient and too_early:
                self._leave(each.recipient, row)
        if not self._in_turn:
            return
        chosen = self._chosen_by(request.decision)
        for _ in campaign.plan.recipients:
            made = campaign.attempts_made.get(which, 0)
            place = made or (chosen.index(which) if which in chosen else 0)
            whose = recipient_of(campaign, campaign.chosen_count + place)
            if whose == recipient or request.attempt_id in campaign.attempts:
                return
            self._leave(whose, row)

    def _leave(self, instrument: str, row: MessageRow) -> None:
        away = {"away": instrument, "why": "another was asked in its place"}
        self._follower.transaction([away], {}, row.number, row.time_s)

    def _return(self, row: MessageRow) -> None:
        """Fold that whoever is asked again for a candidate without attempts left had been away for a moment."""
        self._follower.transaction([{"back": parse(row.topic).client}], {}, row.number, row.time_s)
        self._follower.ask_as_well()

    def _decide(self, decision: int, row: MessageRow) -> None:
        campaign = self._campaign
        while campaign.next_decision <= decision:
            while (needed := decision_needed(campaign)) is None or self._follower.asked is None:
                self._expire_oldest(row)
            number = needed.decision
            if number != decision and (self._in_turn or number not in self._requests.of_decision):
                raise CannotFollow(f"decision {decision} is asked for, and decision {number} was never seen")
            recorded = Decision(number, self._chosen_by(number), is_whole=False)
            self._follower.transaction([{"proposed": number}], {number: recorded}, row.number, row.time_s)

    def _row_of(self, request: CandidateRequest) -> str:
        """Return the id of the row of the pool that a request asks for."""
        return self._campaign.plan.row_asked_for(request.candidate_id, request.fidelity, request.replicate)

    def _chosen_by(self, decision: int) -> tuple[str, ...]:
        """Return the rows that a decision asked for, each once, whether its value was taken back or not."""
        asked = self._requests.of_decision.get(decision, ())
        return tuple(dict.fromkeys(self._campaign.plan.row_asked_for(*each) for each in asked))

    def _expire_attempts_of(self, candidate_id: str, row: MessageRow) -> None:
        expired = [each.attempt_id for each in self._campaign.in_flight.values() if each.candidate_id == candidate_id]
        self._follower.transaction([{"expired": each} for each in expired], {}, row.number, row.time_s)

    def _expire_oldest(self, row: MessageRow) -> None:
        """Let the request that waits longest expire: the decision that was made then had given it up."""
        patience_s = EARLY_SHARE * self._timeout_s
        ages = {each: row.time_s - self._sent_s.get(each, row.time_s) for each in self._campaign.in_flight}
        oldest = max(ages, key=ages.__getitem__, default=None)
        if oldest is None or ages[oldest] < patience_s:
            raise CannotFollow("a decision is asked for that the messages before it do not lead to")
        self._follower.transaction([{"expired": oldest}], {}, row.number, row.time_s)

    @property
    def _campaign(self) -> Campaign:
        if self._follower.campaign is None:
            raise CannotFollow("the campaign has not begun")
        return self._follower.campaign


def _announced_in(row: Row) -> str:
    """Return the campaign in which a row announces what an instrument can do; nothing where it does not."""
    if not isinstance(row, MessageRow) or not row.payload:
        return ""
    try:
        topic = parse(row.topic)
    except MessageError:
        return ""
    return topic.campaign if topic.channel is Channel.CAPABILITIES else ""


def _request(row: Row) -> CandidateRequest | None:
    if not isinstance(row, MessageRow) or f"/{Channel.REQUEST.value}/" not in row.topic:
        return None
    try:
        message = decode(row.topic, row.payload)
    except MessageError:
        return None
    return message if isinstance(message, CandidateRequest) else None
