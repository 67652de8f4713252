"""The campaign: the one stateful thing, and nothing but the fold of its journal.

`apply` changes the state and decides nothing. What is known is the `Standing`; what may follow what stands in
`agent.campaign.life_cycle`, the rules in `agent.campaign.decide`, `proposals` and `follow`. State and metrics together
are the `agent.campaign.ledger`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from agent.campaign.events import (
    OF_CONTROLS,
    ApprovalOverdue,
    AttemptFailed,
    BecameEven,
    BeginCorrected,
    BudgetSet,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopping,
    CandidateAbandoned,
    CandidateExcluded,
    CandidateRequeued,
    CandidatesAdded,
    ControlNoted,
    ControlRefused,
    DecisionApproved,
    DecisionMade,
    DecisionVetoed,
    DecisionWithdrawn,
    Event,
    GapStalled,
    InstrumentAnnounced,
    InstrumentAway,
    InstrumentBack,
    LateResultKept,
    LimitsChanged,
    ObservationAdded,
    ObservationAmended,
    ObservationRetracted,
    PolicyExhausted,
    RequestDeferred,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    ResultContradicted,
    StartSetLoaded,
    StopRuleFired,
)
from agent.campaign.life_cycle import PHASES, REQUEUED_UNCHOSEN, Phase
from agent.campaign.limits.asking import Asking
from agent.campaign.people.orders_seen import ControlSeen
from agent.campaign.standing import Attempt, AttemptFailure, Standing
from agent.pool.measurements import measured
from protocols.errors import InvariantViolation, invariant
from protocols.wire.messages import FailureReason, ReceiptStatus

__all__ = ["RESULT_REFUSED", "Attempt", "Campaign"]

RESULT_REFUSED: Final = "result_refused"
"""Reason of an `AttemptFailed` that stands for a result which breaks its contract."""

APPROVED: Final = "it was approved"
"""Why a candidate waits whose decision was approved."""

REQUEUED: Final = "an operator asks for it again"
"""Why a candidate waits that an operator requeued."""

NO_ANSWER: Final = "no answer within the deadline"
"""Why a candidate waits whose attempt expired."""


class Campaign(Standing):
    """The state folded from the journal."""

    def apply(self, event: Event) -> None:
        """Fold one event.

        Raises:
            InvariantViolation: When the event cannot follow the ones before; the state is then not to be used.
        """
        kind, stood = type(event), self._stands
        phases = PHASES.get(kind)
        if phases is not None:
            if self.phase not in phases:
                raise InvariantViolation(f"{kind.__name__} in phase {self.phase}: not possible")
            self.phase = phases[self.phase]
        elif self.phase is Phase.NEW:
            raise InvariantViolation(f"{kind.__name__} before CampaignStarted")
        _FOLD[kind](self, event)
        self.sequence += 1
        if isinstance(event, OF_CONTROLS) and event.message_id is not None:
            self.orders.seen.setdefault(event.message_id, ControlSeen(self.sequence, getattr(event, "why", "")))
        if self._stands != stood:
            self.stands_since = self.sequence

    @property
    def _stands(self) -> tuple[Phase, str, int, bool]:
        """What changes with `standing_reason`, and costs less."""
        return self.phase, self.pause_reason, len(self.awaiting_approval), self.is_held_up

    def _started(self, event: CampaignStarted) -> None:
        invariant(
            event.plan.pool_digest == self.pool.digest,
            f"the journal speaks of pool {event.plan.pool_digest[:12]}, this pool is {self.pool.digest[:12]}",
        )
        self._plan, self.reading = event.plan, event.reading
        self.budget = self.largest_budget = event.plan.budget
        self.asking = Asking(event.plan.limits)
        self.began_at = event.began_at
        if (methods := event.plan.methods) is not None:
            self._hold(measured(self.pool, methods))
        additional = len(event.plan.additional_properties)
        self.additional = np.full((len(self.pool), additional), np.nan)
        self.uncertainties = np.zeros((len(self.pool), 1 + additional))

    def _start_set(self, event: StartSetLoaded) -> None:
        for candidate_id, value, additional in event.rows():
            self._move(event, candidate_id)
            self._observe(candidate_id, value, additional)
        for candidate_id, row in zip(event.candidate_ids, event.uncertainties, strict=bool(event.uncertainties)):
            self.uncertainties[self.pool.index_of[candidate_id]] = row

    def _decided(self, event: DecisionMade) -> None:
        self._must_be_next(event)
        self._grow(event.added)
        self.next_decision += 1
        self.requested += sum(map(self.plan.cost_of, event.candidate_ids))
        self.chosen_count += len(event.candidate_ids)
        invariant(self.requested <= self.budget, f"{self.requested} requested of a budget of {self.budget}")
        self.open_decisions[event.decision] = set(event.candidate_ids)
        self.chosen[event.decision] = event.candidate_ids
        last_seen = event.decision + 1 - self.plan.lag
        for old in [number for number in self.chosen if number <= last_seen]:
            del self.chosen[old]
        for candidate_id in event.candidate_ids:
            self.decision_of[candidate_id] = event.decision
        if event.held:
            self.awaiting_approval[event.decision] = False
            for candidate_id in event.candidate_ids:
                self._move(event, candidate_id)
                self._reserve(candidate_id)

    def _approved(self, event: DecisionApproved) -> None:
        for place, candidate_id in enumerate(self._held_by(event.decision)):
            self._move(event, candidate_id)
            self.retry_pending[candidate_id] = AttemptFailure(APPROVED, permanent=False, place=place)
        del self.awaiting_approval[event.decision]

    def _given_up(self, event: DecisionVetoed | DecisionWithdrawn) -> None:
        for candidate_id in self._held_by(event.decision):
            self._move(event, candidate_id)

    def _overdue(self, event: ApprovalOverdue) -> None:
        invariant(event.decision in self.awaiting_approval, f"decision {event.decision} waits for no approval")
        self.awaiting_approval[event.decision] = True

    def _held_by(self, decision: int) -> list[str]:
        """Return the candidates that a decision holds, in the order of the pool."""
        invariant(decision in self.awaiting_approval, f"decision {decision} waits for no approval")
        return sorted(self.open_decisions[decision], key=self.pool.index_of.__getitem__)

    def _budget_set(self, event: BudgetSet) -> None:
        invariant(event.budget >= self.requested, f"a budget of {event.budget}, and {self.requested} are requested")
        self.budget = event.budget
        self.largest_budget = max(self.largest_budget, event.budget)
        self.orders.budgets += event.message_id is not None
        if self.finish_reason:
            self.abandoned_in_a_row = 0  # what a stop gave up says nothing of the lab
        self.finish_reason = ""

    def _exhausted(self, event: PolicyExhausted) -> None:
        self._must_be_next(event)
        self.policy_exhausted = event.reason

    def _found(self, _event: BecameEven | GapStalled) -> None:
        self.findings += 1

    def _rule_fired(self, event: StopRuleFired) -> None:
        invariant(self.fired is None, f"stop rule {event.rule} fires, and {self.fired} has")
        self.fired = event

    def _issued(self, event: RequestIssued) -> None:
        self._move(event, event.candidate_id)
        invariant(event.attempt_id not in self.attempts, f"attempt id {event.attempt_id} is used twice")
        self.retry_pending.pop(event.candidate_id, None)
        # Values that were taken back count: no repetition is ever asked for by the number of another.
        taken_back = self.plan.replicates * self.retracted[event.candidate_id]
        replicate = self.plan.measurement_of(event.candidate_id).replicate + taken_back
        attempt = Attempt(
            event.attempt_id, event.candidate_id, event.decision, event.attempt, event.recipient, replicate
        )
        self.attempts[event.attempt_id] = attempt
        self.in_flight[event.attempt_id] = attempt
        self.attempts_made[event.candidate_id] = event.attempt
        self.retries += event.attempt > 1
        self.asking.use(event.candidate_id, event.takes)

    def _deferred(self, event: RequestDeferred) -> None:
        self._move(event, event.candidate_id)
        self.retry_pending[event.candidate_id] = AttemptFailure(event.reason, permanent=False)
        self._reserve(event.candidate_id)

    def _reserve(self, candidate_id: str) -> None:
        """Keep back what the first request of a candidate takes, so that nobody else is chosen who needs it."""
        takes = self.asking.takes_of(self.pool, self.pool.index_of[candidate_id])
        self.asking.reserve(candidate_id, takes)

    def _result(self, event: ResultAccepted) -> None:
        self._move(event, event.candidate_id)
        attempt = self.attempts[event.attempt_id]
        self._see(event, ReceiptStatus.ACCEPTED)
        self._land(event.attempt_id)
        additional = event.values_of([each.name for each in self.plan.additional_properties])
        index = self._observe(event.candidate_id, event.value, additional)
        self.uncertainties[index] = event.uncertainties_of(self.plan.property_names)
        self._acquire(index, attempt.decision)
        self.lab.measure(event.simulator, event.duration_s)
        self.abandoned_in_a_row = 0

    def _late(self, event: LateResultKept) -> None:
        self._see(event, ReceiptStatus.REFUSED if event.refused else ReceiptStatus.LATE)
        self._land(event.attempt_id)

    def _contradicted(self, event: ResultContradicted) -> None:
        self._see(event, ReceiptStatus.CONTRADICTS)
        self.contradictions += 1

    def _failed(self, event: AttemptFailed) -> None:
        self._move(event, event.candidate_id)
        attempt = self.attempts[event.attempt_id]
        attempt.failure_seen = True
        attempt.failed_by = event.message_id
        if event.reason == RESULT_REFUSED:
            self._see(event, ReceiptStatus.REFUSED)
        self._land(event.attempt_id)
        if event.reason == FailureReason.INTERRUPTED:
            self.interruptions[event.candidate_id] = self.interruptions.get(event.candidate_id, 0) + 1
        else:
            self.absence.failed.add(event.candidate_id)
        self.retry_pending[event.candidate_id] = AttemptFailure(f"{event.reason}: {event.detail}", event.permanent)

    def _expired(self, event: RequestExpired) -> None:
        self._move(event, event.candidate_id)
        self._land(event.attempt_id)
        why = NO_ANSWER if event.costs_attempt else "its instrument is away"
        self.retry_pending[event.candidate_id] = AttemptFailure(why, permanent=False, is_silence=True)
        if not event.costs_attempt:
            self.absence.hand_on(event.candidate_id)

    def _announced(self, event: InstrumentAnnounced) -> None:
        self.lab.announce(event.instrument, event.abilities, event.said_at)

    def _away(self, event: InstrumentAway) -> None:
        self.absence.away[event.instrument] = event.reason

    def _back(self, event: InstrumentBack) -> None:
        self.absence.away.pop(event.instrument, None)
        self.absence.recall(f"{event.instrument} is there again")

    def _abandon(self, event: CandidateAbandoned) -> None:
        last = self.retry_pending.get(event.candidate_id)
        self._move(event, event.candidate_id)
        self.abandoned_in_a_row += 1
        self.absence.abandon(event.candidate_id, in_silence=last is not None and last.is_silence)

    def _requeued(self, event: CandidateRequeued) -> None:
        which, is_ordered = event.candidate_id, event.message_id is not None
        if is_ordered:
            self.orders.about[which] += 1
            self.interruptions.pop(which, None)
            self.absence.failed.discard(which)
        if which not in self.decision_of:
            self._move(event, which, REQUEUED_UNCHOSEN)
            return
        self._move(event, which)
        if not is_ordered:
            self.absence.requeue(which)
        made = self.attempts_made.get(which, 0) - self.interruptions.get(which, 0)
        self.absence.forgive(which, made - self.absence.forgiven.get(which, 0))
        self.open_decisions.setdefault(self.decision_of[which], set()).add(which)
        why = REQUEUED if is_ordered else NO_ANSWER
        self.retry_pending[which] = AttemptFailure(why, permanent=False, is_silence=not is_ordered)

    def _excluded(self, event: CandidateExcluded) -> None:
        self._move(event, event.candidate_id)
        self.orders.about[event.candidate_id] += 1

    def _added(self, event: ObservationAdded) -> None:
        self._move(event, event.candidate_id)
        additional = event.values_of([each.name for each in self.plan.additional_properties])
        index = self._observe(event.candidate_id, event.value, additional)
        self.uncertainties[index] = event.uncertainties_of(self.plan.property_names)
        self.orders.about[event.candidate_id] += 1

    def _retracted(self, event: ObservationRetracted) -> None:
        self._move(event, event.candidate_id)
        self._forget_value(event.candidate_id)
        self.retracted[event.candidate_id] += 1
        self.corrected_at = self.sequence + 1
        self.orders.about[event.candidate_id] += 1

    def _amended(self, event: ObservationAmended) -> None:
        self._move(event, event.candidate_id)
        index = self.pool.index_of[event.candidate_id]
        self.values[index], self.additional[index] = event.value, event.additional
        self.uncertainties[index] = event.uncertainties
        self.corrected_at = self.sequence + 1
        self.orders.about[event.candidate_id] += 1

    def _joined(self, event: CandidatesAdded) -> None:
        self._grow(event.candidates)
        self.grown_at = self.sequence + 1

    def _phase_changed(self, event: CampaignPaused | CampaignResumed | CampaignStopping) -> None:
        paused = isinstance(event, CampaignPaused)
        if self.paused_itself and isinstance(event, CampaignResumed):
            self.absence.recall(event.reason)
        self.pause_reason = "" if isinstance(event, CampaignResumed) else event.reason
        self.paused_itself = paused and event.message_id is None
        self.abandoned_in_a_row = 0
        if event.message_id is not None:
            self.orders.pauses += paused
        if not isinstance(event, CampaignStopping) and event.ordered_at is not None:
            self.orders.last_sent_at = event.ordered_at

    def _noted(self, _event: ControlNoted) -> None:
        self.orders.noted += 1

    def _refused(self, _event: ControlRefused) -> None:
        self.orders.refused += 1

    def _begin_corrected(self, event: BeginCorrected) -> None:
        self.began_at = event.began_at

    def _limits_changed(self, event: LimitsChanged) -> None:
        before, self.asking = self.asking, self.asking.changed(event.limits)
        for which in before.kept_for:
            index = self.pool.index_of[which]
            if not self.asking.why_not(self.pool, index):
                self.asking.reserve(which, self.asking.takes_of(self.pool, index))

    def _finished(self, event: CampaignFinished) -> None:
        invariant(not self.open_decisions, f"finished with {self.open_count} candidates open")
        self.finish_reason = event.reason


_FOLD: Final[dict[type[Event], Callable[[Campaign, Any], None]]] = {
    CampaignStarted: Campaign._started,  # noqa: SLF001 - the table of this module's own methods
    StartSetLoaded: Campaign._start_set,  # noqa: SLF001
    DecisionMade: Campaign._decided,  # noqa: SLF001
    PolicyExhausted: Campaign._exhausted,  # noqa: SLF001
    BecameEven: Campaign._found,  # noqa: SLF001
    GapStalled: Campaign._found,  # noqa: SLF001
    StopRuleFired: Campaign._rule_fired,  # noqa: SLF001
    RequestIssued: Campaign._issued,  # noqa: SLF001
    RequestDeferred: Campaign._deferred,  # noqa: SLF001
    ResultAccepted: Campaign._result,  # noqa: SLF001
    LateResultKept: Campaign._late,  # noqa: SLF001
    ResultContradicted: Campaign._contradicted,  # noqa: SLF001
    AttemptFailed: Campaign._failed,  # noqa: SLF001
    RequestExpired: Campaign._expired,  # noqa: SLF001
    InstrumentAnnounced: Campaign._announced,  # noqa: SLF001
    InstrumentAway: Campaign._away,  # noqa: SLF001
    InstrumentBack: Campaign._back,  # noqa: SLF001
    CandidateAbandoned: Campaign._abandon,  # noqa: SLF001
    CandidateRequeued: Campaign._requeued,  # noqa: SLF001
    CandidateExcluded: Campaign._excluded,  # noqa: SLF001
    ObservationAdded: Campaign._added,  # noqa: SLF001
    ObservationRetracted: Campaign._retracted,  # noqa: SLF001
    ObservationAmended: Campaign._amended,  # noqa: SLF001
    CandidatesAdded: Campaign._joined,  # noqa: SLF001
    CampaignPaused: Campaign._phase_changed,  # noqa: SLF001
    CampaignResumed: Campaign._phase_changed,  # noqa: SLF001
    CampaignStopping: Campaign._phase_changed,  # noqa: SLF001
    ControlNoted: Campaign._noted,  # noqa: SLF001
    ControlRefused: Campaign._refused,  # noqa: SLF001
    DecisionApproved: Campaign._approved,  # noqa: SLF001
    DecisionVetoed: Campaign._given_up,  # noqa: SLF001
    DecisionWithdrawn: Campaign._given_up,  # noqa: SLF001
    ApprovalOverdue: Campaign._overdue,  # noqa: SLF001
    BudgetSet: Campaign._budget_set,  # noqa: SLF001
    BeginCorrected: Campaign._begin_corrected,  # noqa: SLF001
    LimitsChanged: Campaign._limits_changed,  # noqa: SLF001
    CampaignFinished: Campaign._finished,  # noqa: SLF001
}
