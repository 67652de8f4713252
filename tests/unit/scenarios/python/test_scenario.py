"""Scenarios from Python: the same settings as from a file and the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from protocols.errors import SettingsError
from scenarios.python.scenario import Scenario, assignments_of, digest_of, settings_of


def frame(rows: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({"x": rng.normal(size=rows), "fam": ["a", "b", "c"] * (rows // 3), "y": rng.normal(size=rows)})


def test_settings_are_named_with_dots_and_may_be_nested() -> None:
    assert assignments_of({"campaign.parallel": 8, "broker": {"url": "embedded", "tls": {"x": [1, "a"]}}}) == (
        "campaign.parallel=8",
        'broker.url="embedded"',
        'broker.tls.x=[1, "a"]',
    )


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_a_value_that_no_setting_has_is_told(value: object) -> None:
    with pytest.raises(SettingsError, match=r"campaign\.seed"):
        assignments_of({"campaign.seed": value})


def test_what_is_said_lies_over_the_scenario() -> None:
    scenario = Scenario.load("emt_alloys", budget=7, policy="random", settings={"campaign.parallel": 2})
    campaign = scenario.settings.campaign
    assert (campaign.budget, campaign.policy, campaign.parallel) == (7, "random", 2)
    assert settings_of(scenario, budget=9).campaign.budget == 9
    assert settings_of(scenario) is scenario.settings


def test_an_unknown_setting_is_told() -> None:
    with pytest.raises(SettingsError, match="parallell"):
        Scenario.load("emt_alloys", settings={"campaign.parallell": 2})


def test_a_table_whose_values_are_known_plays_the_lab(tmp_path: Path) -> None:
    scenario = Scenario.of_table(frame(), property="y", family="fam", start=9, runs=tmp_path).settings
    assert (scenario.start.size, scenario.campaign.budget, scenario.simulator.evaluator) == (9, 21, "table")


def test_a_table_with_unknown_values_begins_with_those_it_knows(tmp_path: Path) -> None:
    hidden = frame()
    hidden.loc[hidden.index[5:], "y"] = np.nan
    scenario = Scenario.of_table(hidden, property="y", family="fam", runs=tmp_path).settings
    assert (scenario.start.size, scenario.campaign.budget) == (0, 25)


def test_a_table_is_named_by_its_content() -> None:
    assert digest_of(frame()) == digest_of(frame().copy())
    assert digest_of(frame()) != digest_of(frame().assign(x=0.0))
    assert digest_of(frame()) != digest_of(frame().rename(columns={"x": "z"}))
    assert digest_of(frame()) != digest_of(frame().set_axis(range(1, 31)))
