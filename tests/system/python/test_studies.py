"""Studies from Python: the same figures as the commands, and data frames of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import entropilot
from protocols.errors import EntropilotError

pytestmark = pytest.mark.system


@pytest.fixture
def run(frame: pd.DataFrame, tmp_path: Path) -> entropilot.Run:
    scenario = entropilot.Scenario.of_table(
        frame, property="hardness", family="system", start=12, budget=5, runs=tmp_path
    )
    return entropilot.run(scenario, runs=tmp_path)


def test_policies_are_compared_from_the_same_starts(frame: pd.DataFrame, tmp_path: Path) -> None:
    scenario = entropilot.Scenario.of_table(
        frame, property="hardness", family="system", start=12, budget=5, runs=tmp_path
    )
    found = entropilot.compare(scenario, ["gap_gain", "random"], seeds=[3, 4])
    assert found.final.index.tolist() == [("gap_gain", 3), ("gap_gain", 4), ("random", 3), ("random", 4)]
    assert (found.final["acquired"] == 5).all()
    assert set(found.tests["other"] if "other" in found.tests else found.tests.iloc[:, 0]) is not None
    assert "gap_gain" in repr(found)
    assert found.figure()._repr_png_().startswith(b"\x89PNG")


def test_a_trimmed_frame_has_rows_of_the_frame(frame: pd.DataFrame) -> None:
    trimmed = entropilot.trim(frame, keep=0.3, family="system", property="hardness", random_trims=3)
    assert len(trimmed.rows) == 18
    assert trimmed.rows.equals(frame.loc[trimmed.rows.index])
    assert trimmed.figures.loc[("mean_gap", ""), "trimmed"] <= trimmed.figures.loc[("mean_gap", ""), "full"]


def test_a_table_by_its_path_is_trimmed_as_a_frame_is(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    by_path = entropilot.trim(path, keep=18, family="system", property="hardness", random_trims=2)
    by_frame = entropilot.trim(frame, keep="30%", family="system", property="hardness", random_trims=2)
    assert by_path.rows["x"].tolist() == by_frame.rows["x"].tolist()


def test_a_run_is_replayed_and_asked_what_if(run: entropilot.Run) -> None:
    replayed = entropilot.replay(run)
    assert replayed
    assert replayed.decisions == 5
    other = entropilot.what_if(run, policy="random")
    assert 0 <= other.coverage <= 1
    assert other.recorded.equals(run.trajectory)


def test_what_cannot_be_studied_is_told(frame: pd.DataFrame, run: entropilot.Run) -> None:
    with pytest.raises(EntropilotError, match="hardnes"):
        entropilot.trim(frame, keep=5, family="system", property="hardnes")
    with pytest.raises(EntropilotError, match="etall"):
        entropilot.what_if(run, policy="etall")
    with pytest.raises(EntropilotError):
        entropilot.replay("nothing")


def test_a_data_frame_fills_in_what_nobody_measured(run: entropilot.Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    alone = entropilot.what_if(run, policy="random")
    filled = entropilot.what_if(run, policy="random", fill=frame)
    path = tmp_path / "fill.csv"
    frame.rename_axis(index="id").reset_index().to_csv(path, index=False)
    by_path = entropilot.what_if(run, policy="random", fill=path)
    assert alone.coverage < 1.0
    assert len(filled.other) > len(alone.other)
    pd.testing.assert_frame_equal(filled.other, by_path.other)


def test_a_data_frame_that_cannot_fill_in_says_why(run: entropilot.Run, frame: pd.DataFrame) -> None:
    with pytest.raises(EntropilotError, match="no column 'hardness'") as refused:
        entropilot.what_if(run, fill=frame.rename(columns={"hardness": "hardnes"}))
    assert "hardnes" in refused.value.action
    with pytest.raises(EntropilotError, match="no column 'hardness'"):
        entropilot.what_if(run, fill=frame.drop(columns="hardness"))


def test_a_data_frame_alone_is_no_scenario(frame: pd.DataFrame) -> None:
    with pytest.raises(EntropilotError, match=r"Scenario\.of_table"):
        entropilot.compare(frame)
