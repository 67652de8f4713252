"""The world of a run is that of its recording's scenario, and only if its pool is the campaign's."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocols.errors import SettingsError, StoreError
from protocols.settings.user_code import CodeSource
from scenarios.sources.code_sources import allowing_code
from scenarios.sources.run_world import run_again, world_of_run
from tests.support.runs.played_runs import small_system, write_run


def test_journal_scenario_and_world_are_those_of_the_run(tmp_path: Path) -> None:
    scenario, world = small_system()
    events = write_run(tmp_path, scenario, world)
    again = run_again(tmp_path)
    assert again.events == events
    assert again.scenario.pool == scenario.pool
    assert again.world.pool.digest == world.pool.digest
    assert again.world.true_effects == world.true_effects


def test_another_pool_is_told(tmp_path: Path) -> None:
    write_run(tmp_path, *small_system())
    with pytest.raises(SettingsError, match="the pool of its scenario has changed since"):
        world_of_run(tmp_path, "0" * 64)


def test_a_recording_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        world_of_run(tmp_path, "0" * 64)


def test_code_that_the_journal_names_is_not_to_be_had_without_a_persons_word(tmp_path: Path) -> None:
    write_run(tmp_path, *small_system())
    assert run_again(tmp_path).code.named_by == f"The run {tmp_path.name}"
    with allowing_code(tmp_path):
        assert run_again(tmp_path).code == CodeSource(str(tmp_path))
