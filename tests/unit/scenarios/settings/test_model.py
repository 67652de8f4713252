"""The settings of the evaluation: what is no model, no fraction or named twice is refused once, in plain words."""

from __future__ import annotations

import pytest

from protocols.errors import SettingsError
from protocols.settings.reference import every_setting
from scenarios.settings.model import EvaluationSettings, Scenario
from scenarios.settings.models import MODEL_NAMES
from scenarios.sources.scenario import Overrides, load_scenario


def refused(assignment: str) -> str:
    with pytest.raises(SettingsError) as error:
        load_scenario("oracle_table", Overrides(assignments=(assignment,)), {})
    return str(error.value)


def test_an_unknown_model_is_refused_with_those_that_there_are() -> None:
    text = refused('evaluation.models=["forest"]')
    assert text.startswith('evaluation.models.0 is "forest"'), "one clear error"
    assert all(f"'{name}'" in text for name in MODEL_NAMES)


@pytest.mark.parametrize("fraction", ["0", "1", "-0.5", "1.5", "nan"])
def test_a_test_fraction_that_is_no_part_is_refused(fraction: str) -> None:
    assert "evaluation.test_fraction" in refused(f"evaluation.test_fraction={fraction}")


def test_what_is_named_twice_or_not_at_all_is_refused() -> None:
    assert "models names one twice: ridge, ridge" in refused('evaluation.models=["ridge","ridge"]')
    assert "targets names one twice: a, a" in refused('evaluation.targets=["a","a"]')
    assert "models is empty; expected one of random_forest" in refused("evaluation.models=[]")
    assert "evaluation.every" in refused("evaluation.every=0")
    assert "evaluation.tests" in refused("evaluation.tests=1")


def test_without_an_evaluation_of_its_own_a_scenario_has_the_default() -> None:
    assert load_scenario("emt_alloys", Overrides(), {}).settings.evaluation == EvaluationSettings()


def test_every_setting_says_what_it_means_in_a_sentence_and_every_time_has_its_unit() -> None:
    settings = list(every_setting(Scenario))
    assert {"campaign.budget", "simulators.NAME.latency.mean_s", "operator.NAME.at"} <= {each.name for each in settings}
    for each in settings:
        assert each.meaning.endswith("."), each.name
        assert each.unit == "s" or not each.name.endswith("_s"), each.name
