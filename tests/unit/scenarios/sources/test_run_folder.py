"""Which folder a command means: a new run never touches an old one, a resumed one is the latest."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.run_files import DATABASE
from protocols.errors import SettingsError, StoreError
from scenarios.sources.run_folder import choose_campaign, run_names, summary_of_shadow


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def begun(runs: Path, *names: str) -> None:
    for name in names:
        (runs / name).mkdir(parents=True)
        (runs / name / DATABASE).touch()


def test_the_first_run_takes_the_name_of_the_scenario(runs: Path) -> None:
    assert choose_campaign(runs, "alloys", None, resume=False) == "alloys"


def test_further_runs_are_numbered_from_two(runs: Path) -> None:
    begun(runs, "alloys")
    assert choose_campaign(runs, "alloys", None, resume=False) == "alloys-2"
    begun(runs, "alloys-2", "alloys-3")
    assert choose_campaign(runs, "alloys", None, resume=False) == "alloys-4"


def test_a_folder_of_another_scenario_does_not_count(runs: Path) -> None:
    begun(runs, "oxides", "alloys-9")
    assert choose_campaign(runs, "alloys", None, resume=False) == "alloys"


def test_whatever_is_in_the_way_is_not_overwritten(runs: Path) -> None:
    runs.mkdir()
    (runs / "alloys").write_text("a file")
    assert choose_campaign(runs, "alloys", None, resume=False) == "alloys-2"


def test_resume_takes_the_latest_run_of_the_scenario(runs: Path) -> None:
    begun(runs, "alloys", "alloys-2", "oxides")
    assert choose_campaign(runs, "alloys", None, resume=True) == "alloys-2"


def test_a_named_campaign_is_taken_as_it_is(runs: Path) -> None:
    begun(runs, "alloys")
    assert choose_campaign(runs, "alloys", "mine", resume=False) == "mine"
    begun(runs, "mine")
    assert choose_campaign(runs, "alloys", "mine", resume=True) == "mine"


def test_an_agent_alone_keeps_the_name_that_its_simulators_know(runs: Path) -> None:
    begun(runs, "alloys", "alloys-2")
    for resume in (False, True):
        assert choose_campaign(runs, "alloys", None, resume=resume, numbered=False) == "alloys"
        assert choose_campaign(runs, "alloys", "mine-2", resume=False, numbered=False) == "mine-2"


def test_there_is_nothing_to_resume_before_the_first_run(runs: Path) -> None:
    with pytest.raises(StoreError, match=r"no run to resume at .*alloys.*there are none yet.*without --resume"):
        choose_campaign(runs, "alloys", None, resume=True)


def test_a_name_that_is_not_there_cannot_be_resumed_and_the_known_ones_are_told(runs: Path) -> None:
    begun(runs, "alloys", "oxides")
    (runs / "notes").mkdir()
    with pytest.raises(StoreError, match=r"one of: alloys, oxides\."):
        choose_campaign(runs, "alloys", "mine", resume=True)


def test_the_list_of_known_runs_is_bounded(runs: Path) -> None:
    begun(runs, *(f"r{number:02d}" for number in range(40)))
    with pytest.raises(StoreError) as caught:
        choose_campaign(runs, "alloys", "mine", resume=True)
    assert str(caught.value).count("r0") == 10


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_without_a_database_is_no_run_to_resume(runs: Path, resume: bool) -> None:
    begun(runs, "alloys")
    (runs / "alloys-2").mkdir()
    expected = "alloys" if resume else "alloys-3"
    assert choose_campaign(runs, "alloys", None, resume=resume) == expected


def test_the_runs_below_a_folder_are_those_with_a_file_of_a_run(runs: Path) -> None:
    assert run_names(runs) == []
    begun(runs, "oxides", "alloys")
    (runs / "notes").mkdir()
    (runs / "lab-shadow").mkdir()
    (runs / "lab-shadow" / "shadow.jsonl").touch()
    assert run_names(runs) == ["alloys", "lab-shadow", "oxides"]


def test_a_shadow_has_a_summary_once_it_has_ended_and_a_run_is_no_shadow(runs: Path) -> None:
    begun(runs, "alloys")
    assert summary_of_shadow(runs / "alloys") is None
    (runs / "lab-shadow").mkdir()
    (runs / "lab-shadow" / "shadow.jsonl").touch()
    with pytest.raises(StoreError, match=r"lab-shadow is listening, or was killed.*shadow\.json.*--resume"):
        summary_of_shadow(runs / "lab-shadow")
    (runs / "lab-shadow" / "shadow.json").touch()
    assert summary_of_shadow(runs / "lab-shadow") == runs / "lab-shadow" / "shadow.json"


@pytest.mark.parametrize("numbered", [True, False])
def test_an_empty_name_as_of_a_variable_that_is_not_set_is_refused(runs: Path, numbered: bool) -> None:
    with pytest.raises(SettingsError, match="'' cannot be the name of a campaign"):
        choose_campaign(runs, "alloys", "", resume=False, numbered=numbered)
