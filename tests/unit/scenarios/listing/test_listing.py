"""What there is, is listed with what it is for, and a damaged file among it is told and keeps nothing else away."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from protocols.recording.lines import sealed
from protocols.recording.seal import compress_recording
from protocols.tables.account import AccountEntry, Handling
from scenarios.listing.listing import listing, listing_json, reading_table
from scenarios.listing.recordings import UNFINISHED, list_recordings
from scenarios.settings import library as library_module
from scenarios.sources.recording import find_recording
from tests.support.samples.packs import small_content


def run_folder(runs: Path, name: str) -> Path:
    """A run that was killed before it wrote a summary."""
    folder = runs / name
    folder.mkdir(parents=True)
    small_content(folder, messages=2)
    return folder


def shown(runs: Path, width: int = 200) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(listing(runs))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of its own, with one recording."""
    folder = tmp_path / "library"
    (folder / "recordings").mkdir(parents=True)
    (tmp_path / "made").mkdir()
    content = small_content(tmp_path / "made", messages=2)
    assert content.recording is not None
    compress_recording(content.recording, folder / "recordings" / "calm_lab.jsonl.gz")
    monkeypatch.setattr(library_module, "LIBRARY", folder)
    return folder


def test_a_run_is_listed_with_scenario_policy_and_how_it_stands(tmp_path: Path) -> None:
    run_folder(tmp_path, "mine")
    listed = [each for each in list_recordings(tmp_path) if each.kind == "run"]
    assert [(each.name, each.campaign, each.scenario, each.policy) for each in listed] == [
        ("mine", "small", "killed", "gap_gain")
    ]
    assert listed[0].status == UNFINISHED
    assert UNFINISHED in shown(tmp_path)


def test_a_name_that_one_must_type_is_never_cut(tmp_path: Path) -> None:
    names = ("operator_intervenes-2", "late_and_contradictory-12", "n" * 64)
    for name in names:
        run_folder(tmp_path, name)
    assert "…" not in shown(tmp_path, 80) + shown(tmp_path, 40)
    (tmp_path / names[-1]).rename(tmp_path / "short")
    assert all(name in shown(tmp_path, 80) for name in (*names[:2], "late_and_contradictory"))


def test_a_recording_of_the_library_is_listed_and_found_by_its_name(tmp_path: Path, library: Path) -> None:
    (listed,) = list_recordings(tmp_path / "runs")
    assert (listed.name, listed.kind, listed.scenario) == ("calm_lab", "library", "killed")
    assert find_recording("calm_lab", tmp_path / "runs") == library / "recordings" / "calm_lab.jsonl.gz"
    assert "calm_lab" in shown(tmp_path / "runs")


def test_what_is_no_recording_is_told_and_the_others_are_listed(tmp_path: Path) -> None:
    run_folder(tmp_path, "sound")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "recording.jsonl").write_bytes(b"\0\1\2")
    (run_folder(tmp_path, "half") / "summary.json").write_text("{")
    for name, member in (("nonsense", {"versions": ["abc"]}), ("no text", {"campaign": "\ud800"})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recording.jsonl").write_text(sealed("", {"entropilot_recording": 3, **member})[0] + "\n")
    status = {each.name: each.status for each in list_recordings(tmp_path) if each.kind == "run"}
    assert status.keys() == {"sound", "broken", "half", "nonsense", "no text"}
    assert all("line 1" in status[name] for name in ("broken", "nonsense", "no text"))
    assert listing_json(tmp_path).encode()
    assert "summary.json" in status["half"]


def test_json_has_scenarios_and_recordings_and_no_folder_is_no_fault(tmp_path: Path) -> None:
    told = json.loads(listing_json(tmp_path / "nothing"))
    assert set(told) == {"scenarios", "recordings", "plug_ins"}
    assert "emt_alloys" in told["scenarios"]
    run_folder(tmp_path / "runs", "mine")
    (mine,) = [each for each in json.loads(listing_json(tmp_path / "runs"))["recordings"] if each["kind"] == "run"]
    assert set(mine) == {
        "name", "kind", "campaign", "scenario", "policy", "started_at", "status", "about", "path",
    }  # fmt: skip


def test_a_recording_of_a_listed_scenario_says_which_and_how_it_is_replayed(tmp_path: Path) -> None:
    assert "Scenario emt_alloys as it went once, by gap_gain: entropilot replay emt_alloys" in shown(tmp_path)


def test_what_was_read_is_told_with_its_count_and_first_places() -> None:
    reading = (
        AccountEntry(
            handling=Handling.DROPPED, reason="column 'y': no number", count=1234, places=("line 3", "line 5")
        ),
        AccountEntry(handling=Handling.FOLDED, reason="column 'k': 'Cubic' is 'cubic'", count=2),
    )
    console = Console(file=StringIO(), width=100)
    console.print(reading_table(reading))
    assert isinstance(console.file, StringIO)
    assert [line.strip() for line in console.file.getvalue().splitlines() if line.strip()] == [
        "What was read",
        "1,234  dropped  column 'y': no number (line 3, line 5, …)",
        "2  folded   column 'k': 'Cubic' is 'cubic'",
    ]
