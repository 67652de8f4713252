"""What a person names is found in the folder of the file that names it; what a recording or a pack names is refused."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.acquisition.registry import make_policy
from protocols.errors import SettingsError
from protocols.recording.writer import RecordingWriter
from protocols.settings.user_code import INSTALLED, CodeSource
from scenarios.settings.model import Scenario
from scenarios.settings.stored import recorded_settings
from scenarios.sources.code_sources import Namer, allowing_code, place_of
from scenarios.sources.recording import recorded_scenario
from scenarios.sources.scenario import Overrides, layered_over, load_scenario
from simulators.registry import make_evaluator
from tests.support.commands import LAB_TOML
from tests.support.table_run import write_table

OWN = """
class Policy:
    runs_inline = True
    def propose(self, context, count):
        return None

class Lab:
    def evaluate(self, request):
        return ()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario that names code beside it; the current folder is another one."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for each in (home, elsewhere):
        each.mkdir()
    write_table(home / "table.csv")
    (home / "own.py").write_text(OWN)
    monkeypatch.chdir(elsewhere)
    # What is loaded from a folder puts it on the path; no test finds what lies in that of another.
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    return home


def scenario_of(folder: Path, policy: str = "random", evaluator: str = "table") -> str:
    text = LAB_TOML.replace('policy = "random"', f'policy = "{policy}"')
    (folder / "lab.toml").write_text(text.replace("[simulator]", f'[simulator]\nevaluator = "{evaluator}"'))
    return str(folder / "lab.toml")


def load(name: str, **flags: Any) -> Scenario:
    return load_scenario(name, Overrides(flags), {}).settings


def make_both(scenario: Scenario) -> tuple[str, str]:
    campaign = scenario.campaign
    policy = make_policy(campaign.policy, campaign.policy_options, campaign.code)
    return type(policy).__name__, type(make_evaluator(scenario.simulator)).__name__


@pytest.mark.parametrize("own", ["own.py", "own"])
def test_policy_and_evaluator_are_found_beside_the_scenario_by_one_rule(folder: Path, own: str) -> None:
    scenario = load(scenario_of(folder, f"{own}:Policy", f"{own}:Lab"))
    assert make_both(scenario) == ("Policy", "Lab")
    assert scenario.campaign.policy == f"{own}:Policy"
    assert "code" not in json.dumps(scenario.model_dump(mode="json"))


def test_a_settings_file_names_code_beside_itself(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "over").mkdir()
    (tmp_path / "over" / "mine.py").write_text(OWN)
    (tmp_path / "over" / "over.toml").write_text('[campaign]\npolicy = "mine.py:Policy"\n')
    name = scenario_of(folder, "own.py:Policy", "own.py:Lab")
    scenario = load_scenario(name, Overrides(file=tmp_path / "over" / "over.toml"), {}).settings
    assert scenario.campaign.code == CodeSource(str(tmp_path / "over"))
    assert make_both(scenario) == ("Policy", "Lab")


def test_a_path_on_the_command_line_is_relative_to_the_current_folder(folder: Path) -> None:
    name = scenario_of(folder)
    with pytest.raises(SettingsError, match="There is no file"):
        make_both(load(name, policy="own.py:Policy"))
    scenario = load(name, policy="../home/own.py:Policy")
    assert (scenario.campaign.policy, scenario.campaign.code) == ("own.py:Policy", CodeSource(str(folder)))


def test_a_module_on_the_command_line_is_an_installed_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = scenario_of(folder)
    monkeypatch.chdir(folder)
    scenario = load(name, policy="own:Policy")
    assert scenario.campaign.code == INSTALLED
    with pytest.raises(SettingsError, match=r"there is no 'own' that is installed.*write own\.py:Policy"):
        make_policy(scenario.campaign.policy, {}, scenario.campaign.code)


@pytest.mark.parametrize(
    ("written", "kept", "found_in"),
    [
        ("own.py:P", "own.py:P", "now"),
        ("deep/own.py:P", "deep/own.py:P", "now"),
        ("../own.py:P", "own.py:P", ""),
        ("../home/deep/own.py:P", "deep/own.py:P", "home"),
        ("{root}/home/own.py:P", "own.py:P", "home"),
        ("{root}/other/own.py:P", "own.py:P", "other"),
    ],
)
def test_no_name_that_is_kept_tells_a_place_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, kept: str, found_in: str
) -> None:
    (tmp_path / "now").mkdir()
    monkeypatch.chdir(tmp_path / "now")
    name, code = place_of(written.format(root=tmp_path), Namer.person({}), tmp_path / "home")
    assert (name, code) == (kept, CodeSource(str(tmp_path / found_in)))


def recording_of(folder: Path, policy: str, evaluator: str) -> Path:
    return write_recording(folder, load(scenario_of(folder, policy, evaluator)))


def write_recording(folder: Path, scenario: Scenario) -> Path:
    path = folder / "recording.jsonl"
    header = {"campaign": "lab", "pool_digest": "", "started_at": "", "scenario": recorded_settings(scenario)}
    with closing(RecordingWriter(path, header)):
        return path


@pytest.mark.parametrize("own", ["own.py", "own", "json"])
def test_what_a_recording_names_is_never_loaded_without_a_persons_word(folder: Path, own: str) -> None:
    scenario = recorded_scenario(recording_of(folder, f"{own}:Policy", f"{own}:Lab"))
    for make in (lambda: make_policy(scenario.campaign.policy, {}, scenario.campaign.code),
                 lambda: make_evaluator(scenario.simulator)):  # fmt: skip
        with pytest.raises(SettingsError, match=r"The recording recording\.jsonl names the .*--allow-code FOLDER"):
            make()


@pytest.mark.parametrize("own", ["own.py", "own", "json"])
def test_metrics_of_code_that_a_recording_names_are_not_had_without_a_persons_word(folder: Path, own: str) -> None:
    plain = load(scenario_of(folder, "random", "table"))
    metered = plain.campaign.model_copy(update={"metrics_of": f"{own}:Policy"})
    scenario = recorded_scenario(write_recording(folder, plain.model_copy(update={"campaign": metered})))
    name, options = scenario.campaign.metered_by
    with pytest.raises(SettingsError, match=r"The recording recording\.jsonl names the .*--allow-code FOLDER"):
        make_policy(name, options, scenario.campaign.code)


def test_what_a_recording_names_is_found_in_the_folder_that_a_person_allows(folder: Path) -> None:
    path = recording_of(folder, "own.py:Policy", "own:Lab")
    with allowing_code(folder):
        assert make_both(recorded_scenario(path)) == ("Policy", "Lab")
    with pytest.raises(SettingsError, match="names the policy"):
        make_both(recorded_scenario(path))


def test_other_settings_over_a_recording_allow_what_the_command_line_names_and_nothing_else(folder: Path) -> None:
    recorded = recorded_scenario(recording_of(folder, "own.py:Policy", "own.py:Lab"))
    budget = layered_over(recorded, "recording", Overrides({"budget": 3}))
    assert (budget.campaign.code.named_by, budget.simulator.code.named_by) == ("The recording recording.jsonl",) * 2
    policy = layered_over(recorded, "recording", Overrides({"policy": "../home/own.py:Policy"}))
    assert policy.campaign.code == CodeSource(str(folder))
    assert policy.simulator.code.named_by


def test_an_instrument_keeps_the_place_of_the_evaluator_that_all_share(folder: Path) -> None:
    name = scenario_of(folder, evaluator="own.py:Lab")
    with Path(name).open("a") as file:
        file.write("\n[simulators.one]\n[simulators.two]\nconcurrency = 2\n")
    scenario = load(name)
    assert {each.code for each in scenario.instruments} == {CodeSource(str(folder))}
    assert all(each.code.named_by for each in recorded_scenario(write_recording(folder, scenario)).instruments)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(SettingsError, match=r"--allow-code names .*, which is no folder"),
        allowing_code(tmp_path / "x"),
    ):
        pass
