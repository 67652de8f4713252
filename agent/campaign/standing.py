"""Where a campaign stands: what is known of it, and the moves that keep its parts together.

What each event changes, by these moves, is the fold of `agent.campaign.state`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from agent.campaign.absence import Absence
from agent.campaign.events import (
    AttemptFailed,
    DecisionMade,
    Event,
    LateResultKept,
    PolicyExhausted,
    ResultAccepted,
    ResultContradicted,
    StopRuleFired,
)
from agent.campaign.lab.announced import Lab
from agent.campaign.life_cycle import OPEN, TRANSITIONS, CandidateStatus, Phase
from agent.campaign.limits.asking import Asking
from agent.campaign.people.approval import waits_in_words
from agent.campaign.people.orders_seen import OrdersSeen
from agent.campaign.plan import CampaignPlan, Ordering
from agent.campaign.results_seen import ResultSeen, content_of
from agent.pool.candidates import Pool
from agent.pool.growth import MAX_ADDED_CANDIDATES, NewCandidate, grown, growth_breach
from protocols.errors import InvariantViolation, invariant
from protocols.tables.account import Account
from protocols.wire.messages import ReceiptStatus


@dataclass(slots=True)
class Attempt:
    """One dispatch of a candidate."""

    attempt_id: str
    candidate_id: str
    decision: int
    number: int
    recipient: str
    replicate: int = 0
    """Which repetition of the measurement it asks for; what was taken back is asked for by a number of its own."""
    in_flight: bool = True
    """Awaited: neither answered nor expired nor overtaken."""
    results: tuple[ResultSeen, ...] = ()
    """Its results that are in the journal, in their order."""
    failed_by: str | None = None
    """Message id of its failure in the journal; None where there is none, or it says none."""
    failure_seen: bool = False
    """A failure of this attempt is in the journal; a further one is a duplicate."""


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """Why a waiting candidate waits."""

    reason: str
    permanent: bool
    is_silence: bool = False
    """No answer came."""
    place: int = 0
    """Which of the candidates of its decision it is, of one that was approved: each has a turn of its own."""


class Standing:
    """What the journal of a campaign has told so far.

    Args:
        pool: The candidates at the start; their digest must be the plan's.

    Attributes:
        pool: The candidates, with all that have joined them; what is in it keeps its index.
        added: How many have joined it.
        grown_at: Number of the last event by which an operator let any join it.
        corrected_at: Number of the last event by which an operator took a value back or corrected one.
        statuses: `CandidateStatus` of each candidate, shape (n,), in pool order.
        available_count: How many of them are `AVAILABLE`.
        asking: What limits its questions besides the budget, and what was used up.
        values: Value of each observed candidate [unit of the plan], NaN elsewhere, shape (n,).
        sequence: Number of the last event folded; the journal counts from 1.
        began_at: When the campaign began, by the agent's clock; None in journals of old.
        reading: What of the pool's table was not taken as it stands.
        policy_exhausted: Why the policy is not asked any more; None while it is.
        findings: How often evenness or a stall of the mean gap was journalled.
        fired: The stop rule that fired, if one has.
        budget: What may be requested, as it is now [unit of the budget: candidates, or with methods their cost].
        largest_budget: The largest that it ever was.
        requested: What all that was ever requested or held takes of the budget, whatever came of it.
        chosen_count: How many that are.
        open_decisions: Decision number -> its candidates without an outcome.
        retry_pending: Candidates whose last attempt failed or expired, oldest first.
        in_flight: Attempts that are awaited, oldest first.
        attempts_made: Attempts of each candidate ever requested.
        retracted: How many values of each candidate an operator took back.
        interruptions: How many of them a restart of the simulator ended, which says nothing about the candidate.
        absence: Who is away, and what nobody answered for.
        chosen: Decision number -> its candidates, for the decisions that the next one must take for pending.
        contradictions: Results in the journal that contradict the first one of their attempt.
        awaiting_approval: Decisions that wait for approval, oldest first -> whether they have for too long.
        orders: What operators have ordered.
        stands_since: Number of the event since which phase and `standing_reason` are what they are.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.added = 0
        self.grown_at = 0
        self.corrected_at = 0
        self._plan: CampaignPlan | None = None
        self.reading: Account = ()
        self.began_at: datetime | None = None
        self.phase = Phase.NEW
        self.pause_reason = ""
        self.paused_itself = False
        self.finish_reason = ""
        self.stands_since = 0
        self.policy_exhausted: str | None = None
        self.findings = 0
        self.fired: StopRuleFired | None = None
        self.sequence = 0
        self.statuses: NDArray[np.int8] = np.zeros(len(pool), dtype=np.int8)
        self.available_count = len(pool)
        self.asking = Asking()
        self.values: NDArray[np.float64] = np.full(len(pool), np.nan)
        self.additional: NDArray[np.float64] = np.empty((len(pool), 0))
        """Values of the additional properties that are balanced, shape (n, p − 1)."""
        self.uncertainties: NDArray[np.float64] = np.zeros((len(pool), 1))
        """Standard uncertainties that came with the values, 0 where none did, shape (n, p)."""
        self.budget = 0
        self.largest_budget = 0
        self.requested = 0
        self.chosen_count = 0
        self.next_decision = 0
        self.retries = 0
        self.abandoned_in_a_row = 0
        self.decision_of: dict[str, int] = {}
        self.open_decisions: dict[int, set[str]] = {}
        self.attempts: dict[str, Attempt] = {}
        self.attempts_made: dict[str, int] = {}
        self.retracted: Counter[str] = Counter()
        self.interruptions: dict[str, int] = {}
        self.absence = Absence()
        self.lab = Lab()
        self.in_flight: dict[str, Attempt] = {}
        self.retry_pending: dict[str, AttemptFailure] = {}
        self.chosen: dict[int, tuple[str, ...]] = {}
        self.contradictions = 0
        self.awaiting_approval: dict[int, bool] = {}
        self.orders = OrdersSeen()
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
    def asking_ended(self) -> str:
        """Why nothing more is asked for, though there are budget and candidates; empty while it is."""
        if self.fired is not None and self.is_stopped_by_rule:
            return f"the stop rule {self.fired.reason}"
        if self.policy_exhausted is not None:
            return f"the policy has nothing more to ask for: {self.policy_exhausted}"
        return ""

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
    def outcomes(self) -> int:
        """Candidates whose outcome is known."""
        return self.chosen_count - self.open_count

    @property
    def spent(self) -> int:
        """What those whose outcome is known have taken of the budget."""
        if not self.plan.fidelities:
            return self.requested - self.open_count
        still_open = itertools.chain.from_iterable(self.open_decisions.values())
        return self.requested - sum(map(self.plan.cost_of, still_open))

    @property
    def cost_left(self) -> int:
        """What is left of the budget beside all that was ever requested or is held."""
        return self.budget - self.requested

    @property
    def affordable_count(self) -> int:
        """How many can be chosen at most with what is left of the budget: of the cheapest that may be."""
        return self.cost_left // (self.plan.target_cost if self.rest_policy else self.plan.least_cost)

    @property
    def is_held_up(self) -> bool:
        """Whether a decision has waited for approval for so long that nothing else is decided."""
        return any(self.awaiting_approval.values())

    @property
    def standing_reason(self) -> str:
        """Why it is paused, stopping or finished, or what it waits for; empty where it just runs."""
        match self.phase:
            case Phase.PAUSED | Phase.STOPPING:
                return self.pause_reason
            case Phase.FINISHED:
                return self.finish_reason
            case _:
                return waits_in_words(self.awaiting_approval, is_held_up=self.is_held_up)

    @property
    def acquired(self) -> NDArray[np.int64]:
        """Pool indices of the observations that came by request, shape (t,): by decision in order, else by arrival."""
        return self._acquired[: self._acquired_count]

    @property
    def acquired_decisions(self) -> NDArray[np.int64]:
        """Decision number of each of `acquired`, shape (t,)."""
        return self._acquired_decisions[: self._acquired_count]

    @property
    def choosable(self) -> NDArray[np.bool_]:
        """Whether a decision may choose each row: available, to be paid, and no limit against it, shape (n,)."""
        available: NDArray[np.bool_] = self.statuses == int(CandidateStatus.AVAILABLE)
        if (known := self.pool.fidelities) is not None:
            available &= known.cost <= self.cost_left
            if self.rest_policy:  # it chooses candidates only
                available &= known.is_candidate
        return available & self.asking.may_ask(self.pool) if self.asking.is_limiting else available

    @property
    def choosable_count(self) -> int:
        """How many a decision may choose from."""
        is_any = not self.asking.is_limiting and self.pool.fidelities is None
        return self.available_count if is_any else int(np.count_nonzero(self.choosable))

    def status_of(self, candidate_id: str) -> CandidateStatus:
        """Return where a candidate of the pool is in its life."""
        return CandidateStatus(int(self.statuses[self.pool.index_of[candidate_id]]))

    def _move(
        self, event: Event, candidate_id: str, table: Mapping[CandidateStatus, CandidateStatus] | None = None
    ) -> None:
        """Move a candidate along the table of an event's kind, or another one."""
        index = self.pool.index_of.get(candidate_id)
        if index is None:
            raise InvariantViolation(f"{type(event).__name__}: {candidate_id!r} is not in the pool")
        before = CandidateStatus(self.statuses.item(index))
        after = (TRANSITIONS[type(event)] if table is None else table).get(before)
        if after is None:
            raise InvariantViolation(f"{type(event).__name__}: {candidate_id!r} is {before.name}: not possible")
        self.statuses[index] = after
        self.available_count += (after is CandidateStatus.AVAILABLE) - (before is CandidateStatus.AVAILABLE)
        if after not in OPEN and before in OPEN:
            self._close(candidate_id)
            self.asking.release(candidate_id)
            if before is CandidateStatus.HELD:
                self._give_back(candidate_id)
        elif before is CandidateStatus.ABANDONED:
            self.absence.close(candidate_id)

    def _close(self, candidate_id: str) -> None:
        self.retry_pending.pop(candidate_id, None)
        decision = self.decision_of[candidate_id]
        still_open = self.open_decisions[decision]
        still_open.discard(candidate_id)
        if not still_open:
            del self.open_decisions[decision]
            self.awaiting_approval.pop(decision, None)
        for attempt_id in [a.attempt_id for a in self.in_flight.values() if a.candidate_id == candidate_id]:
            self._land(attempt_id)

    def _give_back(self, candidate_id: str) -> None:
        """Take it that a candidate was never chosen: nobody was asked for it, and its part of the budget is free."""
        decision = self.decision_of.pop(candidate_id)
        self.requested -= self.plan.cost_of(candidate_id)
        self.chosen_count -= 1
        if decision in self.chosen:
            self.chosen[decision] = tuple(each for each in self.chosen[decision] if each != candidate_id)

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

    def _forget_value(self, candidate_id: str) -> None:
        """Let a candidate have no value any more."""
        index = self.pool.index_of[candidate_id]
        self.values[index] = np.nan
        self.additional[index] = np.nan
        self.uncertainties[index] = 0.0
        self.observations -= 1
        found = np.flatnonzero(self.acquired == index)
        if len(found):
            at, count = int(found[0]), self._acquired_count
            for array in (self._acquired, self._acquired_decisions):
                array[at : count - 1] = array[at + 1 : count].copy()
            self._acquired_count -= 1

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
        self.added += len(new)
        self._hold(grown(self.pool, new))

    def _hold(self, pool: Pool) -> None:
        """Hold a pool in the place of the one before, which it begins with."""
        rows = len(pool) - len(self.pool)
        self.pool = pool
        self.available_count += rows
        self.statuses = np.concatenate((self.statuses, np.full(rows, CandidateStatus.AVAILABLE, dtype=np.int8)))
        self.values = np.concatenate((self.values, np.full(rows, np.nan)))
        others = self.additional.shape[1]
        self.additional = np.vstack((self.additional, np.full((rows, others), np.nan)))
        self.uncertainties = np.vstack((self.uncertainties, np.zeros((rows, 1 + others))))

    def _must_be_next(self, event: DecisionMade | PolicyExhausted) -> None:
        invariant(event.decision == self.next_decision, f"decision {event.decision} follows {self.next_decision - 1}")
        invariant(not self.is_stopped_by_rule, f"{type(event).__name__} after a stop rule ended all asking")
        invariant(self.policy_exhausted is None, f"{type(event).__name__} after the policy had nothing more to ask for")

    def _see(
        self, event: ResultAccepted | LateResultKept | ResultContradicted | AttemptFailed, became: ReceiptStatus
    ) -> None:
        """Remember a result, so that it is known when it comes again."""
        attempt = self.attempts[event.attempt_id]
        content = content_of(event.quantities) if event.quantities else ""
        attempt.results = (*attempt.results, ResultSeen(event.message_id, content, became))
