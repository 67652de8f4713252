"""Campaigns from Python: run, opened, resumed, explained, in a script and where an event loop runs already."""

from __future__ import annotations

import asyncio
import csv
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

import entropilot
from protocols.errors import EntropilotError, SettingsError, StoreError

pytestmark = pytest.mark.system


def scenario_of(frame: pd.DataFrame, runs: Path, budget: int = 5) -> entropilot.Scenario:
    return entropilot.Scenario.of_table(
        frame, property="hardness", family="system", unit="GPa", start=12, budget=budget, runs=runs, name="small"
    )


def test_a_run_is_data_frames_pictures_and_answers(frame: pd.DataFrame, tmp_path: Path) -> None:
    run = entropilot.run(scenario_of(frame, tmp_path), runs=tmp_path)
    assert run.is_finished
    assert run.name == "small"

    assert run.dataset["id"].isin(frame.index).all()
    assert (run.dataset.set_index("id")["value"] == frame["hardness"].reindex(run.dataset["id"])).all()
    assert (run.dataset["measured_by"].value_counts() == pd.Series({"start set": 12, "simulator-1": 5})).all()
    assert run.dataset["when"].is_monotonic_increasing

    with (run.folder / "trajectory.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert len(run.trajectory) == len(written)
    for row, told in zip(run.trajectory.to_dict("records"), written, strict=True):
        assert (row["observation"], row["family"], row["size"]) == (
            int(told["observation"]),
            told["family"],
            int(told["size"]),
        )
        assert f"{row['mean_gap']!r}" == told["mean_gap"] or pd.isna(row["mean_gap"])

    decisions = run.decisions
    assert decisions.index.tolist() == [0, 1, 2, 3, 4]
    why = run.why(3)
    assert why.explanation.first.candidate.candidate_id == decisions.loc[3, "candidate"]
    assert "the same decision comes out today" in repr(why)
    assert "<pre" in why._repr_html_()
    assert why.figure()._repr_png_().startswith(b"\x89PNG")
    assert run.figure()._repr_png_().startswith(b"\x89PNG")
    assert "data:image/png" in run._repr_html_()

    verification = run.verify()
    assert verification, repr(verification)


def test_a_run_can_be_seen_at_each_of_its_observations(frame: pd.DataFrame, tmp_path: Path) -> None:
    run = entropilot.run(scenario_of(frame, tmp_path), runs=tmp_path)
    trajectory = run.trajectory.set_index(["observation", "family"])
    for observation in range(6):
        moment = run.at(observation=observation)
        assert moment.families["size"].to_dict() == trajectory.loc[observation]["size"].to_dict()
        assert moment.families["entropy"].to_dict() == pytest.approx(trajectory.loc[observation]["entropy"].to_dict())
        assert (moment.decision is None) == (observation == 0)
    assert run.at(observation=-1).observation == 5
    with pytest.raises(StoreError, match="from 0 to 5"):
        run.at(observation=6)


def test_nothing_is_written_where_people_only_look(frame: pd.DataFrame, tmp_path: Path) -> None:
    folder = entropilot.run(scenario_of(frame, tmp_path), runs=tmp_path).folder
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    run = entropilot.open_run(folder)
    _ = (
        run.summary,
        run.trajectory,
        run.dataset,
        run.decisions,
        run.why("last"),
        run.verify(),
        run.figure(),
        repr(run),
    )
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_run_works_in_a_cell_of_a_notebook(frame: pd.DataFrame, tmp_path: Path) -> None:
    """There an event loop runs in the thread that calls."""

    async def cell() -> entropilot.Run:
        run = entropilot.run(scenario_of(frame, tmp_path), runs=tmp_path)
        run.why(0)
        return run

    assert asyncio.run(cell()).is_finished


def test_runs_of_several_threads_and_coroutines_do_not_meet(frame: pd.DataFrame, tmp_path: Path) -> None:
    scenario = scenario_of(frame, tmp_path)
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: entropilot.run(scenario, runs=tmp_path), range(2)))

    async def beside() -> list[entropilot.Run]:
        return await asyncio.gather(*(entropilot.arun(scenario, runs=tmp_path) for _ in range(2)))

    both += asyncio.run(beside())
    assert len({run.name for run in both}) == 4
    assert all(run.is_finished for run in both)
    assert len({tuple(run.decisions["candidate"]) for run in both}) == 1


async def test_a_run_that_is_cancelled_ends_in_order_and_can_be_resumed(frame: pd.DataFrame, tmp_path: Path) -> None:
    slow = {"simulator.latency.mean_s": 0.2}
    going = asyncio.create_task(entropilot.arun(scenario_of(frame, tmp_path, 20), settings=slow, runs=tmp_path))
    while not await begun(tmp_path / "small"):  # noqa: ASYNC110 - it is a file that another thread writes
        await asyncio.sleep(0.05)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    run = entropilot.open_run("small", runs=tmp_path)
    assert not run.is_finished
    resumed = await entropilot.aresume(run, settings={"simulator.latency.mean_s": 0.0})
    assert resumed.is_finished
    assert len(resumed.decisions) == 20
    assert resumed.verify()


async def begun(folder: Path) -> bool:
    """Whether a run has journalled its beginning."""
    try:
        return bool(len(await asyncio.to_thread(lambda: entropilot.open_run(folder).decisions)))
    except EntropilotError:
        return False


def test_a_finished_campaign_goes_on_with_a_larger_budget(frame: pd.DataFrame, tmp_path: Path) -> None:
    run = entropilot.run(scenario_of(frame, tmp_path, 4), runs=tmp_path)
    assert len(entropilot.resume(run, budget=6).decisions) == 6


def test_a_script_without_a_main_guard_compares(frame: pd.DataFrame, tmp_path: Path) -> None:
    """Processes that share the work must not run the script again."""
    frame.to_csv(tmp_path / "frame.csv")
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import entropilot, pandas
            frame = pandas.read_csv("frame.csv", index_col=0)
            scenario = entropilot.Scenario.of_table(frame, property="hardness", family="system", start=12, budget=4)
            found = entropilot.compare(scenario, ["gap_gain", "random"], seeds=2)
            print(len(found.final), "campaigns")
        """)
    )
    ended = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.stdout == "4 campaigns\n", ended.stderr


def test_what_cannot_be_run_is_told(frame: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="would be this one"):
        entropilot.run("three_crashes", runs=tmp_path)
    with pytest.raises(SettingsError, match="emt_alloys"):
        entropilot.run("emt_aloys", runs=tmp_path)
    with pytest.raises(StoreError):
        entropilot.open_run("nothing", runs=tmp_path)
    with pytest.raises(EntropilotError):
        entropilot.run(scenario_of(frame, tmp_path), policy="no_such_policy", runs=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]
