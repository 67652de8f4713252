"""The trajectory table: complete, exact, and there whole or not at all."""

import csv
import math
from dataclasses import replace
from pathlib import Path

import pytest

from agent.entropy.bias import BiasPoint
from agent.metrics import Metric
from protocols.errors import StoreError, TableError
from scenarios.effects.truth import AgainstTruth
from scenarios.run.trajectory import COLUMNS, Trajectory, read_trajectory_csv, write_trajectory_csv

FIRST = BiasPoint(("cubic", "tri,clinic"), (3, 5), (None, 0.1 + 0.2), None, None, None, "cubic", None, 0.5, 0.75)
SECOND = BiasPoint(("cubic", "tri,clinic"), (4, 5), (-1 / 3, 0.3), 0.6333, 0.3, 0.31, None, 0.1 + 0.8, 1.0, 0.1 + 0.7)
BANDS = {7: ((-1 / 7, 0.1 + 0.2), None)}
TRAJECTORY = Trajectory("formation energy", "eV/atom", ((0, FIRST), (7, SECOND)), BANDS)


def test_a_trajectory_read_back_is_the_same_to_the_last_digit(tmp_path: Path) -> None:
    path = tmp_path / "bias.csv"
    write_trajectory_csv(path, TRAJECTORY)
    assert read_trajectory_csv(path, property="formation energy", unit="eV/atom") == TRAJECTORY


def test_families_named_like_formulas_are_harmless_in_the_file_and_read_back_as_they_are(tmp_path: Path) -> None:
    families = ("=1+1", "'=x")
    points = tuple(
        (at, replace(point, families=families, starved_family=families[0])) for at, point in TRAJECTORY.points
    )
    trajectory = replace(TRAJECTORY, points=points)
    write_trajectory_csv(tmp_path / "t.csv", trajectory)
    with (tmp_path / "t.csv").open(newline="") as file:
        assert {row[1] for row in csv.reader(file)} == {"family", "'=1+1", "''=x"}
    assert read_trajectory_csv(tmp_path / "t.csv", property="formation energy", unit="eV/atom") == trajectory


WIDTH = Metric("half_width", "half_width", "half_width", "eV/atom", lower_is_better=True)


@pytest.mark.parametrize(
    "against_truth",
    [{0: AgainstTruth(0.1 + 0.2, 0.5), 7: AgainstTruth(1 / 3, 1.0)}, {7: AgainstTruth(0.25, 1 / 3)}],
    ids=["of every observation", "of the last one alone"],
)
@pytest.mark.parametrize("declared", [(), ((WIDTH, 0.7),)], ids=["nothing declared", "a declared metric"])
def test_the_error_against_the_truth_stands_after_what_is_declared_and_is_no_metric_of_the_policy(
    tmp_path: Path, declared: tuple[tuple[Metric, float], ...], against_truth: dict[int, AgainstTruth]
) -> None:
    points = tuple((at, replace(point, declared=declared)) for at, point in TRAJECTORY.points)
    trajectory = replace(TRAJECTORY, points=points, against_truth=against_truth)
    write_trajectory_csv(tmp_path / "t.csv", trajectory)
    with (tmp_path / "t.csv").open(newline="") as file:
        header = next(csv.reader(file))
    assert header[-2:] == ["error_against_truth [eV/atom]", "intervals_holding_truth"]
    assert read_trajectory_csv(tmp_path / "t.csv", property="formation energy", unit="eV/atom") == trajectory


def test_the_file_has_a_row_per_step_and_family_and_empty_cells_for_undefined(tmp_path: Path) -> None:
    path = tmp_path / "bias.csv"
    write_trajectory_csv(path, TRAJECTORY)
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS
    assert rows[1] == ["0", "cubic", "3", "", "", "", "", "", "", "", "0.75", "0.5", "cubic"]
    assert rows[3][4:6] == [repr(-1 / 7), repr(0.1 + 0.2)]
    assert rows[4][4:6] == ["", ""]
    assert len(rows) == 5
    assert [each.name for each in tmp_path.iterdir()] == ["bias.csv"]


def test_a_write_that_fails_leaves_the_file_before_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "bias.csv"
    write_trajectory_csv(path, TRAJECTORY)
    before = path.read_bytes()
    torn = BiasPoint(("a", "b"), (1,), (None, None), None, None, None, None)
    with pytest.raises(ValueError, match="shorter"):
        write_trajectory_csv(path, Trajectory("p", "u", ((0, FIRST), (1, torn))))
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["bias.csv"]


def test_a_missing_folder_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        write_trajectory_csv(tmp_path / "none" / "bias.csv", TRAJECTORY)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("observation,family\n", "begins with the columns observation, family"),
        ("", "begins with the columns \\(none\\)"),
        (",".join(COLUMNS) + "\n0,a,1,x,,,,,,,,0,a\n", "line 2: could not convert"),
        (",".join(COLUMNS) + "\n0,a,1,nan,,,,,,,,0,a\n", "line 2: nan is not a finite number"),
        (",".join(COLUMNS) + "\n0,a,1\n", "line 2: 3 cells instead of 13"),
        (",".join(COLUMNS) + "\n1,a,1,,,,,,,,,0,a\n0,a,1,,,,,,,,,0,a\n", "line 3: observation 0 follows observation 1"),
        (",".join(COLUMNS) + "\n0,a,1,,,,,,,,,0,a\n0,b,1,,,,,,,,,0,b\n", "line 3: the figures differ"),
    ],
)
def test_a_row_that_is_not_ours_is_named_with_its_line(tmp_path: Path, rows: str, found: str) -> None:
    path = tmp_path / "bias.csv"
    path.write_text(rows)
    with pytest.raises(TableError, match=found):
        read_trajectory_csv(path)


def test_a_missing_trajectory_is_a_table_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be read"):
        read_trajectory_csv(tmp_path / "none.csv")


def test_a_file_of_an_earlier_version_is_read_and_its_missing_figures_follow_from_the_others(tmp_path: Path) -> None:
    path = tmp_path / "bias.csv"
    path.write_text(
        "observation,family,size,entropy,entropy_range,entropy_std,mean_gap,starved_family\n"
        "0,a,4,,,,,a\n0,b,5,0.5,,,,a\n1,a,5,0.5,0.0,0.0,0.0,a\n1,b,5,0.5,0.0,0.0,0.0,a\n"
    )
    (_, first), (_, second) = read_trajectory_csv(path).points
    assert first == BiasPoint(("a", "b"), (4, 5), (None, 0.5), None, None, None, "a", None, 0.5, 0.5)
    assert second == BiasPoint(("a", "b"), (5, 5), (0.5, 0.5), 0.0, 0.0, 0.0, "a", 1.0, 1.0, math.log(2) + 0.5)
