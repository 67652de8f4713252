from __future__ import annotations

import pytest

from agent.store.tables import SCHEMA_VERSION
from scenarios.export.reading import RunRecord
from scenarios.export.run_tables import described_of, run_tables
from scenarios.export.table import Table
from tests.support.strangers.strange_campaign import FAMILIES, FIRST


def named(tables: tuple[Table, ...], name: str) -> Table:
    return next(each for each in tables if each.name == name)


def test_every_row_has_a_cell_for_each_column_and_keys_name_one_row(tables: tuple[Table, ...]) -> None:
    assert [each.name for each in tables] == ["dataset", "trajectory", "decisions", "attempts", "journal"]
    for table in tables:
        assert table.rows, table.name
        assert {len(row) for row in table.rows} == {len(table.columns)}
        places = [table.headings.index(each) for each in table.key]
        keys = [tuple(row[place] for place in places) for row in table.rows]
        assert len(set(keys)) == len(keys)
        assert all(each.description for each in table.columns)


def test_the_dataset_says_value_uncertainty_unit_instrument_and_time(tables: tuple[Table, ...]) -> None:
    rows = list(named(tables, "dataset").trees())
    assert len(rows) == 12 + 4
    told = [each for each in rows if each["measured_by"] != "start set"]
    assert {each["measured_by"] for each in told} == {"python"}
    assert {each["uncertainty"] for each in told} == {0.05}
    assert {each["unit"] for each in rows} == {"eV"}
    assert {each["family"] for each in rows} == set(FAMILIES)
    assert all(str(each["when"]).startswith("20") for each in rows)
    assert FIRST in {each["id"] for each in rows}
    assert named(tables, "dataset").columns[2].unit == "eV"


def test_the_trajectory_starts_with_the_start_set_and_has_the_last_observation(tables: tuple[Table, ...]) -> None:
    rows = list(named(tables, "trajectory").trees())
    assert sorted({int(str(each["observation"])) for each in rows}) == [0, 1, 2, 3, 4]
    assert len(rows) == 5 * len(FAMILIES)
    assert sum(int(str(each["size"])) for each in rows if each["observation"] == 4) == 16


def test_the_journal_is_whole_and_reads_as_sentences(run: RunRecord, tables: tuple[Table, ...]) -> None:
    rows = list(named(tables, "journal").trees())
    assert [each["sequence"] for each in rows] == list(range(1, len(run.events) + 1))
    assert rows[0]["kind"] == "CampaignStarted"
    assert "campaign strange starts" in str(rows[0]["words"])
    assert rows[-1]["digest"] == run.journal[-1].digest
    assert SCHEMA_VERSION == 3, "the tables below are read by name: look whether they still say what is exported"


def test_features_of_a_pool_stand_last_and_one_that_is_called_as_a_column_gets_a_word(run: RunRecord) -> None:
    from scenarios.python.scenario import Scenario
    from scenarios.world.world import build_world
    from tests.support.strangers.strange_campaign import strange_frame

    frame, _ = strange_frame()
    scenario = Scenario.of_table(
        frame, property="energy", family="family", unit="eV", features=["x", "value"], name="strange"
    )
    pool = build_world(scenario.settings).pool
    assert pool.digest == run.plan.pool_digest
    dataset = run_tables(run, described_of(run, pool))[0]
    assert dataset.headings[-2:] == ("x", "feature.value")
    row = next(each for each in dataset.trees() if each["id"] == FIRST)
    assert row["x"] == pytest.approx(frame["x"].iloc[0])
    assert row["feature.value"] == pytest.approx(frame["value"].iloc[0])
