"""What a recording or a pack keeps of the settings, and what is said of one that this version does not know."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from protocols.errors import EntropilotError, StoreError
from protocols.recording.writer import RecordingWriter
from scenarios.sources.recording import recorded_scenario
from scenarios.verify.verify import verify
from tests.support.samples.packs import entry, sealed_zip
from tests.support.table_run import table_scenario


def test_verify_of_a_shadows_folder_points_to_its_recording(tmp_path: Path) -> None:
    (tmp_path / "shadow.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StoreError, match=r"the folder of a shadow.*entropilot verify .*recording\.jsonl"):
        verify(str(tmp_path), tmp_path, None, lambda *_: None)


def test_verify_of_a_newer_pack_advises_a_newer_entropilot(tmp_path: Path) -> None:
    (tmp_path / "new.pack").write_bytes(sealed_zip([entry("manifest.json", b'{"entropilot_pack": 3}')]))
    (part,) = verify(str(tmp_path / "new.pack"), tmp_path, None, lambda *_: None)
    assert "it is of version 3" in part.problem
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
