"""The dataset as a file is held against the journal, every cell of it."""

import csv
from pathlib import Path

import pytest

from scenarios.run.dataset import COLUMNS
from scenarios.verify.part import CheckedPart
from scenarios.verify.run_check import RunFiles, verify_run
from tests.support.samples.recorded_run import made

FILES = RunFiles("campaign.db", "recording.jsonl", "trajectory.csv", "summary.json")


def part_of(folder: Path) -> CheckedPart:
    (part,) = (each for each in verify_run(folder, FILES) if each.name == "dataset.csv")
    return part


def rewrite(folder: Path, row: int, column: str, cell: str) -> None:
    path = folder / "dataset.csv"
    lines = list(csv.reader(path.read_text().splitlines()))
    lines[row][COLUMNS.index(column)] = cell
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    return made(tmp_path).folder


def test_what_a_run_left_is_sound_row_by_row(finished: Path) -> None:
    part = part_of(finished)
    assert part.problem == ""
    assert part.rows == len((finished / "dataset.csv").read_text().splitlines()) - 1


@pytest.mark.parametrize("column", COLUMNS)
def test_a_cell_that_was_changed_is_found_whichever_it_is(finished: Path, column: str) -> None:
    numbers = {"observation", "value", "uncertainty", "replicate", "journal_row"}
    rewrite(finished, 3, column, "123" if column in numbers else "another")
    part = part_of(finished)
    assert f"{column} = " in part.problem
    assert part.rows == 2


def test_a_row_that_is_missing_is_found_and_so_is_one_that_is_no_row(finished: Path) -> None:
    path = finished / "dataset.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    assert f"{len(lines) - 2} rows; the journal says {len(lines) - 1}" in part_of(finished).problem
    path.write_text("".join([*lines[:2], "a,b\n"]))
    assert "line 3: 2 cells instead of" in part_of(finished).problem
    path.write_text("other,columns\n")
    assert "begins with the columns other, columns" in part_of(finished).problem


def test_an_older_file_of_an_interrupted_run_is_said_to_be_older(tmp_path: Path) -> None:
    run = made(tmp_path, lambda _run: None)
    path = run.folder / "dataset.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    assert part_of(run.folder) == CheckedPart("dataset.csv", 2, note="older than the journal")
    rewrite(run.folder, 1, "value", "77.0")
    assert "value = 77.0; the journal says" in part_of(run.folder).problem
