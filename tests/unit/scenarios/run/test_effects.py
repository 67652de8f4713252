"""Effects at the end of a campaign: folded from its journal, beside the truth where it is known."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from agent.acquisition.registry import declared_metrics, make_meter
from agent.campaign.context import pool_arrays
from agent.campaign.events import CampaignStarted, StartSetLoaded
from agent.campaign.plan import AdditionalProperty, CampaignPlan
from agent.metrics import Effect, EffectMeter
from protocols.settings.user_code import INSTALLED
from scenarios.run.effects import Effects, draw_effects, effects_of, write_effects
from scenarios.world.structural_bed import make_structural_bed
from simulators.structural_model import StructuralModelSettings
from tests.support.campaigns import small_plan

SETTINGS = StructuralModelSettings(
    variables=("a", "b", "y"), target="y", edges=(("a", "b", 2.0), ("b", "y", -1.5)), repeats=20
)
POOL, VALUES = make_structural_bed(SETTINGS)
TRUTH = {"a": -3.0, "b": -3.2}
TOLD = Effects((Effect("a", -3.1, 0.2), Effect("b", -2.0, 0.5)), "D", TRUTH, (0.5, 0.4))


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
    assert effects_of([CampaignStarted(chosen), start(5)], chosen, POOL, TRUTH, INSTALLED) is None


def test_effects_are_those_of_the_policy_s_meter_and_errors_are_after_every_observation() -> None:
    chosen = plan("causal")
    told = effects_of([CampaignStarted(chosen), start(40)], chosen, POOL, TRUTH, INSTALLED)
    meter = make_meter("causal", {"width": 0.0}, pool_arrays(POOL), ("y", "a", "b"))
    assert isinstance(meter, EffectMeter)
    for index in range(40):
        meter.add(index, *(float(VALUES[name][index]) for name in ("y", "a", "b")))
    assert told is not None
    assert told.effects == meter.effects()
    off = [effect.mean - TRUTH[effect.name] for effect in told.effects]
    assert told.errors == (pytest.approx(math.sqrt(sum(x * x for x in off) / len(off))),)


def test_without_a_truth_there_is_no_error() -> None:
    chosen = plan("causal")
    told = effects_of([CampaignStarted(chosen), start(10)], chosen, POOL, {}, INSTALLED)
    assert told is not None
    assert (told.errors, told.truth) == ((), {})
    assert all("truth" not in line for line in told.in_words())


def test_each_effect_is_said_with_its_interval_and_whether_it_holds_the_truth() -> None:
    assert TOLD.in_words() == ["a: −3.1 ± 0.2 D (truth −3)", "b: −2 ± 0.5 D (truth −3.2, outside)"]


def test_the_file_has_the_ends_of_every_interval_and_the_truth_where_it_is_known(tmp_path: Path) -> None:
    write_effects(tmp_path / "effects.csv", Effects(TOLD.effects, "D", {"a": -3.0}, ()))
    with (tmp_path / "effects.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert [float(first[name]) for name in ("mean", "low", "high", "truth")] == pytest.approx([-3.1, -3.3, -2.9, -3.0])
    assert second["truth"] == ""


def test_the_picture_is_written_whole(tmp_path: Path) -> None:
    draw_effects(tmp_path / "effects.png", TOLD, title="a campaign")
    assert (tmp_path / "effects.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["effects.png"]
