"""The campaign: the one stateful thing, and nothing but the fold of its journal.

`apply` changes the state and decides nothing. What may follow what stands in `agent.campaign.life_cycle`, the rules in
`agent.campaign.decide`, `proposals` and `follow`. State and metrics together are the `agent.campaign.ledger`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agent.campaign.absence import Absence
from agent.campaign.events import (
    AttemptFailed,
    BecameEven,
    BeginCorrected,
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
    DecisionMade,
    Event,
    GapStalled,
    InstrumentAway,
    InstrumentBack,
    LateResultKept,
    ObservationAdded,
    PolicyExhausted,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    ResultContradicted,
    StartSetLoaded,
    StopRuleFired,
)
from agent.campaign.life_cycle import OPEN, PHASES, TRANSITIONS, CandidateStatus, Phase
from agent.campaign.plan import CampaignPlan, Ordering
from agent.campaign.results_seen import ResultSeen, content_of
from agent.pool.candidates import Pool
from agent.pool.growth import MAX_ADDED_CANDIDATES, NewCandidate, grown, growth_breach
from protocols.errors import InvariantViolation, invariant
from protocols.tables.account import Account
from protocols.wire.messages import FailureReason, ReceiptStatus

RESULT_REFUSED: Final = "result_refused"
"""Reason of an `AttemptFailed` that stands for a result which breaks its contract."""

NO_ANSWER: Final = "no answer within the deadline"
"""Why a candidate waits whose attempt expired."""


@dataclass(slots=True)
class Attempt:
    """One dispatch of a candidate."""

    attempt_id: str
    candidate_id: str
    decision: int
    number: int
    recipient: str
    in_flight: bool = True
    """Awaited: neither answered nor expired nor overtaken."""
    results: tuple[ResultSeen, ...] = ()
    """Its results that are in the journal, in their order."""
    failure_seen: bool = False
    """A failure of this attempt is in the journal; a further one is a duplicate."""


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """Why a waiting candidate waits."""

    reason: str
    permanent: bool
    is_silence: bool = False
    """No answer came."""


class Campaign:
    """The state folded from the journal.

    Args:
        pool: The candidates at the start; their digest must be the plan's.

    Attributes:
        pool: The candidates, with all that have joined them; what is in it keeps its index.
        added: How many have joined it.
        grown_at: Number of the last event by which an operator let any join it.
        statuses: `CandidateStatus` of each candidate, shape (n,), in pool order.
        available_count: How many of them are `AVAILABLE`.
        values: Value of each observed candidate [unit of the plan], NaN elsewhere, shape (n,).
        sequence: Number of the last event folded; the journal counts from 1.
        began_at: When the campaign began, by the agent's clock; None in journals of old.
        reading: What of the pool's table was not taken as it stands.
        policy_exhausted: Why the policy is not asked any more; None while it is.
        findings: How often evenness or a stall of the mean gap was journalled.
        fired: The stop rule that fired, if one has.
        requested: Candidates ever requested; with `open_decisions` it bounds what was spent.
        open_decisions: Decision number -> its candidates without an outcome.
        retry_pending: Candidates whose last attempt failed or expired, oldest first.
        in_flight: Attempts that are awaited, oldest first.
        attempts_made: Attempts of each candidate ever requested.
        interruptions: How many of them a restart of the simulator ended, which says nothing about the candidate.
        absence: Who is away, and what nobody answered for.
        chosen: Decision number -> its candidates, for the decisions that the next one must take for pending.
        contradictions: Results in the journal that contradict the first one of their attempt.
        controls_seen: Message ids of the controls that are in the journal.
        controls_noted: How many of them changed nothing.
        pauses_ordered: How often an operator has paused it.
        ordered_at: When the last pause or resumption was sent that an operator ordered; None before there was one.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.added = 0
        self.grown_at = 0
        self._plan: CampaignPlan | None = None
        self.reading: Account = ()
        self.began_at: datetime | None = None
        self.phase = Phase.NEW
        self.pause_reason = ""
        self.paused_itself = False
        self.finish_reason = ""
        self.policy_exhausted: str | None = None
        self.findings = 0
        self.fired: StopRuleFired | None = None
        self.sequence = 0
        self.statuses: NDArray[np.int8] = np.zeros(len(pool), dtype=np.int8)
        self.available_count = len(pool)
        self.values: NDArray[np.float64] = np.full(len(pool), np.nan)
        self.additional: NDArray[np.float64] = np.empty((len(pool), 0))
        """Values of the additional properties that are balanced, shape (n, p − 1)."""
        self.uncertainties: NDArray[np.float64] = np.zeros((len(pool), 1))
        """Standard uncertainties that came with the values, 0 where none did, shape (n, p)."""
        self.requested = 0
        self.next_decision = 0
        self.retries = 0
        self.abandoned_in_a_row = 0
        self.decision_of: dict[str, int] = {}
        self.open_decisions: dict[int, set[str]] = {}
        self.attempts: dict[str, Attempt] = {}
        self.attempts_made: dict[str, int] = {}
        self.interruptions: dict[str, int] = {}
        self.absence = Absence()
        self.in_flight: dict[str, Attempt] = {}
        self.retry_pending: dict[str, AttemptFailure] = {}
        self.chosen: dict[int, tuple[str, ...]] = {}
        self.contradictions = 0
        self.controls_seen: set[str] = set()
        self.controls_noted = 0
        self.pauses_ordered = 0
        self.ordered_at: datetime | None = None
        self.observations = 0
        self._acquired = np.zeros(0, dtype=np.int64)
        self._acquired_decisions = np.zeros(0, dtype=np.int64)
        self._acquired_count = 0

    @property
    def plan(self) -> CampaignPlan:
        """The plan of a campaign that has started."""
        if self._plan is None:
            raise InvariantViolation("the campaign has not started: its journal is empty")
        return self._plan

    @property
    def is_stopped_by_rule(self) -> bool:
        """Whether a stop rule has ended all asking."""
        return self.fired is not None and not self.fired.policy

    @property
    def has_ended_asking(self) -> bool:
        """Whether nothing more is asked for, though the campaign runs: its policy or a stop rule said so."""
        return self.policy_exhausted is not None or self.is_stopped_by_rule

    @property
    def rest_policy(self) -> str:
        """The policy that a stop rule gave the rest of the budget to; empty while the campaign's own decides."""
        return "" if self.fired is None else self.fired.policy

    @property
    def may_grow(self) -> bool:
        """Whether the policy that decides may choose what is not in the pool; a decision has room, or may not."""
        of_a_decision = self.plan.batch + 1  # its choices and the runner-up
        return self.plan.grows_pool and not self.rest_policy and self.added + of_a_decision <= MAX_ADDED_CANDIDATES

    @property
    def open_count(self) -> int:
        """Candidates chosen and without an outcome."""
        return sum(len(candidates) for candidates in self.open_decisions.values())

    @property
    def spent(self) -> int:
        """Budget units whose outcome is known."""
        return self.requested - self.open_count

    @property
    def acquired(self) -> NDArray[np.int64]:
        """Pool indices of the observations that came by request, shape (t,): by decision in order, else by arrival."""
        return self._acquired[: self._acquired_count]

    @property
    def acquired_decisions(self) -> NDArray[np.int64]:
        """Decision number of each of `acquired`, shape (t,)."""
        return self._acquired_decisions[: self._acquired_count]

    def status_of(self, candidate_id: str) -> CandidateStatus:
        """Return where a candidate of the pool is in its life."""
        return CandidateStatus(int(self.statuses[self.pool.index_of[candidate_id]]))

    def apply(self, event: Event) -> None:
        """Fold one event.

        Raises:
            InvariantViolation: When the event cannot follow the ones before; the state is then not to be used.
        """
        kind = type(event)
        phases = PHASES.get(kind)
        if phases is not None:
            if self.phase not in phases:
                raise InvariantViolation(f"{kind.__name__} in phase {self.phase}: not possible")
            self.phase = phases[self.phase]
        elif self.phase is Phase.NEW:
            raise InvariantViolation(f"{kind.__name__} before CampaignStarted")
        _FOLD[kind](self, event)
        self.sequence += 1

    def _move(self, event: Event, candidate_id: str) -> None:
        """Move a candidate along the table."""
        index = self.pool.index_of.get(candidate_id)
        if index is None:
            raise InvariantViolation(f"{type(event).__name__}: {candidate_id!r} is not in the pool")
        before = CandidateStatus(self.statuses.item(index))
        after = TRANSITIONS[type(event)].get(before)
        if after is None:
            raise InvariantViolation(f"{type(event).__name__}: {candidate_id!r} is {before.name}: not possible")
        self.statuses[index] = after
        self.available_count -= before is CandidateStatus.AVAILABLE  # no row of the table leads back
        if after not in OPEN and before in OPEN:
            self._close(candidate_id)
        elif before is CandidateStatus.ABANDONED:
            self.absence.close(candidate_id)

    def _close(self, candidate_id: str) -> None:
        self.retry_pending.pop(candidate_id, None)
        decision = self.decision_of[candidate_id]
        still_open = self.open_decisions[decision]
        still_open.discard(candidate_id)
        if not still_open:
            del self.open_decisions[decision]
        for attempt_id in [a.attempt_id for a in self.in_flight.values() if a.candidate_id == candidate_id]:
            self._land(attempt_id)

    def _land(self, attempt_id: str) -> None:
        self.attempts[attempt_id].in_flight = False
        self.in_flight.pop(attempt_id, None)

    def _observe(self, candidate_id: str, value: float, additional: Sequence[float]) -> int:
        invariant(
            len(additional) == len(self.plan.additional_properties),
            f"{candidate_id!r}: {len(additional)} additional values",
        )
        index = self.pool.index_of[candidate_id]
        self.values[index] = value
        self.additional[index] = additional
        self.observations += 1
        return index

    def _acquire(self, index: int, decision: int) -> None:
        """Add to `acquired`, keeping the order of decisions where the plan asks for it."""
        count = self._acquired_count
        if count == len(self._acquired):
            grown = max(64, 2 * count)
            self._acquired = np.resize(self._acquired, grown)
            self._acquired_decisions = np.resize(self._acquired_decisions, grown)
        at = count
        if self.plan.ordering is Ordering.IN_ORDER:
            key = (decision, index)
            while at and (int(self._acquired_decisions[at - 1]), int(self._acquired[at - 1])) > key:
                at -= 1
        for array, value in ((self._acquired, index), (self._acquired_decisions, decision)):
            array[at + 1 : count + 1] = array[at:count].copy()
            array[at] = value
        self._acquired_count += 1

    def _grow(self, new: Sequence[NewCandidate]) -> None:
        """Let candidates join the pool."""
        if not new:  # as with almost every decision
            return
        breach = growth_breach(self.pool, new)
        invariant(not breach, breach)
        self.pool = grown(self.pool, new)
        self.added += len(new)
        self.available_count += len(new)
        self.statuses = np.concatenate((self.statuses, np.full(len(new), CandidateStatus.AVAILABLE, dtype=np.int8)))
        self.values = np.concatenate((self.values, np.full(len(new), np.nan)))
        others = self.additional.shape[1]
        self.additional = np.vstack((self.additional, np.full((len(new), others), np.nan)))
        self.uncertainties = np.vstack((self.uncertainties, np.zeros((len(new), 1 + others))))

    def _started(self, event: CampaignStarted) -> None:
        invariant(
            event.plan.pool_digest == self.pool.digest,
            f"the journal speaks of pool {event.plan.pool_digest[:12]}, this pool is {self.pool.digest[:12]}",
        )
        self._plan, self.reading = event.plan, event.reading
        self.began_at = event.began_at
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
        self.requested += len(event.candidate_ids)
        invariant(self.requested <= self.plan.budget, f"{self.requested} requested of a budget of {self.plan.budget}")
        self.open_decisions[event.decision] = set(event.candidate_ids)
        self.chosen[event.decision] = event.candidate_ids
        last_seen = event.decision + 1 - self.plan.lag
        for old in [number for number in self.chosen if number <= last_seen]:
            del self.chosen[old]
        for candidate_id in event.candidate_ids:
            self.decision_of[candidate_id] = event.decision

    def _exhausted(self, event: PolicyExhausted) -> None:
        self._must_be_next(event)
        self.policy_exhausted = event.reason

    def _found(self, _event: BecameEven | GapStalled) -> None:
        self.findings += 1

    def _rule_fired(self, event: StopRuleFired) -> None:
        invariant(self.fired is None, f"stop rule {event.rule} fires, and {self.fired} has")
        self.fired = event

    def _must_be_next(self, event: DecisionMade | PolicyExhausted) -> None:
        invariant(event.decision == self.next_decision, f"decision {event.decision} follows {self.next_decision - 1}")
        invariant(not self.is_stopped_by_rule, f"{type(event).__name__} after a stop rule ended all asking")
        invariant(self.policy_exhausted is None, f"{type(event).__name__} after the policy had nothing more to ask for")

    def _issued(self, event: RequestIssued) -> None:
        self._move(event, event.candidate_id)
        invariant(event.attempt_id not in self.attempts, f"attempt id {event.attempt_id} is used twice")
        self.retry_pending.pop(event.candidate_id, None)
        attempt = Attempt(event.attempt_id, event.candidate_id, event.decision, event.attempt, event.recipient)
        self.attempts[event.attempt_id] = attempt
        self.in_flight[event.attempt_id] = attempt
        self.attempts_made[event.candidate_id] = event.attempt
        self.retries += event.attempt > 1

    def _result(self, event: ResultAccepted) -> None:
        self._move(event, event.candidate_id)
        attempt = self.attempts[event.attempt_id]
        self._see(event, ReceiptStatus.ACCEPTED)
        self._land(event.attempt_id)
        additional = event.values_of([each.name for each in self.plan.additional_properties])
        index = self._observe(event.candidate_id, event.value, additional)
        self.uncertainties[index] = event.uncertainties_of(self.plan.property_names)
        self._acquire(index, attempt.decision)
        self.abandoned_in_a_row = 0

    def _late(self, event: LateResultKept) -> None:
        self._see(event, ReceiptStatus.REFUSED if event.refused else ReceiptStatus.LATE)
        self._land(event.attempt_id)

    def _contradicted(self, event: ResultContradicted) -> None:
        self._see(event, ReceiptStatus.CONTRADICTS)
        self.contradictions += 1

    def _see(
        self, event: ResultAccepted | LateResultKept | ResultContradicted | AttemptFailed, became: ReceiptStatus
    ) -> None:
        """Remember a result, so that it is known when it comes again."""
        attempt = self.attempts[event.attempt_id]
        content = content_of(event.quantities) if event.quantities else ""
        attempt.results = (*attempt.results, ResultSeen(event.message_id, content, became))

    def _failed(self, event: AttemptFailed) -> None:
        self._move(event, event.candidate_id)
        attempt = self.attempts[event.attempt_id]
        attempt.failure_seen = True
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
        which = event.candidate_id
        self._move(event, which)
        self.absence.requeue(which)
        made = self.attempts_made[which] - self.interruptions.get(which, 0)
        self.absence.forgive(which, made - self.absence.forgiven.get(which, 0))
        self.open_decisions.setdefault(self.decision_of[which], set()).add(which)
        self.retry_pending[which] = AttemptFailure(NO_ANSWER, permanent=False, is_silence=True)

    def _excluded(self, event: CandidateExcluded) -> None:
        self._move(event, event.candidate_id)
        self.controls_seen.add(event.message_id)

    def _added(self, event: ObservationAdded) -> None:
        self._move(event, event.candidate_id)
        self._observe(event.candidate_id, event.value, ())
        self.controls_seen.add(event.message_id)

    def _joined(self, event: CandidatesAdded) -> None:
        self._grow(event.candidates)
        self.grown_at = self.sequence + 1
        self.controls_seen.add(event.message_id)

    def _phase_changed(self, event: CampaignPaused | CampaignResumed | CampaignStopping) -> None:
        paused = isinstance(event, CampaignPaused)
        if self.paused_itself and isinstance(event, CampaignResumed):
            self.absence.recall(event.reason)
        self.pause_reason = event.reason if paused else ""
        self.paused_itself = paused and event.message_id is None
        self.abandoned_in_a_row = 0
        if event.message_id is not None:
            self.pauses_ordered += paused
            self.controls_seen.add(event.message_id)
        if not isinstance(event, CampaignStopping) and event.ordered_at is not None:
            self.ordered_at = event.ordered_at

    def _noted(self, event: ControlNoted) -> None:
        self.controls_seen.add(event.message_id)
        self.controls_noted += 1

    def _begin_corrected(self, event: BeginCorrected) -> None:
        self.began_at = event.began_at

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
    ResultAccepted: Campaign._result,  # noqa: SLF001
    LateResultKept: Campaign._late,  # noqa: SLF001
    ResultContradicted: Campaign._contradicted,  # noqa: SLF001
    AttemptFailed: Campaign._failed,  # noqa: SLF001
    RequestExpired: Campaign._expired,  # noqa: SLF001
    InstrumentAway: Campaign._away,  # noqa: SLF001
    InstrumentBack: Campaign._back,  # noqa: SLF001
    CandidateAbandoned: Campaign._abandon,  # noqa: SLF001
    CandidateRequeued: Campaign._requeued,  # noqa: SLF001
    CandidateExcluded: Campaign._excluded,  # noqa: SLF001
    ObservationAdded: Campaign._added,  # noqa: SLF001
    CandidatesAdded: Campaign._joined,  # noqa: SLF001
    CampaignPaused: Campaign._phase_changed,  # noqa: SLF001
    CampaignResumed: Campaign._phase_changed,  # noqa: SLF001
    CampaignStopping: Campaign._phase_changed,  # noqa: SLF001
    ControlNoted: Campaign._noted,  # noqa: SLF001
    BeginCorrected: Campaign._begin_corrected,  # noqa: SLF001
    CampaignFinished: Campaign._finished,  # noqa: SLF001
}
