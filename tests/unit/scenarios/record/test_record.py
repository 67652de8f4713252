"""A recorder overwrites nothing, and listens to what was asked for."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from protocols.errors import SettingsError, StoreError
from scenarios.record.record import (
    FURTHER_CAMPAIGNS,
    MAX_CHANNELS_COUNTED,
    OTHER_TOPICS,
    ListenerCounts,
    filters_for,
    require_new,
)
from scenarios.record.report import MAX_CHANNELS, record_json, record_table


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
    assert filters_for((), "a") == ("entropilot/v1/a/#", "entropilot/v1/every-campaign/capabilities/+")
    assert filters_for(("lab/#", "x"), None) == ("lab/#", "x")
    with pytest.raises(SettingsError) as caught:
        filters_for(("#",), "a")
    assert "--campaign a" in caught.value.found
    assert "--topic 'entropilot/v1/a/#'" in caught.value.action


def test_campaigns_without_end_are_counted_in_little_memory_and_shown_on_one_screen(tmp_path: Path) -> None:
    heard = ListenerCounts()
    topics = ("entropilot/v1/a/metrics", *(f"entropilot/v1/c{number}/metrics" for number in range(5_000)), "lab/x")
    for topic in (*topics, *topics):
        heard.note(topic)
    assert len(heard.by_channel) <= MAX_CHANNELS_COUNTED + 2
    assert (heard.by_channel["a: metrics"], heard.by_channel[OTHER_TOPICS]) == (2, 2)
    assert heard.by_channel[FURTHER_CAMPAIGNS] == 2 * (5_001 - MAX_CHANNELS_COUNTED)
    assert sum(heard.by_channel.values()) == heard.messages == 2 * len(topics)
    assert json.loads(record_json(heard, tmp_path))["by_channel"] == heard.by_channel
    console = Console(file=StringIO(), width=80)
    console.print(record_table(heard, tmp_path))
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert f"{len(heard.by_channel) - MAX_CHANNELS:,} more" in shown
    assert len(shown.splitlines()) < MAX_CHANNELS + 5
