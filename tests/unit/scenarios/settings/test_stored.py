"""Whoever gives a command something else than it takes is told what that is, and which command takes it."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from protocols.errors import EntropilotError, SettingsError, StoreError
from protocols.recording.writer import RecordingWriter
from scenarios.sources.recording import recorded_scenario
from scenarios.sources.scenario import find_scenario
from scenarios.verify.verify import verified
from tests.support.samples.packs import entry, sealed_zip
from tests.support.table_run import table_scenario


def test_what_is_no_scenario_is_named_with_the_command_that_takes_it(tmp_path: Path) -> None:
    with closing(RecordingWriter(tmp_path / "r.jsonl", {"campaign": "", "pool_digest": "", "started_at": ""})):
        pass
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").write_text("words", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    for name, words in {
        "r.jsonl": r"is no scenario but a recording.*entropilot replay",
        "folder": r"is no scenario but a folder.*entropilot report",
        "pipe": r"is no scenario but a pipe",
        "text.txt": r"is no scenario but a file that is none",
    }.items():
        with pytest.raises(SettingsError, match=words):
            find_scenario(str(tmp_path / name))
    with pytest.raises(SettingsError, match="There is no scenario"):
        find_scenario(str(tmp_path / "nothing"))


def test_verify_of_a_shadows_folder_points_to_its_recording(tmp_path: Path) -> None:
    (tmp_path / "shadow.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StoreError, match=r"the folder of a shadow.*entropilot verify .*recording\.jsonl"):
        verified(str(tmp_path), tmp_path, None, lambda *_: None)


def test_verify_of_a_newer_pack_advises_a_newer_entropilot(tmp_path: Path) -> None:
    (tmp_path / "new.pack").write_bytes(sealed_zip([entry("manifest.json", b'{"entropilot_pack": 2}')]))
    (part,) = verified(str(tmp_path / "new.pack"), tmp_path, None, lambda *_: None)
    assert "it is of version 2" in part.problem
    assert part.action == "use a newer Entropilot"


def test_a_wrong_key_in_the_scenario_of_a_recording_is_told_as_in_any_settings(tmp_path: Path) -> None:
    settings = table_scenario(tmp_path / "run").model_dump(mode="json", exclude={"broker"})
    settings["campaign"]["budgett"] = 3
    header = {"campaign": "", "pool_digest": "", "started_at": "", "versions": {}, "scenario": settings}
    with closing(RecordingWriter(tmp_path / "r.jsonl", header)):
        pass
    with pytest.raises(EntropilotError) as told:
        recorded_scenario(tmp_path / "r.jsonl")
    assert "There is no setting campaign.budgett" in told.value.found
    assert "campaign.budget, the nearest setting" in told.value.expected
    assert "--scenario" in told.value.action
