"""Effects as they were believed then: of what the decision knew and no more; and what its choice was to bring."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.acquisition.registry import make_meter
from agent.campaign.events import CampaignStarted, DecisionMade
from agent.campaign.ledger import Ledger
from agent.metrics import EffectMeter
from agent.store.partial_pool import partial_pool
from protocols.settings.user_code import CodeSource
from scenarios.why.believed_effects import effects_at_decision
from scenarios.why.explanation import EffectsAtDecision
from tests.support.samples.causal_decisions import benzene_world, causal_journal, causal_plan
from tests.support.samples.decided import decided_journal, decided_plan, smooth_pool

WORLD = benzene_world()
POOL = WORLD.pool
PLAN = causal_plan(POOL)
JOURNAL = causal_journal(WORLD, PLAN)
DECISIONS = [event for event in JOURNAL if isinstance(event, DecisionMade)]


def told(made: DecisionMade) -> tuple[EffectsAtDecision, Ledger]:
    ledger = Ledger.of_journal(POOL, JOURNAL[: made.based_on])
    believed = effects_at_decision(ledger, made, None)
    assert believed is not None
    return believed, ledger


def meter_of(ledger: Ledger) -> EffectMeter:
    meter = make_meter(PLAN.policy, PLAN.policy_options, ledger.pool, PLAN.property_names)
    assert isinstance(meter, EffectMeter)
    context = ledger.context()
    for index, value in zip(context.observed.tolist(), context.values.tolist(), strict=True):
        meter.add(index, value)
    return meter


@pytest.mark.parametrize("made", DECISIONS, ids=lambda made: str(made.decision))
def test_they_are_those_of_the_values_that_the_decision_knew(made: DecisionMade) -> None:
    believed, ledger = told(made)
    effects = meter_of(ledger).effects()
    assert [(each.name, each.mean, each.half_width) for each in believed.effects] == [
        (each.name, each.mean, each.half_width) for each in effects
    ]
    assert believed.mean_half_width == pytest.approx(np.mean([each.half_width for each in effects]))
    assert believed.threshold == 5.0


@pytest.mark.parametrize("made", DECISIONS, ids=lambda made: str(made.decision))
def test_what_was_in_flight_and_chosen_was_to_narrow_them_whatever_it_turned_out_to_be(made: DecisionMade) -> None:
    believed, ledger = told(made)
    meter, pending = meter_of(ledger), ledger.context().pending.tolist()
    chosen = [POOL.index_of[which] for which in made.candidate_ids]
    after = meter.effects([*pending, *chosen])
    assert [each.expected_half_width for each in believed.effects] == [each.half_width for each in after]
    assert [each.mean for each in believed.effects] == [each.mean for each in after]
    assert all(each.expected_half_width <= each.half_width for each in believed.effects)
    assert believed.expected < believed.with_in_flight <= believed.mean_half_width
    assert (believed.with_in_flight == believed.mean_half_width) == (not pending)


def test_the_runner_up_is_held_against_the_last_choice() -> None:
    made = DECISIONS[0]
    believed, ledger = told(made)
    assert made.runner_up is not None
    first, runner_up = (POOL.index_of[which] for which in (made.candidate_ids[0], made.runner_up))
    rivals = meter_of(ledger).effects([first, runner_up])
    assert believed.expected_with_runner_up == pytest.approx(np.mean([each.half_width for each in rivals]))
    alone, _ = told(replace(made, runner_up=None))
    assert alone.expected_with_runner_up is None


def test_what_the_policy_expected_of_its_first_choice_comes_out_here_too() -> None:
    """Nearly: a meter learns its variances from one value after the other, the policy from the start set at once."""
    made = DECISIONS[0]
    one = replace(made, candidate_ids=made.candidate_ids[:1], scores=made.scores[:1])
    believed, _ = told(one)
    assert believed.mean_half_width == pytest.approx(made.details["mean_half_width"], rel=0.01)
    assert believed.expected == pytest.approx(made.details["expected_half_width"], rel=0.01)


def test_code_of_the_users_own_that_is_gone_tells_nothing(tmp_path: Path) -> None:
    made = DECISIONS[0]
    started, *rest = JOURNAL[: made.based_on]
    assert isinstance(started, CampaignStarted)
    named = started.plan.model_copy(update={"policy": "gone.py:Mine"})
    ledger = Ledger.of_journal(POOL, [replace(started, plan=named), *rest])
    assert effects_at_decision(ledger, made, CodeSource(str(tmp_path))) is None


def test_without_the_pool_or_effects_nothing_is_told() -> None:
    made = DECISIONS[0]
    touched = partial_pool(JOURNAL, {each.candidate_id: each.family for each in POOL.candidates}, POOL.families, {})
    assert effects_at_decision(Ledger.of_journal(touched, JOURNAL[: made.based_on]), made, None) is None
    pool = smooth_pool()
    journal = decided_journal(pool, decided_plan(pool))
    other = next(event for event in journal if isinstance(event, DecisionMade))
    assert effects_at_decision(Ledger.of_journal(pool, journal[: other.based_on]), other, None) is None
