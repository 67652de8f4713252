"""The life cycles of candidates and campaigns: what the tables allow happens, what they do not is refused by name."""

from __future__ import annotations

import itertools

import pytest

from agent.campaign.events import (
    AttemptFailed,
    BecameEven,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopping,
    CandidateAbandoned,
    CandidateExcluded,
    CandidateRequeued,
    DecisionMade,
    Event,
    GapStalled,
    LateResultKept,
    ObservationAdded,
    PolicyExhausted,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    StartSetLoaded,
    StopRuleFired,
)
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.results_seen import ResultSeen
from agent.campaign.state import Campaign
from protocols.errors import InvariantViolation
from protocols.wire.messages import ReceiptStatus
from tests.support.campaigns import Play, small_plan, small_pool

WHO = "c001"
POOL = small_pool()

DECIDED = DecisionMade(0, 1, 2, "random", "f" * 12, (WHO,), (None,), "drawn")
ISSUED = RequestIssued("a-1", WHO, 0, 1, "simulator-1")
EXPIRED = RequestExpired("a-1", WHO)
ACCEPTED = ResultAccepted("a-1", WHO, "simulator-1", 0.5, (), 1.0)
ABANDONED = CandidateAbandoned(WHO, "tired")
EXCLUDED = CandidateExcluded(WHO, "toxic", "m-1")

WAY_TO = {
    CandidateStatus.AVAILABLE: (DECIDED,),
    CandidateStatus.PENDING: (DECIDED, ISSUED),
    CandidateStatus.RETRY_PENDING: (DECIDED, ISSUED, EXPIRED),
    CandidateStatus.OBSERVED: (DECIDED, ISSUED, ACCEPTED),
    CandidateStatus.ABANDONED: (DECIDED, ISSUED, EXPIRED, ABANDONED),
    CandidateStatus.EXCLUDED: (DECIDED, ISSUED, EXCLUDED),
}
AVAILABLE, PENDING, RETRY_PENDING, OBSERVED = (
    CandidateStatus.AVAILABLE,
    CandidateStatus.PENDING,
    CandidateStatus.RETRY_PENDING,
    CandidateStatus.OBSERVED,
)
MOVES: list[tuple[Event, dict[CandidateStatus, CandidateStatus]]] = [
    (StartSetLoaded((WHO,), (0.5,)), {AVAILABLE: OBSERVED}),
    (RequestIssued("a-2", WHO, 0, 2, "simulator-1"), {AVAILABLE: PENDING, RETRY_PENDING: PENDING}),
    (ACCEPTED, dict.fromkeys((PENDING, RETRY_PENDING, CandidateStatus.ABANDONED), OBSERVED)),
    (AttemptFailed("a-1", WHO, "simulator-1", "crashed", "", permanent=False), {PENDING: RETRY_PENDING}),
    (EXPIRED, {PENDING: RETRY_PENDING}),
    (ABANDONED, {RETRY_PENDING: CandidateStatus.ABANDONED}),
    (CandidateRequeued(WHO, "a is there again"), {CandidateStatus.ABANDONED: RETRY_PENDING}),
    (EXCLUDED, dict.fromkeys((AVAILABLE, PENDING, RETRY_PENDING), CandidateStatus.EXCLUDED)),
    (
        ObservationAdded(WHO, 0.5, "m-2"),
        dict.fromkeys((AVAILABLE, PENDING, RETRY_PENDING, CandidateStatus.ABANDONED), OBSERVED),
    ),
]
"""Written out here once more: a change of the table is a change of the journal's meaning."""

CASES = [(event, allowed, before) for event, allowed in MOVES for before in CandidateStatus]


def play(**changes: object) -> Play:
    return Play(POOL, small_plan(POOL, **changes))


@pytest.mark.parametrize(
    ("event", "allowed", "before"), CASES, ids=[f"{type(e).__name__}-{b.name}" for e, _, b in CASES]
)
def test_a_candidate_moves_along_the_table_and_nowhere_else(
    event: Event, allowed: dict[CandidateStatus, CandidateStatus], before: CandidateStatus
) -> None:
    campaign = play()
    campaign.fold(*WAY_TO[before])
    assert campaign.campaign.status_of(WHO) is before
    if before in allowed:
        if before is AVAILABLE and not isinstance(event, RequestIssued):  # a candidate that nobody asked for
            campaign = play()
        campaign.fold(event)
        assert campaign.campaign.status_of(WHO) is allowed[before]
    else:
        with pytest.raises(InvariantViolation, match=rf"{type(event).__name__}: 'c001' is {before.name}"):
            campaign.fold(event)


PHASE_WAYS: dict[Phase, tuple[Event, ...]] = {
    Phase.RUNNING: (),
    Phase.PAUSED: (CampaignPaused("manually", "m-1"),),
    Phase.STOPPING: (CampaignStopping("manually", "m-1"),),
    Phase.FINISHED: (CampaignFinished("over"),),
}
PHASE_MOVES: list[tuple[Event, dict[Phase, Phase]]] = [
    (CampaignStarted(small_plan(POOL)), {}),
    (CampaignPaused("manually", "m-2"), {Phase.RUNNING: Phase.PAUSED}),
    (CampaignResumed("manually", "m-2"), {Phase.PAUSED: Phase.RUNNING}),
    (CampaignStopping("manually", "m-2"), {Phase.RUNNING: Phase.STOPPING, Phase.PAUSED: Phase.STOPPING}),
    (PolicyExhausted(0, 1, 2, "random", "f" * 12, "enough"), {Phase.RUNNING: Phase.RUNNING}),
    (StopRuleFired("when_even", 0, 0.01, "even"), {Phase.RUNNING: Phase.RUNNING}),
    (CampaignFinished("over"), {Phase.RUNNING: Phase.FINISHED, Phase.STOPPING: Phase.FINISHED}),
]


@pytest.mark.parametrize(("move", "before"), list(itertools.product(PHASE_MOVES, PHASE_WAYS)))
def test_a_campaign_moves_along_the_table_and_nowhere_else(
    move: tuple[Event, dict[Phase, Phase]], before: Phase
) -> None:
    event, allowed = move
    campaign = play()
    campaign.fold(*PHASE_WAYS[before])
    if before in allowed:
        campaign.fold(event)
        assert campaign.campaign.phase is allowed[before]
    else:
        with pytest.raises(InvariantViolation, match=f"{type(event).__name__} in phase {before}"):
            campaign.fold(event)


@pytest.mark.parametrize("event", [event for event, _ in MOVES] + [DECIDED])
def test_nothing_comes_before_the_start(event: Event) -> None:
    with pytest.raises(InvariantViolation, match=f"{type(event).__name__} before CampaignStarted"):
        Campaign(POOL).apply(event)


def test_a_journal_of_another_pool_is_refused() -> None:
    with pytest.raises(InvariantViolation, match=r"the journal speaks of pool"):
        Campaign(small_pool(5)).apply(CampaignStarted(small_plan(POOL)))


def test_a_candidate_outside_of_the_pool_is_refused_by_name() -> None:
    with pytest.raises(InvariantViolation, match="CandidateExcluded: 'nobody' is not in the pool"):
        play().fold(CandidateExcluded("nobody", "", "m-1"))


def test_decisions_are_numbered_without_gaps() -> None:
    with pytest.raises(InvariantViolation, match="decision 1 follows -1"):
        play().fold(DecisionMade(1, 1, 2, "random", "f", (WHO,), (None,), ""))


def test_the_end_of_asking_takes_the_number_of_the_decision_that_was_not_made() -> None:
    with pytest.raises(InvariantViolation, match="decision 1 follows -1"):
        play().fold(PolicyExhausted(1, 1, 2, "random", "f" * 12, "enough"))


@pytest.mark.parametrize("again", [DECIDED, PolicyExhausted(0, 1, 3, "random", "f" * 12, "enough")])
def test_nothing_is_decided_after_the_end_of_asking(again: Event) -> None:
    campaign = play()
    campaign.fold(PolicyExhausted(0, 1, 2, "random", "f" * 12, "enough"))
    with pytest.raises(InvariantViolation, match=f"{type(again).__name__} after the policy had nothing more to ask"):
        campaign.fold(again)


@pytest.mark.parametrize("after", [DECIDED, PolicyExhausted(0, 1, 3, "random", "f" * 12, "enough")])
def test_nothing_is_decided_after_a_stop_rule_ended_all_asking(after: Event) -> None:
    campaign = play()
    campaign.fold(StopRuleFired("when_even", 0, 0.01, "even"))
    with pytest.raises(InvariantViolation, match=f"{type(after).__name__} after a stop rule ended all asking"):
        campaign.fold(after)


def test_a_stop_rule_fires_once_and_may_leave_the_rest_to_another_policy() -> None:
    campaign = play()
    campaign.fold(StopRuleFired("when_even", 0, 0.01, "even", "coverage"), DECIDED)
    assert (campaign.campaign.rest_policy, campaign.campaign.is_stopped_by_rule) == ("coverage", False)
    with pytest.raises(InvariantViolation, match=r"stop rule when_no_gain fires, and .*when_even"):
        campaign.fold(StopRuleFired("when_no_gain", 1, 0.01, "no gain"))


def test_what_was_found_of_the_mean_gap_is_counted() -> None:
    campaign = play()
    campaign.fold(GapStalled(40, 0.3, 0, 0.3, 0, 0.01), BecameEven(50, 0.01, 0.05))
    assert campaign.campaign.findings == 2


def test_a_decision_beyond_the_budget_is_refused() -> None:
    with pytest.raises(InvariantViolation, match="2 requested of a budget of 1"):
        play(budget=1).fold(DecisionMade(0, 1, 2, "random", "f", ("c001", "c002"), (None, None), ""))


def test_an_attempt_id_is_used_once() -> None:
    campaign = play()
    campaign.fold(DECIDED, ISSUED, EXPIRED)
    with pytest.raises(InvariantViolation, match="a-1 is used twice"):
        campaign.fold(RequestIssued("a-1", WHO, 0, 2, "simulator-1"))


def test_a_campaign_does_not_finish_with_candidates_open() -> None:
    campaign = play()
    campaign.fold(DECIDED, ISSUED)
    with pytest.raises(InvariantViolation, match="finished with 1 candidates open"):
        campaign.fold(CampaignFinished("over"))


@pytest.mark.parametrize(
    "closing", [ACCEPTED, EXCLUDED, ObservationAdded(WHO, 0.5, "m-2")], ids=lambda event: type(event).__name__
)
def test_a_closed_candidate_awaits_nothing_and_its_unit_is_spent(closing: Event) -> None:
    campaign = play()
    campaign.fold(DECIDED, ISSUED, EXPIRED, RequestIssued("a-2", WHO, 0, 2, "simulator-1"), closing)
    state = campaign.campaign
    assert (state.in_flight, state.retry_pending, state.open_decisions, state.open_count) == ({}, {}, {}, 0)
    assert (state.spent, state.requested, state.retries) == (1, 1, 1)
    assert not any(attempt.in_flight for attempt in state.attempts.values())


def test_a_late_result_marks_its_attempt_and_changes_no_status() -> None:
    campaign = play()
    campaign.fold(DECIDED, ISSUED, EXPIRED, ABANDONED)
    campaign.fold(LateResultKept("a-1", WHO, "simulator-1", (), "0 values of 'formation_energy'", "m-1", refused=True))
    assert campaign.campaign.status_of(WHO) is CandidateStatus.ABANDONED
    assert campaign.campaign.attempts["a-1"].results == (ResultSeen("m-1", "", ReceiptStatus.REFUSED),)
    assert campaign.campaign.observations == 0
