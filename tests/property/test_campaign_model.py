"""The campaign against a model of a screenful: the model foretells every receipt and every status, in any order.

`test_campaign_properties` says what must never happen; this says what must happen. The model knows nothing of events:
it keeps, of each candidate, its attempts and how it ended.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent.campaign import decide
from agent.campaign.follow import MAX_INTERRUPTIONS
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.plan import Ordering
from agent.campaign.results_seen import MAX_CONTRADICTIONS, MAX_KEPT_ASIDE
from agent.campaign.state import Attempt
from protocols.wire.messages import PERMANENT_FAILURES, ControlAction, ControlStatus, FailureReason, ReceiptStatus
from tests.support.campaigns import (
    Play,
    content_after,
    failure_of,
    quantity,
    result_of,
    said_in,
    small_plan,
    small_pool,
    value_of,
)

POOL = small_pool(16)
BUDGET = 12
OUTSIDE = 77.0
"""Beyond the plan's range: a result that breaks its contract."""


@dataclass(slots=True)
class Life:
    """What the model knows of a candidate that was requested."""

    attempts: int = 0
    interrupted: int = 0
    flying: str = ""
    """The attempt that is awaited."""
    ended: CandidateStatus | None = None
    value: float | None = None


@dataclass(slots=True)
class Model:
    """The lives of the candidates, and which answers were seen."""

    max_attempts: int
    lives: dict[str, Life] = field(default_factory=dict)
    results: dict[str, dict[float, str]] = field(default_factory=dict)
    """Attempt -> what its results said -> how that stands: taken, aside, refused or contradicting."""
    failures: set[str] = field(default_factory=set)

    def result(self, attempt: Attempt, value: float, *, valid: bool, finished: bool) -> ReceiptStatus:
        life, which = self.lives[attempt.candidate_id], attempt.attempt_id
        known = self.results.setdefault(which, {})
        if value in known:
            return ReceiptStatus.DUPLICATE
        if {"taken", "aside"} & set(known.values()):
            self.remember(known, value, "contradicting", MAX_CONTRADICTIONS, "contradicting")
            return ReceiptStatus.CONTRADICTS
        if life.ended in {CandidateStatus.OBSERVED, CandidateStatus.EXCLUDED} or (life.ended is not None and finished):
            self.remember(known, value, "aside" if valid else "refused", MAX_KEPT_ASIDE, "aside", "refused")
            return ReceiptStatus.LATE
        if not valid and life.flying == which:
            known[value] = "refused"
            self.failures.add(which)
            self.attempt_failure(life, permanent=False)
            return ReceiptStatus.REFUSED
        if not valid:
            self.remember(known, value, "refused", MAX_KEPT_ASIDE, "aside", "refused")
            return ReceiptStatus.REFUSED
        known[value] = "taken"
        life.ended, life.value, life.flying = CandidateStatus.OBSERVED, value, ""
        return ReceiptStatus.ACCEPTED

    @staticmethod
    def remember(known: dict[float, str], value: float, how: str, most: int, *counted: str) -> None:
        if sum(each in counted for each in known.values()) < most:
            known[value] = how

    def failure(self, attempt: Attempt, reason: FailureReason) -> ReceiptStatus:
        life, which = self.lives[attempt.candidate_id], attempt.attempt_id
        if which in self.failures:
            return ReceiptStatus.DUPLICATE
        if life.flying != which:
            return ReceiptStatus.LATE
        self.failures.add(which)
        life.interrupted += reason is FailureReason.INTERRUPTED
        self.attempt_failure(life, permanent=reason in PERMANENT_FAILURES)
        return ReceiptStatus.ACCEPTED

    def attempt_failure(self, life: Life, *, permanent: bool) -> None:
        life.flying = ""
        used_up = life.attempts - life.interrupted >= self.max_attempts or life.interrupted >= MAX_INTERRUPTIONS
        if permanent or used_up:
            life.ended = CandidateStatus.ABANDONED

    def learn(self, attempts: dict[str, Attempt]) -> None:
        """Take in the attempts that the campaign made by itself: each must be one that the model waits for."""
        for attempt in attempts.values():
            life = self.lives.setdefault(attempt.candidate_id, Life())
            if attempt.number > life.attempts:
                assert life.ended is None
                assert life.flying == ""
                assert attempt.number == life.attempts + 1
                life.attempts, life.flying = attempt.number, attempt.attempt_id


class CampaignBesideItsModel(RuleBasedStateMachine):
    """Results, failures, silence and exclusions, each foretold."""

    @initialize(
        parallel=st.integers(1, 4),
        ordering=st.sampled_from(Ordering),
        max_attempts=st.integers(1, 3),
        asks=st.one_of(st.just(BUDGET), st.integers(1, BUDGET)),  # with none it is over at once: a unit test's
    )
    def begin(self, parallel: int, ordering: Ordering, max_attempts: int, asks: int) -> None:
        plan = small_plan(
            POOL, parallel=parallel, ordering=ordering, budget=BUDGET, max_attempts=max_attempts, give_up_after=99
        )
        self.play = Play(POOL, plan, propose=content_after(asks))
        self.asks = asks
        self.play.settle()
        self.model = Model(max_attempts)
        self.model.learn(self.play.campaign.attempts)

    def attempt(self, which: int) -> Attempt:
        attempts = list(self.play.campaign.attempts.values())
        return attempts[-1 - which % len(attempts)]

    @rule(which=st.integers(0, 9), valid=st.sampled_from([True, True, False]), off_by=st.integers(0, 6))
    def a_result_comes(self, which: int, valid: bool, off_by: int) -> None:
        attempt = self.attempt(which)
        value = (value_of(attempt.candidate_id) if valid else OUTSIDE) + off_by / 2
        finished = self.play.campaign.phase is Phase.FINISHED
        expected = self.model.result(attempt, value, valid=valid, finished=finished)
        receipt = self.play.take(decide.decide_result(self.play.campaign, result_of(attempt, quantity(value))))
        assert receipt is not None
        assert receipt.status is expected
        assert {said_in(result_of(attempt, quantity(each))) for each in self.model.results[attempt.attempt_id]} == {
            each.content for each in attempt.results
        }
        self.model.learn(self.play.campaign.attempts)

    @rule(which=st.integers(0, 9), reason=st.sampled_from(FailureReason))
    def a_failure_comes(self, which: int, reason: FailureReason) -> None:
        attempt = self.attempt(which)
        expected = self.model.failure(attempt, reason)
        receipt = self.play.take(decide.decide_failure(self.play.campaign, failure_of(attempt, reason)))
        assert receipt is not None
        assert receipt.status is expected
        self.model.learn(self.play.campaign.attempts)

    @rule(which=st.integers(0, 9))
    def a_deadline_passes(self, which: int) -> None:
        attempt = self.attempt(which)
        life = self.model.lives[attempt.candidate_id]
        if life.flying == attempt.attempt_id:
            self.model.attempt_failure(life, permanent=False)
        self.play.expire(attempt)
        self.model.learn(self.play.campaign.attempts)

    @precondition(lambda self: self.play.campaign.phase is not Phase.FINISHED)
    @rule(candidate_id=st.sampled_from(POOL.candidate_ids))
    def an_operator_excludes(self, candidate_id: str) -> None:
        life = self.model.lives.setdefault(candidate_id, Life())
        refused = life.ended in {CandidateStatus.OBSERVED, CandidateStatus.ABANDONED}
        receipt = self.play.steer(ControlAction.EXCLUDE_CANDIDATE, candidate_id)
        assert (receipt.status is ControlStatus.REFUSED) == refused
        if refused:
            return
        life.ended, life.flying = CandidateStatus.EXCLUDED, ""
        self.model.learn(self.play.campaign.attempts)

    @invariant()
    def every_candidate_stands_where_the_model_says(self) -> None:
        campaign = self.play.campaign
        for candidate_id in POOL.candidate_ids:
            life = self.model.lives.get(candidate_id)
            expected = CandidateStatus.AVAILABLE if life is None else life.ended or CandidateStatus.PENDING
            assert campaign.status_of(candidate_id) is expected
            if life is not None and life.value is not None:
                assert campaign.values[POOL.index_of[candidate_id]] == life.value

    @invariant()
    def what_is_awaited_and_what_is_spent_are_as_the_model_says(self) -> None:
        campaign = self.play.campaign
        assert set(campaign.in_flight) == {life.flying for life in self.model.lives.values() if life.flying}
        requested = [life for life in self.model.lives.values() if life.attempts]
        assert campaign.requested == len(requested) <= BUDGET
        still_open = sum(life.ended is None for life in requested)
        none_left = len(self.model.lives) == len(POOL)
        asked_for = min(self.asks, BUDGET)
        assert (campaign.phase is Phase.FINISHED) == (not still_open and (len(requested) == asked_for or none_left))
        if campaign.phase is not Phase.FINISHED and campaign.plan.ordering is Ordering.AS_COMPLETED:
            room = min(campaign.plan.parallel, still_open + asked_for - len(requested), len(POOL))
            assert still_open == room or none_left


TestCampaignBesideItsModel = CampaignBesideItsModel.TestCase
TestCampaignBesideItsModel.settings = settings(max_examples=80, stateful_step_count=40)
