"""Scenarios are found by name or path, and settings are layered: file, further file, environment, --set, flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError
from scenarios.settings.library import library_scenarios
from scenarios.sources.scenario import Overrides, load_scenario, require_no_place

MINE = """
name = "mine"
[pool]
source = "table"
path = "mine.csv"
[pool.columns]
family = "system"
property = "gap"
unit = "eV"
features = ["x"]
[campaign]
budget = 10
policy = "etal"
[campaign.policy_options]
patience = 7
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    (tmp_path / "mine.csv").write_text("system,gap,x\na,1.0,2.0\n")
    return str(path)


@pytest.mark.parametrize("name", sorted(library_scenarios()))
def test_every_scenario_of_the_library_loads_and_says_what_it_is_for(name: str) -> None:
    scenario = load_scenario(name, Overrides(), {}).settings
    assert scenario.name == name
    assert scenario.about


def test_a_range_that_a_table_gives_to_the_campaign_is_told_once_and_with_its_line(mine: str) -> None:
    path = Path(mine)
    path.write_text(path.read_text().replace('unit = "eV"', 'unit = "eV"\nvalid_range = [50, -5]'))
    with pytest.raises(
        SettingsError, match=r"^pool\.columns\.valid_range is \[50, -5\] \(from .*, line 10\)"
    ) as caught:
        load_scenario(mine, Overrides(), {})
    assert "campaign" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ('campaign.parallel = "4"', "a whole number"),
        ("campaign.max_attempts = true", "a whole number"),
        ('campaign.request_timeout_s = "4"', "a number"),
        ("campaign.valid_range = [0, true]", "a number"),
        ('start.threshold = "4"', "a number"),
    ],
)
def test_a_file_says_types_and_one_that_is_another_than_the_settings_is_told(
    mine: str, tmp_path: Path, wrong: str, expected: str
) -> None:
    over = tmp_path / "over.toml"
    over.write_text("\n\n" + wrong)
    key = wrong.partition(" ")[0]
    with pytest.raises(SettingsError, match=rf"^{key}\S* is .* \(from .*over\.toml, line 3\).*Expected: {expected}"):
        load_scenario(mine, Overrides(file=over), {})
    name, _, value = wrong.partition(" = ")
    if "[" not in value:
        variable = "ENTROPILOT_" + name.replace(".", "__").upper()
        load_scenario(mine, Overrides(assignments=[f"{name}=4"]), {})
        assert load_scenario(mine, Overrides(), {variable: "1"}).source_of[name] == variable


def test_whole_numbers_lists_and_names_are_taken_from_a_file_where_they_stand_for_what_is_wanted(
    mine: str, tmp_path: Path
) -> None:
    over = tmp_path / "over.toml"
    over.write_text('campaign = {request_timeout_s = 4, valid_range = [0, 4], ordering = "as_completed"}')
    campaign = load_scenario(mine, Overrides(file=over), {}).settings.campaign
    assert (campaign.request_timeout_s, campaign.valid_range, campaign.ordering) == (4.0, (0.0, 4.0), "as_completed")


def test_a_mistake_in_a_scenario_file_is_told_with_its_line_and_the_name_that_was_meant(mine: str) -> None:
    path = Path(mine)
    path.write_text(
        path.read_text()
        + """
[simulator]
evaluator = "tabel"
calculator = "enm"
noise = { standard_deviation = 0.1, sede = 1 }

[[operator]]
at = 1
action = "stopp"

[[operator]]
acton = "stop"
action = "stop"
"""
    )
    lines = path.read_text().splitlines()

    def line(text: str) -> int:
        return next(number for number, each in enumerate(lines, start=1) if each.startswith(text))

    with pytest.raises(SettingsError) as caught:
        load_scenario(mine, Overrides(assignments=("campaign.policy=etol", "campaign.estimator=m_spacin")), {})
    said = str(caught.value)
    for expected in (
        f"no setting simulator.noise.sede (from {mine}, line {line('noise')}); use simulator.noise.seed",
        f'simulator.evaluator is "tabel" (from {mine}, line {line("evaluator")})',
        "did you mean 'table'?",
        f'simulator.calculator is "enm" (from {mine}, line {line("calculator")})',
        "did you mean 'emt'?",
        f'operator.0.action is "stopp" (from {mine}, line {line("action")})',
        "did you mean 'stop'?",
        f"no setting operator.1.acton (from {mine}, line {line('acton')}); use operator.1.action",
        f"operator.1.at is not set (in {mine}, line {line('acton') - 1}); write it there",
        "campaign.policy is \"etol\" (from --set campaign.policy); expected one of 'causal', 'causal_reference',",
        "did you mean 'etal'?",
        "did you mean 'm_spacing'?",
    ):
        assert expected in said


def test_later_layers_win_and_every_value_keeps_its_source(mine: str, tmp_path: Path) -> None:
    further = tmp_path / "further.toml"
    further.write_text("[campaign]\nbudget = 11\nparallel = 2\nseed = 1\n")
    overrides = Overrides({"seed": 4, "budget": None}, ("campaign.max_attempts=5",), further)
    resolved = load_scenario(mine, overrides, {"ENTROPILOT_CAMPAIGN__PARALLEL": "3"})
    campaign = resolved.settings.campaign
    assert (campaign.budget, campaign.parallel, campaign.max_attempts, campaign.seed) == (11, 3, 5, 4)
    assert resolved.source_of["campaign.budget"] == f"{further}, line 2"
    assert resolved.source_of["campaign.parallel"] == "ENTROPILOT_CAMPAIGN__PARALLEL"
    assert "--set" in resolved.source_of["campaign.max_attempts"]
    assert resolved.source_of["campaign.seed"] == "--seed"
    assert resolved.source_of["campaign.batch"] == "default"


def test_another_policy_leaves_the_options_of_the_first_behind(mine: str) -> None:
    same = load_scenario(mine, Overrides({"policy": "etal"}), {}).settings
    other = load_scenario(mine, Overrides({"policy": "random"}), {}).settings
    assert dict(same.campaign.policy_options) == {"patience": 7}
    assert dict(other.campaign.policy_options) == {}


def test_a_table_says_its_property_and_unit_once_and_plays_the_lab_too(mine: str, tmp_path: Path) -> None:
    scenario = load_scenario(mine, Overrides(), {}).settings
    assert (scenario.campaign.property, scenario.campaign.unit) == ("gap", "eV")
    assert scenario.simulator.evaluator == "table"
    assert scenario.simulator.table is not None
    assert scenario.simulator.table.path == scenario.pool.path == str(tmp_path / "mine.csv")


def test_a_campaign_cannot_want_another_property_than_its_table_has(mine: str) -> None:
    with pytest.raises(SettingsError, match="the table gives 'gap'"):
        load_scenario(mine, Overrides({}, ("campaign.property='energy'",)), {})


def test_variables_of_ours_that_are_no_settings_are_left_alone(mine: str) -> None:
    environ = {"ENTROPILOT_RUNS": "elsewhere"}
    assert load_scenario(mine, Overrides(), environ).settings.name == "mine"


@pytest.mark.parametrize("reserved", ["any", "agent"])
def test_a_simulator_cannot_take_an_id_that_means_something_else(mine: str, reserved: str) -> None:
    with pytest.raises(SettingsError, match="reserved"):
        load_scenario(mine, Overrides({"id": reserved}), {})


@pytest.mark.parametrize("section", ["simulator", "simulators"])
@pytest.mark.parametrize("name", ["executor", "cache"])
def test_a_stranger_says_neither_where_evaluations_run_nor_where_they_are_kept(section: str, name: str) -> None:
    said = {name: "dask://far.example:8786"}
    values = {section: said if section == "simulator" else {"oven": said}}
    with pytest.raises(SettingsError, match=rf"The pack x.zip sets simulator\.{name}.*have it packed without"):
        require_no_place(values, "The pack x.zip")


def test_a_stranger_may_say_the_rest() -> None:
    require_no_place({"simulator": {"executor": "", "cache": "", "concurrency": 3}, "simulators": {"oven": {}}}, "x")
    require_no_place({"simulators": 3}, "x")
