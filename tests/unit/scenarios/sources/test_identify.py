"""A name means one thing to a command; what means another is told with its kind, what means nothing with what there is.

Nothing is opened that would wait.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from agent.run_files import DATABASE, RECORDING
from protocols.errors import EntropilotError, SettingsError, StoreError, TableError
from protocols.recording.writer import RecordingWriter
from scenarios.settings.library import library_recordings, library_scenarios
from scenarios.sources.identify import identify
from scenarios.sources.kinds import Meaning, PackPath, RecordingPath, RunPath, ScenarioPath, TablePath
from tests.support.samples.packs import small_pack

ALL: tuple[type[Meaning], ...] = (RunPath, RecordingPath, ScenarioPath, PackPath, TablePath)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one thing of every kind."""
    monkeypatch.chdir(tmp_path)
    small_pack(tmp_path)  # with its table.csv
    (tmp_path / "lab.toml").write_text('name = "lab"\n', encoding="utf-8")
    with closing(RecordingWriter(tmp_path / "heard", {"campaign": "", "pool_digest": "", "started_at": ""})):
        pass
    for name, file in (("lab", DATABASE), ("lab-2", RECORDING), ("lab-shadow", "shadow.json")):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / file).touch()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes.txt").write_text("words", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    return Path("runs")


def refused(name: str, runs: Path, *wanted: type[Meaning]) -> EntropilotError:
    with pytest.raises(EntropilotError) as caught:
        identify(name, runs, *wanted)
    assert caught.value.expected
    assert caught.value.action
    return caught.value


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("lab", RunPath, "runs/lab"),
        ("lab-2", RunPath, "runs/lab-2"),
        ("lab-shadow", RunPath, "runs/lab-shadow"),
        ("runs/lab", RunPath, "runs/lab"),
        ("heard", RecordingPath, "heard"),
        ("runs/lab-2/recording.jsonl", RecordingPath, "runs/lab-2/recording.jsonl"),
        ("flaky_network", ScenarioPath, str(library_scenarios()["flaky_network"])),
        ("lab.toml", ScenarioPath, "lab.toml"),
        ("small.pack", PackPath, "small.pack"),
        ("table.csv", TablePath, "table.csv"),
    ],
)
def test_a_name_means_what_it_names(name: str, kind: type[Meaning], path: str, runs: Path) -> None:
    assert identify(name, runs, *ALL) == kind(name, Path(path))


def test_a_command_gets_the_meaning_that_it_takes(runs: Path) -> None:
    (runs / "oracle_table").mkdir()
    (runs / "oracle_table" / DATABASE).touch()
    scenario, recording = library_scenarios()["oracle_table"], library_recordings()["oracle_table"]
    assert identify("oracle_table", runs, ScenarioPath, PackPath).path == scenario
    assert identify("oracle_table", runs, RecordingPath).path == recording
    assert identify("oracle_table", runs, RecordingPath, RunPath).path == runs / "oracle_table"
    assert identify("oracle_table", Path("nowhere"), RunPath, RecordingPath, ScenarioPath).path == scenario


def test_a_folder_or_a_file_of_another_kind_hides_no_scenario_of_the_same_name(runs: Path) -> None:
    Path("emt_alloys").mkdir()
    assert identify("emt_alloys", runs, RunPath, ScenarioPath).path == library_scenarios()["emt_alloys"]


def test_what_another_command_takes_is_told_with_its_kind_and_that_command(runs: Path) -> None:
    for name, wanted, words in (
        (
            "small.pack",
            (RunPath,),
            ("'small.pack' is a pack, not a run", "run it first, with `entropilot run small.pack`"),
        ),
        ("lab.toml", (RecordingPath, RunPath), ("'lab.toml' is a scenario, not a recording or run", "run it first")),
        (
            "heard",
            (ScenarioPath, PackPath),
            ("'heard' is a recording, not a scenario or pack", "entropilot replay heard"),
        ),
        ("lab", (ScenarioPath, PackPath), ("'lab' is a run, not a scenario or pack", "entropilot report lab")),
        ("table.csv", (RunPath,), ("'table.csv' is a table, not a run", "entropilot trim table.csv")),
        ("oracle_table", (RunPath,), ("'oracle_table' is a scenario and a recording, not a run",)),
        ("notes", (ScenarioPath,), ("'notes' is a folder that holds no run, not a scenario",)),
        ("notes.txt", (ScenarioPath,), ("'notes.txt' is a file of no kind that Entropilot knows",)),
        ("pipe", ALL, ("'pipe' is a pipe, a device or a dangling link",)),
    ):
        said = str(refused(name, runs, *wanted))
        for each in words:
            assert each in said


def test_what_means_nothing_is_told_with_what_was_tried_and_what_there_is(runs: Path) -> None:
    nothing = refused("oracle_tabel", runs, ScenarioPath, PackPath)
    assert (
        "no scenario or pack 'oracle_tabel': no file or folder of this name, no run runs/oracle_tabel" in nothing.found
    )
    assert "emt_alloys, " in nothing.expected
    assert nothing.action == "did you mean 'oracle_table'?"
    run = refused("lap", runs, RunPath)
    assert "one of: lab, lab-2, lab-shadow" in run.expected
    assert run.action == "did you mean 'lab'?"
    assert "there are none yet" in refused("lab", Path("nowhere"), RunPath).expected
    assert refused("labb.toml", runs, ScenarioPath).action == "did you mean 'lab.toml'?"
    assert "entropilot list" in refused("qqq", runs, RunPath).action


@pytest.mark.parametrize("name", ["", "x" * 5000, "a\0b", "absent/deep/x.toml"])
def test_a_name_that_no_file_can_have_is_refused_as_any_other(name: str, runs: Path) -> None:
    assert refused(name, runs, *ALL).found


def test_the_error_is_that_of_the_kind_that_a_command_takes_first(runs: Path) -> None:
    for kind, error in ((ScenarioPath, SettingsError), (RunPath, StoreError), (TablePath, TableError)):
        assert type(refused("nothing", runs, kind, PackPath)) is error


def test_the_list_of_known_names_is_bounded(runs: Path) -> None:
    for number in range(40):
        (runs / f"r{number:02d}").mkdir()
        (runs / f"r{number:02d}" / DATABASE).touch()
    assert refused("nothing", runs, RunPath).expected.count("r0") == 7  # after the three that are there


def test_a_damaged_recording_under_any_name_is_left_to_its_reader(runs: Path) -> None:
    Path("damaged.jsonl").write_text("{", encoding="utf-8")
    assert identify("damaged.jsonl", runs, ScenarioPath, RecordingPath) == RecordingPath(
        "damaged.jsonl", Path("damaged.jsonl")
    )
    assert identify("notes.txt", runs, RunPath, RecordingPath) == RecordingPath("notes.txt", Path("notes.txt"))


def test_a_file_whose_ending_others_have_too_and_a_folder_are_tables_where_one_is_wanted(runs: Path) -> None:
    for name in ("notes", "notes.txt", "t.jsonl", "t.json.gz", "t.db", "t.tsv.zst", "t.xlsx"):
        if not Path(name).exists():
            Path(name).write_text("{}", encoding="utf-8")
        assert identify(name, runs, TablePath, ScenarioPath).path == Path(name)
    Path("heard").rename("heard.jsonl")
    assert "is a recording, not a table" in refused("heard.jsonl", runs, TablePath).found
    assert "is a run, not a table" in refused("lab-2", runs, TablePath).found
    assert "is a file of no kind" in refused("notes.txt", runs, ScenarioPath).found
    assert identify("t.jsonl", runs, RecordingPath) == RecordingPath("t.jsonl", Path("t.jsonl"))


def test_a_table_is_called_by_its_name_without_the_ending_of_any_kind() -> None:
    for name in ("a.b.csv", "a.b.csv.gz", "a.b.TSV.xz", "a.b.jsonl.zst", "a.b.feather", "a.b"):
        assert TablePath(name, Path(name)).stem == "a.b"
