"""The recorded campaigns of the library are decided today as they were then.

A test that fails here says that a decision changed. If that is meant, record the golden again
(`python -m tests.support.goldens NAME`) and say in DECISIONS.md why.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from protocols.recording.lines import HEARD, sealed
from protocols.recording.reader import check_recording, read_header
from scenarios.settings.library import RECORDED, library_scenarios
from tests.support.goldens import GOLDENS, PINNED, pinned_environment

pytestmark = pytest.mark.system

NAMES = sorted(path.name.removesuffix(RECORDED) for path in GOLDENS.glob(f"*{RECORDED}"))

each_golden = pytest.mark.parametrize("name", NAMES)


def golden(name: str) -> Path:
    return GOLDENS / f"{name}{RECORDED}"


def entropilot(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "entropilot", *arguments]
    return subprocess.run(
        command, check=False, cwd=cwd, env=pinned_environment(), capture_output=True, text=True, timeout=240
    )


def test_every_scenario_of_the_library_has_a_golden_recording() -> None:
    assert set(NAMES) == set(library_scenarios())


@each_golden
def test_a_golden_is_sound_and_names_no_place_of_the_machine_that_made_it(name: str) -> None:
    check = check_recording(golden(name))
    assert (check.problem, check.note) == ("", "")
    assert check.messages > 100
    header = read_header(golden(name))
    assert header.scenario is not None
    path = header.scenario["pool"]["path"]
    assert path is None or path.startswith("library:")
    assert b"/home/" not in gzip.decompress(golden(name).read_bytes())


FEWEST = 10
"""Decisions that a golden has at least; those of `synthetic_scm` are of ten candidates each."""


@each_golden
def test_every_decision_of_a_golden_comes_out_again(name: str, tmp_path: Path) -> None:
    ended = entropilot("replay", str(golden(name)), "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    assert told["all_identical"]
    assert told["decisions"] == told["identical"] >= FEWEST
    assert told["not_asked"] == 0
    assert not list(tmp_path.iterdir()), "a replay writes nothing"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "emt_alloys"])  # the longest, with no trouble in it
def test_every_decision_comes_out_of_what_a_recorder_beside_the_agent_would_have_heard(
    name: str, tmp_path: Path
) -> None:
    write_heard(golden(name), tmp_path / "heard.jsonl")
    ended = entropilot("replay", "heard.jsonl", "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    assert told["decisions"] == told["identical"] >= FEWEST


def test_a_recorder_that_came_in_the_middle_is_told_apart_from_a_changed_decision(tmp_path: Path) -> None:
    write_heard(golden("oracle_table"), tmp_path / "late.jsonl", without=60)
    ended = entropilot("replay", "late.jsonl", cwd=tmp_path)
    assert ended.returncode == 5
    assert "what was decided before was not heard" in ended.stderr
    assert "before the agent" in ended.stderr


def write_heard(path: Path, heard: Path, *, without: int = 0) -> None:
    """Write the messages of a recording without the agent's notes, and without the first messages."""
    first, *rows = map(json.loads, gzip.decompress(path.read_bytes()).decode().splitlines()[:-1])
    rows = [row for row in rows if "dir" in row][without:]
    messages = [row | {"n": number, "dir": HEARD} for number, row in enumerate(rows, 1)]
    digest = ""
    with heard.open("w", encoding="utf-8") as file:
        for content in (first, *messages):
            del content["digest"]
            line, digest = sealed(digest, content)
            file.write(f"{line}\n")


def test_a_golden_brings_its_arithmetic_along(tmp_path: Path) -> None:
    assert read_header(golden("oracle_table")).arithmetic == PINNED
    plain = {name: value for name, value in os.environ.items() if name not in PINNED}
    command = [sys.executable, "-m", "entropilot", "replay", str(golden("oracle_table")), "--quiet"]
    assert subprocess.run(command, check=False, cwd=tmp_path, env=plain, timeout=240).returncode == 0


@pytest.mark.parametrize("name", ["oracle_table"])
def test_what_if_nothing_were_changed_the_recording_answers_everything_and_the_bias_goes_the_same_way(
    name: str, tmp_path: Path
) -> None:
    ended = entropilot("what-if", str(golden(name)), "--seed", "0", "--json", "--out", "out", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["unknown"], told["filled"], told["coverage"], told["changed"]) == (0, 0, 1.0, {})
    assert told["recorded"]["after"] == pytest.approx(told["counterfactual"]["after"])
    assert told["shared"] == told["known"] == told["recorded"]["asked"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "what-if.png", "what-if.json", "recorded.csv", "counterfactual.csv",
    }  # fmt: skip


def test_what_if_another_policy_had_asked_the_unknown_is_counted_and_a_simulator_can_fill_in(tmp_path: Path) -> None:
    arguments = ("what-if", str(golden("oracle_table")), "--policy", "random", "--json")
    plain = json.loads(entropilot(*arguments, cwd=tmp_path).stdout)
    assert plain["known"] + plain["unknown"] == plain["counterfactual"]["asked"] == 80
    assert 0 < plain["known"] < 80
    assert plain["counterfactual"]["results"] == plain["known"], "nothing is guessed"
    filled = json.loads(entropilot(*arguments, "--fill", "simulator", cwd=tmp_path).stdout)
    assert (filled["unknown"], filled["counterfactual"]["results"]) == (0, 80)
    assert filled["filled"] > 0
    first, second = (tmp_path / "runs" / f"what-if-oracle_table-random{end}" / "what-if.json" for end in ("", "-2"))
    assert [json.loads(path.read_text()) for path in (first, second)] == [plain, filled]
    again = entropilot(*arguments, "--out", str(first.parent), cwd=tmp_path)
    assert again.returncode == 5
    assert "holds what-if.png, recorded.csv, counterfactual.csv, what-if.json already" in again.stderr


@pytest.mark.parametrize("command", ["replay", "what-if"])
def test_a_campaign_that_is_not_the_recordings_is_refused(command: str, tmp_path: Path) -> None:
    refused = entropilot(command, str(golden("oracle_table")), "--campaign", "nope", cwd=tmp_path)
    assert refused.returncode == 5
    assert "The recording is not of campaign 'nope'" in refused.stderr
    assert "the campaign that its first line names, 'oracle_table'" in refused.stderr
    assert entropilot("replay", str(golden("oracle_table")), "--campaign", "oracle_table", cwd=tmp_path).returncode == 0


def test_a_recording_without_a_request_is_said_to_hold_none(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(gzip.decompress(golden("oracle_table").read_bytes()).splitlines(True)[0])
    refused = entropilot("replay", "empty.jsonl", cwd=tmp_path)
    assert refused.returncode == 5
    assert "The recording holds no requests at all" in refused.stderr
    assert "--campaign" not in refused.stderr


def test_what_if_and_diff_say_that_a_recording_was_cut_off(tmp_path: Path) -> None:
    content = golden("oracle_table").read_bytes()
    (tmp_path / "cut.jsonl.gz").write_bytes(content[: len(content) // 2])
    played = entropilot("what-if", "cut.jsonl.gz", "--policy", "random", "--json", "--out", "out", cwd=tmp_path)
    assert played.returncode == 0, played.stderr
    assert "torn" in json.loads(played.stdout)["note"]
    assert "note: " in played.stderr
    compared = entropilot("diff", "cut.jsonl.gz", str(golden("oracle_table")), cwd=tmp_path)
    assert compared.returncode == 1
    assert "note: cut.jsonl.gz: " in compared.stderr


def test_a_scenario_of_another_property_than_the_recorded_one_is_refused(tmp_path: Path) -> None:
    content = library_scenarios()["oracle_table"].read_text(encoding="utf-8")
    for recorded, other in (
        ('property = "formation_energy_per_atom"\nunit = "eV/atom"', 'property = "volume_per_atom"\nunit = "Å^3"'),
        ('[pool.columns.additional_properties]\nvolume_per_atom = "Å^3"\n', ""),
        ('path = "emt_sample.csv"', f'path = "{GOLDENS.parent / "emt_sample.csv"}"'),
    ):
        assert recorded in content
        content = content.replace(recorded, other)
    (tmp_path / "other.toml").write_text(content, encoding="utf-8")
    ended = entropilot(
        "what-if", str(golden("oracle_table")), "--scenario", "other.toml", "--policy", "random", cwd=tmp_path
    )
    assert ended.returncode == 2
    assert "campaign.property is 'formation_energy_per_atom' in the recording and 'volume_per_atom' now" in ended.stderr


def test_a_golden_differs_from_itself_in_nothing_and_from_another_in_words(tmp_path: Path) -> None:
    one, other = str(golden("oracle_table")), str(golden("four_instruments"))
    same = entropilot("diff", one, one, "--json", cwd=tmp_path)
    assert (same.returncode, json.loads(same.stdout)["same"]) == (0, True)
    differing = entropilot("diff", one, other, "--runs", "pictures", cwd=tmp_path)
    assert differing.returncode == 1
    assert "budget" in differing.stdout
    assert (tmp_path / "pictures" / "diff-oracle_table-four_instruments.png").stat().st_size > 10_000


def test_the_picture_of_a_diff_overwrites_none_of_its_inputs(tmp_path: Path) -> None:
    content = golden("oracle_table").read_bytes()
    (tmp_path / "mine.jsonl.gz").write_bytes(content)
    refused = entropilot("diff", "mine.jsonl.gz", "mine.jsonl.gz", "--out", "mine.jsonl.gz", cwd=tmp_path)
    assert refused.returncode == 2
    assert "expected: a file that ends in .png" in refused.stderr
    assert (tmp_path / "mine.jsonl.gz").read_bytes() == content
