"""A recorder overwrites nothing, and listens to what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError, StoreError
from scenarios.record import filters_for, require_new


def test_who_finds_the_recording_is_told_of_the_part_beside_it_too(tmp_path: Path) -> None:
    path, part = tmp_path / "heard.jsonl.gz", tmp_path / "heard.jsonl.gz.part"
    require_new(path)
    path.touch()
    with pytest.raises(StoreError) as alone:
        require_new(path)
    assert str(part) not in alone.value.found
    part.touch()
    with pytest.raises(StoreError) as both:
        require_new(path)
    assert f"{path} is there already" in both.value.found
    assert str(part) in both.value.found
    assert "verify" in both.value.action


def test_a_campaign_or_topics_are_recorded_and_never_one_of_them_unasked() -> None:
    assert filters_for((), None) == ("entropilot/v1/#",)
    assert filters_for((), "a") == ("entropilot/v1/a/#",)
    assert filters_for(("lab/#", "x"), None) == ("lab/#", "x")
    with pytest.raises(SettingsError) as caught:
        filters_for(("#",), "a")
    assert "--campaign a" in caught.value.found
    assert "--topic 'entropilot/v1/a/#'" in caught.value.action
