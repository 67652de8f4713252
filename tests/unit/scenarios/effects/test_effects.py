"""Effects at the end of a campaign: folded from its journal, beside the truth where it is known."""

from __future__ import annotations

import math

import pytest

from agent.acquisition.registry import declared_metrics, make_meter
from agent.campaign.context import pool_arrays
from agent.campaign.events import CampaignStarted, Event, MeasuredQuantity, ResultAccepted, StartSetLoaded
from agent.campaign.plan import AdditionalProperty, CampaignPlan
from agent.metrics import Effect, EffectMeter
from protocols.settings.user_code import INSTALLED
from scenarios.effects.effects import Effects, effects_of
from scenarios.effects.truth import AgainstTruth
from scenarios.world.structural_bed import make_structural_bed
from simulators.structural_model import StructuralModelSettings
from tests.support.campaigns import small_plan

SETTINGS = StructuralModelSettings(
    variables=("a", "b", "y"), target="y", edges=(("a", "b", 2.0), ("b", "y", -1.5)), repeats=20
)
POOL, VALUES = make_structural_bed(SETTINGS)
TRUTH = {"a": -3.0, "b": -3.2}
TOLD = Effects((Effect("a", -3.1, 0.2), Effect("b", -2.0, 0.5)), "D", TRUTH, {0: AgainstTruth(0.5, 1.0)})


def plan(policy: str) -> CampaignPlan:
    other = (AdditionalProperty(name, "", (-1e6, 1e6), 1.0, 1.0, 0.1) for name in ("a", "b"))
    options = {"width": 0.0} if policy == "causal" else {}
    named = {"policy": policy, "policy_options": options, "property_name": "y"}
    made = small_plan(POOL, **named, additional_properties=tuple(other))
    return made.model_copy(update={"metrics": declared_metrics(policy, options, "", pool_arrays(POOL))})


def start(number: int) -> StartSetLoaded:
    ids = POOL.candidate_ids[:number]
    rows = tuple((float(VALUES["a"][i]), float(VALUES["b"][i])) for i in range(number))
    return StartSetLoaded(ids, tuple(float(VALUES["y"][i]) for i in range(number)), rows)


def test_a_campaign_whose_policy_is_after_no_effects_tells_none() -> None:
    chosen = plan("random")
    assert effects_of([CampaignStarted(chosen), start(5)], POOL, TRUTH, INSTALLED) is None


def test_effects_are_those_of_the_policy_s_meter_and_errors_are_after_every_observation() -> None:
    chosen = plan("causal")
    told = effects_of([CampaignStarted(chosen), start(40)], POOL, TRUTH, INSTALLED)
    meter = make_meter("causal", {"width": 0.0}, pool_arrays(POOL), ("y", "a", "b"))
    assert isinstance(meter, EffectMeter)
    for index in range(40):
        meter.add(index, *(float(VALUES[name][index]) for name in ("y", "a", "b")))
    assert told is not None
    assert told.effects == meter.effects()
    off = [effect.mean - TRUTH[effect.name] for effect in told.effects]
    held = sum(abs(x) <= effect.half_width for x, effect in zip(off, told.effects, strict=True)) / len(off)
    error = math.sqrt(sum(x * x for x in off) / len(off))
    assert told.against_truth == {0: AgainstTruth(told.against_truth[0].error, held)}
    assert told.against_truth[0].error == pytest.approx(error, rel=1e-12)


def accepted(number: int) -> ResultAccepted:
    shown = tuple(MeasuredQuantity(name, float(VALUES[name][number]), "") for name in ("y", "a", "b"))
    return ResultAccepted(f"attempt-{number}", POOL.candidate_ids[number], "lab", shown[0].value, shown, 0.1)


def test_effects_are_held_against_the_truth_after_every_observation_or_after_the_first_and_the_last_alone() -> None:
    chosen = plan("causal")
    events: list[Event] = [CampaignStarted(chosen), start(10), *(accepted(number) for number in range(10, 14))]
    whole = effects_of(events, POOL, TRUTH, INSTALLED)
    ends = effects_of(events, POOL, TRUTH, INSTALLED, at_ends_only=True)
    assert whole is not None
    assert ends is not None
    assert list(whole.against_truth) == [0, 1, 2, 3, 4]
    assert ends.against_truth == {at: whole.against_truth[at] for at in (0, 4)}
    assert ends.effects == whole.effects


def test_a_journal_without_a_beginning_tells_no_effects() -> None:
    assert effects_of([start(5)], POOL, TRUTH, INSTALLED) is None
    assert effects_of([], POOL, TRUTH, INSTALLED) is None


def test_without_a_truth_there_is_no_error() -> None:
    chosen = plan("causal")
    told = effects_of([CampaignStarted(chosen), start(10)], POOL, {}, INSTALLED)
    assert told is not None
    assert (told.against_truth, told.truth) == ({}, {})
    assert all("truth" not in line for line in told.in_words())


def test_each_effect_is_said_with_its_interval_and_whether_it_holds_the_truth() -> None:
    assert TOLD.in_words() == ["a: −3.1 ± 0.2 D (truth −3)", "b: −2 ± 0.5 D (truth −3.2, outside)"]
