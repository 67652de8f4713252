"""Whether a table is still read as the journal says is a note beside the parts of a run, and never a fault of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.campaign.events import CampaignStarted
from agent.run_files import RECORDING
from protocols.recording.writer import RecordingWriter
from protocols.tables.account import Account
from scenarios.settings.stored import recorded_settings
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.verify.part import CheckedPart
from scenarios.verify.reading_check import check_reading
from scenarios.verify.whole_pool import WholePool
from scenarios.world.world import World, build_world
from tests.support.campaigns import small_plan

SCENARIO = """
name = "gaps"
[pool]
path = "table.csv"
[pool.columns]
id = "id"
family = "kind"
features = ["f"]
property = "y"
unit = "eV"
on_missing = "drop"
[campaign]
budget = 3
policy = "random"
"""
ROWS = [f"MP {place}/α,{'ab'[place % 2]},{place},{place * 5 % 12}" for place in range(12)]


def read(folder: Path, *additional: str) -> World:
    """The world of a table with additional rows, which lies in a run folder beside a recording of it."""
    (folder / "table.csv").write_text("\n".join(["id,kind,f,y", *ROWS, *additional]) + "\n", encoding="utf-8")
    (folder / "gaps.toml").write_text(SCENARIO)
    scenario = load_scenario(str(folder / "gaps.toml"), Overrides(), {}).settings
    world = build_world(scenario)
    header = {"campaign": "demo", "pool_digest": world.pool.digest, "scenario": recorded_settings(scenario)}
    (folder / RECORDING).unlink(missing_ok=True)
    RecordingWriter(folder / RECORDING, {**header, "versions": {}}).close()
    return world


def checked(folder: Path, world: World, reading: Account, whole: WholePool | None = None) -> CheckedPart | None:
    started = CampaignStarted(small_plan(world.pool), {}, reading)
    return check_reading(folder, started, whole or WholePool())


def test_a_table_that_is_read_as_then_is_sound(tmp_path: Path) -> None:
    world = read(tmp_path, "MP 12/α,a,1,", "MP 13/α,b,2,")
    assert [entry.count for entry in world.account] == [2]
    assert checked(tmp_path, world, world.account) == CheckedPart("reading", 1)


def test_another_reading_of_the_same_pool_is_told(tmp_path: Path) -> None:
    then = read(tmp_path, "MP 12/α,a,1,")
    today = read(tmp_path, "MP 12/α,a,1,", "MP 13/α,b,2,")
    assert today.pool.digest == then.pool.digest
    part = checked(tmp_path, then, then.account)
    assert part is not None
    assert (part.problem, part.rows) == ("", 1)
    assert part.note == f"the table is read otherwise today. then: {then.account[0]} today: {today.account[0]}"


def test_a_table_that_cannot_be_read_again_is_told(tmp_path: Path) -> None:
    world = read(tmp_path, "MP 12/α,a,1,")
    (tmp_path / "table.csv").unlink()
    part = checked(tmp_path, world, world.account)
    assert part is not None
    assert part.problem == ""
    assert part.note.startswith("the table was not read again: ")


def test_a_pool_that_was_made_again_already_is_not_made_twice(tmp_path: Path) -> None:
    world = read(tmp_path, "MP 12/α,a,1,")
    (tmp_path / "table.csv").unlink()
    whole = WholePool(world.pool, reading=world.account)
    assert checked(tmp_path, world, world.account, whole) == CheckedPart("reading", 1)
    part = checked(tmp_path, world, (), whole)
    assert part is not None
    assert part.note == f"the table is read otherwise today. today: {world.account[0]}"


@pytest.mark.parametrize("whole", [WholePool(), WholePool(reading=())])
def test_of_a_table_that_was_taken_as_it_stands_there_is_nothing_to_say(tmp_path: Path, whole: WholePool) -> None:
    assert checked(tmp_path, read(tmp_path), (), whole) is None
