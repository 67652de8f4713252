"""The invariants of a campaign, whatever the lab, the operator and the network do, in any order."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.campaign import decide, follow, presence, proposals
from agent.campaign.absence import MAX_REQUEUES
from agent.campaign.events import (
    AttemptFailed,
    BudgetSet,
    CampaignFinished,
    CampaignResumed,
    CampaignStarted,
    CandidateRequeued,
    ControlRefused,
    DecisionMade,
    InstrumentAway,
    InstrumentBack,
    ObservationAdded,
    ObservationRetracted,
    PolicyExhausted,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    StartSetLoaded,
    dump_event,
    load_event,
)
from agent.campaign.life_cycle import OPEN, CandidateStatus, Phase
from agent.campaign.people.controls import ControlAck
from agent.campaign.plan import Ordering
from agent.campaign.results_seen import MAX_CONTRADICTIONS, MAX_KEPT_ASIDE
from agent.campaign.state import Attempt, Campaign
from protocols.wire.messages import (
    AddedResult,
    ControlAction,
    ControlStatus,
    FailureReason,
    Quantity,
    ReceiptStatus,
)
from tests.support.campaigns import (
    Play,
    content_after,
    control,
    failure_of,
    quantity,
    refold,
    result_of,
    said_in,
    small_plan,
    small_pool,
    state_of,
)

POOL = small_pool(14)
CANDIDATES = st.sampled_from([*POOL.candidate_ids, "nobody"])
LOW, HIGH = -10.0, 10.0
QUANTITIES = st.one_of(
    st.floats(LOW, HIGH).map(lambda value: (quantity(value),)),
    st.floats(-1e12, 1e12).map(lambda value: (quantity(value),)),
    st.just((quantity(0.5, unit="J"),)),
    st.just((quantity(0.5, name="gap"),)),
    st.just((quantity(0.5), quantity(0.6))),
)


class CampaignUnderFire(RuleBasedStateMachine):
    """Any mix of answers, repetitions, failures, silence and controls."""

    @initialize(
        parallel=st.integers(1, 4),
        batch=st.integers(1, 4),
        ordering=st.sampled_from(Ordering),
        budget=st.integers(1, 16),
        max_attempts=st.integers(1, 3),
        give_up_after=st.integers(1, 4),
        start=st.sets(st.sampled_from(POOL.candidate_ids), max_size=4),
        asks=st.one_of(st.just(99), st.integers(0, 6)),
    )
    def begin(  # noqa: PLR0917 - hypothesis passes them by name
        self, parallel: int, batch: int, ordering: Ordering, budget: int, max_attempts: int, give_up_after: int,
        start: set[str], asks: int,
    ) -> None:  # fmt: skip
        plan = small_plan(
            POOL, parallel=parallel, batch=min(batch, parallel), ordering=ordering, budget=budget,
            max_attempts=max_attempts, give_up_after=give_up_after, recipients=("simulator-1", "simulator-2"),
        )  # fmt: skip
        self.play = Play(POOL, plan, sorted(start), content_after(asks))
        self.asks = asks
        self.play.settle()
        self.phases = [self.play.campaign.phase]

    @property
    def campaign(self) -> Campaign:
        return self.play.campaign

    def any_attempt(self, which: int) -> Attempt | None:
        attempts = list(self.campaign.attempts.values())
        return attempts[which % len(attempts)] if attempts else None

    # ── what can happen ──────────────────────────────────────────────────────────────────────────────────────────

    @rule(which=st.integers(0, 99), quantities=QUANTITIES)
    def a_result_of_any_attempt_ever_arrives(self, which: int, quantities: tuple[Quantity, ...]) -> None:
        attempt = self.any_attempt(which)
        if attempt is not None:
            message = result_of(attempt, *quantities)
            known = {each.content for each in attempt.results}
            receipt = self.play.take(decide.decide_result(self.campaign, message))
            assert receipt is not None
            assert (receipt.status is ReceiptStatus.DUPLICATE) == (said_in(message) in known)
            assert receipt.answers == message.message_id
            assert len(attempt.results) <= 1 + MAX_CONTRADICTIONS + MAX_KEPT_ASIDE

    @precondition(lambda self: self.play.awaited)
    @rule(which=st.integers(0, 99))
    def an_awaited_result_arrives(self, which: int) -> None:
        receipt = self.play.answer(self.play.awaited[which % len(self.play.awaited)])
        assert receipt is not None
        assert receipt.status is ReceiptStatus.ACCEPTED

    @rule(which=st.integers(0, 99), reason=st.sampled_from(FailureReason))
    def a_failure_of_any_attempt_ever_arrives(self, which: int, reason: FailureReason) -> None:
        attempt = self.any_attempt(which)
        if attempt is not None:
            self.play.take(decide.decide_failure(self.campaign, failure_of(attempt, reason)))

    @rule(which=st.integers(0, 99))
    def a_deadline_of_any_attempt_ever_passes(self, which: int) -> None:
        attempt = self.any_attempt(which)
        if attempt is not None:
            self.play.expire(attempt)

    @rule(
        action=st.sampled_from(ControlAction),
        candidate=CANDIDATES,
        value=st.floats(-20, 20),
        budget=st.integers(0, 14),
        twice=st.booleans(),
    )
    def an_operator_steers(self, action: ControlAction, candidate: str, value: float, budget: int, twice: bool) -> None:
        several = (AddedResult(candidate_id=candidate, quantity=quantity(value)),)
        message = control(
            action, candidate, quantity=quantity(value), quantities=several, budget=budget, decision=budget
        )
        first = decide.decide_control(self.campaign, message)
        values = self.campaign.values.copy()
        self.play.take(first)
        assert isinstance(first.ack, ControlAck)
        if first.ack.status is ControlStatus.REFUSED:
            assert np.array_equal(values, self.campaign.values, equal_nan=True)
            assert [type(event) for event in first.events] == [ControlRefused]
        if twice:
            before = state_of(self.campaign)
            again = decide.decide_control(self.campaign, message)
            assert isinstance(again.ack, ControlAck)
            assert (again.events, again.ack.row) == ((), first.ack.row)
            assert (again.ack.status is ControlStatus.REFUSED) == (first.ack.status is ControlStatus.REFUSED)
            assert state_of(self.campaign) == before

    @rule(which=st.sampled_from(("simulator-1", "simulator-2", "stranger")), is_there=st.booleans())
    def an_instrument_goes_or_comes(self, which: str, is_there: bool) -> None:
        if is_there:
            self.play.take(presence.decide_back(self.campaign, which))
            assert not presence.makes_a_difference(self.campaign, which) or self.campaign.absence.unanswered
        else:
            self.play.take(presence.decide_away(self.campaign, which, "it says so"))

    @precondition(lambda self: self.campaign.paused_itself)
    @rule()
    def the_agent_is_started_again_after_its_own_pause(self) -> None:
        self.play.fold(CampaignResumed("the agent was started again"))
        self.play.settle()

    # ── what must hold after every step ──────────────────────────────────────────────────────────────────────────

    @invariant()
    def i2_a_candidate_has_at_most_one_observation_and_an_attempt_one_result(self) -> None:
        observed = Counter(which for event in self.play.of_kind(StartSetLoaded) for which in event.candidate_ids)
        observed.update(event.candidate_id for event in self.play.of_kind(ResultAccepted))
        observed.update(event.candidate_id for event in self.play.of_kind(ObservationAdded))
        observed.subtract(event.candidate_id for event in self.play.of_kind(ObservationRetracted))
        assert set(observed.values()) <= {0, 1}
        assert sum(observed.values()) == self.campaign.observations
        attempts = Counter(event.attempt_id for event in self.play.of_kind(RequestIssued))
        assert set(attempts.values()) <= {1}

    @invariant()
    def i3_no_second_attempt_without_a_recorded_end_of_the_first(self) -> None:
        ended: set[tuple[str, int]] = set()
        last: Counter[str] = Counter()
        ordered: Counter[str] = Counter()
        interrupted: Counter[str] = Counter()
        for event in self.play.journal:
            if isinstance(event, RequestExpired | AttemptFailed):
                ended.add((event.candidate_id, self.campaign.attempts[event.attempt_id].number))
                interrupted[event.candidate_id] += getattr(event, "reason", "") == FailureReason.INTERRUPTED
            elif isinstance(event, CandidateRequeued) and event.message_id is not None:
                ended.add((event.candidate_id, last[event.candidate_id]))  # an operator's word ends it too
                ordered[event.candidate_id] += 1
            elif isinstance(event, RequestIssued):
                assert event.attempt == 1 or (event.candidate_id, event.attempt - 1) in ended
                last[event.candidate_id] = event.attempt
                absence, each_time = self.campaign.absence, self.campaign.plan.max_attempts
                free = interrupted[event.candidate_id] + absence.handed_on.get(event.candidate_id, 0)
                times = 1 + absence.requeued.get(event.candidate_id, 0) + ordered[event.candidate_id]
                assert event.attempt <= each_time * times + free

    @invariant()
    def i14_work_goes_to_who_is_there_and_nobody_is_left_alone_with_an_absent_one(self) -> None:
        away: set[str] = set()
        for event in self.play.journal:
            if isinstance(event, InstrumentAway):
                away.add(event.instrument)
                assert away < {"simulator-1", "simulator-2"}
            elif isinstance(event, InstrumentBack):
                away.discard(event.instrument)
            elif isinstance(event, RequestIssued):
                assert event.recipient not in away
        assert away == set(self.campaign.absence.away)
        assert max(self.campaign.absence.requeued.values(), default=0) <= MAX_REQUEUES

    @invariant()
    def i8_spent_and_pending_never_exceed_the_budget(self) -> None:
        chosen = [which for event in self.play.of_kind(DecisionMade) for which in event.candidate_ids]
        assert len(set(chosen)) == len(chosen) <= self.campaign.budget
        assert self.campaign.spent + self.campaign.open_count == len(chosen)
        wanted_again = sum(event.message_id is not None for event in self.play.of_kind(CandidateRequeued))
        assert self.campaign.open_count <= self.campaign.plan.parallel + wanted_again
        assert len(self.campaign.in_flight) <= self.campaign.plan.parallel

    @invariant()
    def a_policy_with_nothing_more_to_ask_for_says_so_once_and_is_not_asked_again(self) -> None:
        ends = self.play.of_kind(PolicyExhausted)
        assert len(ends) <= 1
        assert self.campaign.next_decision <= self.asks
        assert (self.campaign.policy_exhausted is not None) == bool(ends)
        for event in ends:
            assert event.decision == self.campaign.next_decision == self.asks
            assert self.play.journal.index(event) == event.based_on
        assert len(self.play.contexts) == self.campaign.next_decision + len(ends)

    @invariant()
    def i11_every_observation_is_finite_and_in_its_range(self) -> None:
        observed = self.campaign.statuses == CandidateStatus.OBSERVED
        assert all(math.isfinite(v) and LOW <= v <= HIGH for v in self.campaign.values[observed])
        assert not any(math.isfinite(v) for v in self.campaign.values[~observed])

    @invariant()
    def the_books_agree_with_the_statuses(self) -> None:
        campaign = self.campaign
        open_now = {which for group in campaign.open_decisions.values() for which in group}
        assert open_now == {which for which in POOL.candidate_ids if campaign.status_of(which) in OPEN}
        awaited = [attempt.candidate_id for attempt in campaign.in_flight.values()]
        assert len(set(awaited)) == len(awaited)
        assert {*awaited, *campaign.retry_pending} == open_now
        assert not {*awaited} & {*campaign.retry_pending}

    @invariant()
    def the_phases_follow_the_table_and_finished_is_for_ever_unless_the_budget_grows(self) -> None:
        if self.campaign.phase is not self.phases[-1]:
            assert self.phases[-1] is not Phase.FINISHED or isinstance(self.play.of_kind(BudgetSet)[-1], BudgetSet)
            assert (self.phases[-1], self.campaign.phase) != (Phase.STOPPING, Phase.RUNNING)
            self.phases.append(self.campaign.phase)
        ends = [event for event in self.play.journal if isinstance(event, CampaignFinished | BudgetSet)]
        is_over = bool(ends) and isinstance(ends[-1], CampaignFinished)
        assert is_over == (self.campaign.phase is Phase.FINISHED)
        assert [type(event) for event in self.play.journal[:2]] == [CampaignStarted, StartSetLoaded]

    @invariant()
    def nothing_follows_that_was_not_folded(self) -> None:
        assert follow.react(self.campaign) == ()
        assert proposals.decision_needed(self.campaign) is None

    def teardown(self) -> None:
        if not hasattr(self, "play"):
            return
        journal = [load_event(*dump_event(event)) for event in self.play.journal]
        assert state_of(refold(POOL, journal)) == state_of(self.campaign)
        self.faults_stop()
        assert self.campaign.phase is Phase.FINISHED
        assert self.campaign.open_decisions == {}
        assert state_of(refold(POOL, self.play.journal)) == state_of(self.campaign)

    def faults_stop(self) -> None:
        """I12: from here on every request is answered and a pause is ended; a bounded number of steps is enough."""
        bound = 4 * len(POOL) + 2
        while self.campaign.phase is not Phase.FINISHED and bound:
            bound -= 1
            if self.campaign.paused_itself:
                self.play.fold(CampaignResumed("the agent was started again"))
                self.play.settle()
            elif self.campaign.phase is Phase.PAUSED:
                self.play.steer(ControlAction.RESUME)
            else:
                self.play.answer(self.play.awaited[0])


TestCampaignUnderFire = CampaignUnderFire.TestCase
TestCampaignUnderFire.settings = settings(max_examples=60, stateful_step_count=40)
