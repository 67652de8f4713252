"""One campaign without a broker, a clock or a database: the loop's rules on the answers of a lab that is a function.

    settle    what follows by itself, and the policy's choices
    control   what an operator says, when as many results are accepted as it waits for
    answer    what the lab says to the request that waits longest: values, a failure, or nothing at all

Every answer is a message that the ledger judges as the loop's would be: values in another unit or out of range are
refused, a failure or silence costs an attempt, and a lab that fails too often pauses the campaign, which ends there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from agent.acquisition.base import Ask
from agent.campaign.decide import Consequence, decide_expiry
from agent.campaign.events import CampaignStarted, CandidatesAdded, Event, StartSetLoaded
from agent.campaign.ledger import Change, Ledger
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Attempt, Campaign
from agent.pool.candidates import Pool
from protocols.errors import MessageError
from protocols.settings.user_code import CodeSource
from protocols.wire.messages import (
    AnyMessage,
    CandidateFailure,
    CandidateResult,
    Control,
    FailureReason,
    Quantity,
    cut,
)
from protocols.wire.topics import ANY_SIMULATOR

OFFLINE: Final = "offline"
"""Name of the campaign, of its only simulator, and the random part of its attempt ids."""

NO_CLOCK: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When messages are sent where there is no clock; no rule reads it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The lab has no result, and says why."""

    reason: FailureReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """The lab says nothing until the deadline has passed."""


LabAnswer = tuple[Quantity, ...] | Failure | Silence
"""What a lab says to one attempt."""

OfflineLab = Callable[[Attempt], LabAnswer]
"""Answers an attempt."""


@dataclass(frozen=True, slots=True)
class TimedControl:
    """What an operator says, and how many results the campaign has accepted by then."""

    at: int
    control: Control


class OfflineCampaign:
    """Plays one campaign.

    Args:
        pool: The candidates.
        lab: Answers the attempts, one at a time, in the order in which they were made.
        ask: Asks the policy.
        controls: What the operator says, in order; each waits for the ones before it.
        code: As of `agent.campaign.ledger.Ledger`.

    Attributes:
        ledger: The campaign, as far as it was played.
        changes: Everything that happened, in order.
        refused_messages: Answers and controls that the rules do not take, as the loop quarantines them.
    """

    def __init__(
        self,
        pool: Pool,
        lab: OfflineLab,
        ask: Ask,
        *,
        controls: Iterable[TimedControl] = (),
        code: CodeSource | None = None,
    ) -> None:
        self.ledger = Ledger(pool, code)
        self.changes: list[Change] = []
        self.refused_messages: list[MessageError] = []
        self._lab = lab
        self._ask = ask
        self._controls = deque(controls)

    @property
    def campaign(self) -> Campaign:
        """The state."""
        return self.ledger.campaign

    def begin(
        self,
        plan: CampaignPlan,
        start: StartSetLoaded,
        first: Iterable[Control] = (),
        *,
        joined: tuple[CandidatesAdded, ...] = (),
    ) -> None:
        """Write the beginning, what has joined the pool by then, and what the operator said before any decision."""
        self._take(Consequence((CampaignStarted(plan), start, *joined)))
        for control in first:
            self._take(self._consequence_of(control))

    def begin_with(self, events: Iterable[Event]) -> None:
        """Begin as a campaign stood after these events of its journal; what was in flight then is asked the lab.

        Raises:
            StoreError: When they are no beginning of a journal.
        """
        self.changes.extend(map(self.ledger.fold_journalled, events))

    def play(self) -> None:
        """Play until nothing follows any more: the campaign is finished, has paused itself, or waits for a person."""
        self._settle()
        for outcome in self._inputs():
            self._take(outcome)
            self._settle()

    @property
    def ended(self) -> str:
        """Why nothing follows any more."""
        campaign = self.campaign
        if campaign.phase is Phase.FINISHED:
            return campaign.finish_reason
        return f"paused: {campaign.pause_reason}" if campaign.phase is Phase.PAUSED else "it has not ended"

    def _settle(self) -> None:
        self.changes.extend(self.ledger.settle(self._ask).changes)

    def _inputs(self) -> Iterator[Consequence]:
        """Yield what each input makes, as long as there is one."""
        while self.campaign.phase is not Phase.FINISHED and not self.campaign.paused_itself:
            if self._controls and len(self.campaign.acquired) >= self._controls[0].at:
                yield self._consequence_of(self._controls.popleft().control)
            elif attempt := next(iter(self.campaign.in_flight.values()), None):
                yield self._answered(attempt)
            else:
                return

    def _answered(self, attempt: Attempt) -> Consequence:
        """Return what the lab's answer makes."""
        answer = self._lab(attempt)
        if isinstance(answer, Silence):
            return decide_expiry(self.campaign, attempt.attempt_id)
        return self._consequence_of(message_of(attempt, answer, self.campaign.plan))

    def _consequence_of(self, message: AnyMessage) -> Consequence:
        """Return what a message makes; one that the rules do not take changes nothing."""
        try:
            return self.ledger.decide(message)
        except MessageError as error:
            self.refused_messages.append(error)
            return Consequence()

    def _take(self, outcome: Consequence) -> None:
        self.changes.extend(self.ledger.take(outcome))


def message_of(attempt: Attempt, answer: tuple[Quantity, ...] | Failure, plan: CampaignPlan) -> AnyMessage:
    """Return an answer as the message that a simulator sends."""
    simulator = OFFLINE if attempt.recipient == ANY_SIMULATOR else attempt.recipient
    campaign, candidate_id = plan.campaign, plan.measurement_of(attempt.candidate_id).candidate_id
    if isinstance(answer, Failure):
        return CandidateFailure(
            campaign=campaign,
            message_id=attempt.attempt_id,
            sent_at=NO_CLOCK,
            attempt_id=attempt.attempt_id,
            candidate_id=candidate_id,
            simulator=simulator,
            reason=answer.reason,
            detail=cut(answer.detail),
        )
    return CandidateResult(
        campaign=campaign,
        message_id=attempt.attempt_id,
        sent_at=NO_CLOCK,
        attempt_id=attempt.attempt_id,
        candidate_id=candidate_id,
        simulator=simulator,
        quantities=answer,
        duration_s=0.0,
    )
