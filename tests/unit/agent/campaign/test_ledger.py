"""The ledger: state and metrics of a campaign, folded together, and what follows by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.acquisition.registry import declared_metrics
from agent.campaign.context import pool_arrays
from agent.campaign.decide import Consequence, decide_result
from agent.campaign.events import CampaignStarted, RequestIssued, ResultAccepted, StartSetLoaded
from agent.campaign.ledger import Change, Ledger
from agent.campaign.life_cycle import Phase
from agent.campaign.plan import AdditionalProperty
from agent.entropy.bias import measure_bias
from agent.pool.candidates import Candidate, make_pool
from agent.pool.interventions import Interventions
from protocols.errors import InvariantViolation, MessageError, StoreError
from protocols.wire.messages import ControlAction
from tests.support.campaigns import (
    PROPERTY,
    UNIT,
    control,
    first_available,
    result_of,
    small_plan,
    small_pool,
    value_of,
)
from tests.support.samples.told import told_bed

POOL = small_pool(12)
START = ("c000", "c001", "c002")
ANOTHER = AdditionalProperty("cause", "", (-1e6, 1e6), 1.0, 1.0, 0.1)
SYSTEM = Interventions(
    (PROPERTY, "cause"),
    0,
    np.ones(12, dtype=np.int64),
    np.linspace(-2, 2, 12),
    np.random.default_rng(1).normal(size=(9, 2)),
)
"""A system of two variables, of which the candidates set the second."""


def begun(**changes: object) -> tuple[Ledger, tuple[Change, ...]]:
    ledger = Ledger(POOL)
    start = StartSetLoaded(START, tuple(map(value_of, START)))
    return ledger, ledger.take(Consequence((CampaignStarted(small_plan(POOL, **changes)), start)))


def later(_context: AcquisitionContext, _count: int) -> Proposal | None:
    """A policy that answers later."""
    return None


def test_the_start_set_is_observation_0_and_is_new_to_every_family() -> None:
    ledger, (started, loaded) = begun()
    assert (started.sequence, started.metrics) == (1, None)
    assert loaded.metrics is not None
    assert (loaded.metrics.observation, loaded.metrics.sequence, loaded.metrics.changed) == (0, 2, POOL.families)
    assert ledger.observation == 0


def test_a_result_is_the_next_observation_and_changes_its_own_family() -> None:
    ledger, _ = begun()
    ledger.settle(first_available)
    attempt = next(iter(ledger.campaign.in_flight.values()))
    (change,) = ledger.take(decide_result(ledger.campaign, result_of(attempt)))
    assert isinstance(change.event, ResultAccepted)
    assert change.metrics is not None
    family = POOL.candidates[POOL.index_of[attempt.candidate_id]].family
    assert (change.metrics.observation, change.metrics.changed) == (1, (family,))
    known = [POOL.index_of[which] for which in (*START, attempt.candidate_id)]
    values = np.array([value_of(POOL.candidate_ids[index]) for index in known])
    assert change.metrics.point == measure_bias(POOL.families, POOL.family_codes[known], values)


def test_what_the_policy_was_told_is_said_of_a_campaign_of_its_own_alone() -> None:
    bed = told_bed()
    candidates = [Candidate(each, "all") for each in bed.pool.candidate_ids]
    pool = make_pool(candidates, bed.pool.features, bed.pool.feature_names)
    named: dict[str, object] = {"policy": "causal_reference", "policy_options": bed.options(arm="best_of_three")}
    metrics = declared_metrics("causal_reference", bed.options(), "D", pool_arrays(pool))
    plans = [
        small_plan(pool, property_name="x3", metrics=metrics, **named),
        small_plan(
            pool,
            property_name="x3",
            metrics=metrics,
            metrics_of=named["policy"],
            metrics_options=named["policy_options"],
        ),
        small_plan(pool),
    ]
    said = []
    for plan in plans:
        ledger = Ledger(pool)
        ledger.fold(CampaignStarted(plan))
        said.append(ledger.account)
    assert said == ["best_of_three: no round is over yet.", "", ""]


def test_settling_decides_as_long_as_the_policy_answers_at_once() -> None:
    ledger, _ = begun(parallel=3)
    settled = ledger.settle(first_available)
    assert settled.question is None
    assert sum(isinstance(change.event, RequestIssued) for change in settled.changes) == 3
    assert [change.sequence for change in settled.changes] == list(range(3, 9))


def test_a_policy_that_chooses_what_is_not_available_is_not_asked_for_ever() -> None:
    ledger, _ = begun(policy="stubborn")

    def stubborn(context: AcquisitionContext, _count: int) -> Proposal:
        return Proposal((Choice(int(context.observed[0])),), "the first that has its value")

    with pytest.raises(InvariantViolation, match="'stubborn' proposed candidate 'c000', which was not available when"):
        ledger.settle(stubborn)


def test_a_policy_that_answers_later_is_asked_once_with_all_that_it_may_look_at() -> None:
    ledger, _ = begun()
    settled = ledger.settle(later)
    question = settled.question
    assert settled.changes == ()
    assert question is not None
    assert (question.needed.decision, question.needed.count, question.based_on) == (0, 1, 2)
    assert question.context.decision == 0
    answered = ledger.take(ledger.answer(question, first_available(question.context, 1)))
    assert [type(change.event).__name__ for change in answered] == ["DecisionMade", "RequestIssued"]
    assert ledger.question() is None


def test_a_message_of_another_campaign_is_refused_and_changes_nothing() -> None:
    ledger, _ = begun()
    stranger = control(ControlAction.PAUSE).model_copy(update={"campaign": "another"})
    with pytest.raises(MessageError, match="another"):
        ledger.decide(stranger)
    assert (ledger.campaign.phase, ledger.campaign.sequence) == (Phase.RUNNING, 2)


def test_a_journal_that_breaks_the_rules_is_refused_by_the_number_of_its_row() -> None:
    _, changes = begun()
    events = [change.event for change in changes]
    with pytest.raises(StoreError, match="Row 3 of the journal cannot follow"):
        Ledger.of_journal(POOL, [*events, ResultAccepted("x", "c005", "s1", 1.0, (), 0.0)])
    with pytest.raises(InvariantViolation, match="before CampaignStarted"):
        Ledger(POOL).fold(events[1])


def test_a_journal_of_a_version_that_declared_other_metrics_is_folded_without_them() -> None:
    pool = replace(POOL, interventions=SYSTEM)
    known = declared_metrics("causal", {}, UNIT, pool_arrays(pool))
    for metrics in (known, known[:1], (*known, replace(known[0], name="zeal"))):
        plan = small_plan(pool, policy="causal", metrics=metrics, additional_properties=(ANOTHER,))
        start = StartSetLoaded(START, tuple(map(value_of, START)), ((0.5,),) * len(START))
        ledger = Ledger.of_journal(pool, [CampaignStarted(plan), start])
        told = tuple(metric for metric, _ in ledger.point().declared)
        assert told == (known if metrics == known else ())
