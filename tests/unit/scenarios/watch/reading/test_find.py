"""Run folders are found and told as cards, whatever lies in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.run_files import LOCK, RECORDING
from protocols.errors import StoreError
from scenarios.sources.run_folder import SHADOW_SUMMARY
from scenarios.watch.reading.find import card_of_run, find_run, find_runs, open_run
from tests.support.large_runs import growing, write_run
from tests.support.runs.watched_runs import random_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    random_run(tmp_path / "runs" / "whole", 1)
    (tmp_path / "runs" / "shadow").mkdir()
    (tmp_path / "runs" / "shadow" / SHADOW_SUMMARY).write_text(json.dumps({"campaign": "lab"}))
    (tmp_path / "runs" / "half-made").mkdir()
    (tmp_path / "runs" / "half-made" / RECORDING).write_text("")
    (tmp_path / "runs" / "no run").mkdir()
    return tmp_path / "runs"


def test_every_run_folder_is_found_and_told(runs: Path) -> None:
    cards = {ref.key: card_of_run(ref) for ref in find_runs(runs)}
    assert sorted(cards) == ["half-made", "shadow", "whole"]
    assert (cards["whole"].problem, cards["whole"].policy) == ("", "random")
    assert cards["shadow"].kind == "shadow"
    assert "does not say how a shadow began" in cards["shadow"].problem
    assert (cards["half-made"].phase, cards["half-made"].kind) == ("unreadable", "run")
    assert "has no campaign.db yet" in cards["half-made"].problem


def test_a_folder_without_runs_has_none(tmp_path: Path) -> None:
    assert find_runs(tmp_path) == find_runs(tmp_path / "nowhere") == []


def test_a_run_is_found_by_its_name_and_by_its_folder(runs: Path) -> None:
    assert find_run("whole", runs) == find_run(str(runs / "whole"), runs)
    with pytest.raises(StoreError):
        find_run("nobody", runs)
    with pytest.raises(StoreError, match="a shadow, which only listens"):
        open_run(runs / "shadow")


def test_a_card_says_whether_the_agent_is_there(tmp_path: Path) -> None:
    run = write_run(tmp_path / "large", 20, ends=False)
    source = open_run(tmp_path / "large")
    assert source.card().phase == source.moment().phase == "interrupted"
    with growing(run):
        assert source.card().phase == source.moment().phase == "running"
    assert (tmp_path / "large" / LOCK).is_file()
    source.close()


def test_a_sparkline_begins_with_the_start_set_and_ends_with_the_latest(tmp_path: Path) -> None:
    write_run(tmp_path / "large", 150)
    source = open_run(tmp_path / "large")
    card = source.card()
    assert (card.phase, card.observation, card.spent) == ("finished", 150, 150)
    assert len(card.sparkline) == 60
    assert (card.sparkline[0], card.sparkline[-1]) == (card.mean_gap_start, card.mean_gap)
    source.close()
