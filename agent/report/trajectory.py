"""The bias trajectory as a table: one row per step and family, for any program that reads CSV.

The file is streamed and replaced whole. An empty cell means that the figure is not defined there.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.acquisition.bias import BiasPoint
from agent.report.whole_file import written_whole
from protocols.errors import TableError

COLUMNS: Final = (
    "step",
    "family",
    "size",
    "entropy",
    "entropy_range",
    "entropy_std",
    "mean_gap",
    "poorest_family",
)
"""Columns of the file; entropies, range, standard deviation and gap in nat."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """How the bias of a dataset went.

    Attributes:
        property: The property whose entropy is meant.
        unit: Its unit.
        points: Step (results accepted) and bias, by ascending step.
    """

    property: str
    unit: str
    points: tuple[tuple[int, BiasPoint], ...]


def write_trajectory_csv(path: Path, trajectory: Trajectory) -> None:
    """Write the trajectory in long format; floats keep all their digits.

    Raises:
        StoreError: When the file cannot be written.
    """
    with written_whole(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for step, point in trajectory.points:
            writer.writerows(_rows(step, point))
        text.detach()  # flushes, and leaves the file open to be synced and put in place


def read_trajectory_csv(path: Path, *, property: str = "", unit: str = "") -> Trajectory:  # noqa: A002 - its field
    """Read a trajectory that `write_trajectory_csv` wrote.

    Args:
        path: The file.
        property: What the file does not hold: the property.
        unit: And its unit.

    Raises:
        TableError: When the file cannot be read, or a row is not as written (with its line).
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            if tuple(header) != COLUMNS:
                raise TableError(
                    f"{path} begins with the columns {', '.join(header) or '(none)'}", expected=", ".join(COLUMNS)
                )
            return Trajectory(property, unit, tuple(_points(path, reader)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(
            f"The trajectory {path} cannot be read ({error})", action="write it again with entropilot report"
        ) from error


def _rows(step: int, point: BiasPoint) -> Iterator[tuple[object, ...]]:
    figures = (_cell(point.entropy_range), _cell(point.entropy_std), _cell(point.mean_gap), point.poorest_family or "")
    for family, size, entropy in zip(point.families, point.sizes, point.entropies, strict=True):
        yield step, family, size, _cell(entropy), *figures


def _cell(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _points(path: Path, reader: Iterable[list[str]]) -> Iterator[tuple[int, BiasPoint]]:
    families: tuple[str, ...] = ()
    numbered = enumerate(reader, start=2)
    last = -math.inf
    for text, group in itertools.groupby(numbered, key=lambda row: row[1][0] if row[1] else ""):
        rows = list(group)
        step, point = _point(path, text, rows)
        if step <= last:
            raise _bad_row(path, rows[0][0], f"step {step} follows step {last}")
        last = step
        # One tuple of names for all steps: a long trajectory would hold them thousands of times.
        families = families if point.families == families else point.families
        yield step, replace(point, families=families)


def _point(path: Path, text: str, rows: Sequence[tuple[int, list[str]]]) -> tuple[int, BiasPoint]:
    parsed: list[tuple[str, int, float | None]] = []
    figures: list[str] = []
    for line, row in rows:
        if len(row) != len(COLUMNS):
            raise _bad_row(path, line, f"{len(row)} cells instead of {len(COLUMNS)}")
        try:
            parsed.append((row[1], int(row[2]), _number(row[3])))
            step, numbers = int(text), [_number(cell) for cell in row[4:7]]
        except ValueError as error:
            raise _bad_row(path, line, str(error)) from error
        if figures and row[4:] != figures:
            raise _bad_row(path, line, "the figures differ from those of the same step above")
        figures = row[4:]
    families, sizes, entropies = zip(*parsed, strict=True)
    return step, BiasPoint(families, sizes, entropies, numbers[0], numbers[1], numbers[2], figures[3] or None)


def _number(cell: str) -> float | None:
    if not cell:
        return None
    value = float(cell)
    if not math.isfinite(value):
        message = f"{cell} is not a finite number"
        raise ValueError(message)
    return value


def _bad_row(path: Path, line: int, found: str) -> TableError:
    return TableError(
        f"{path}, line {line}: {found}",
        expected="rows as this program writes them, by ascending step",
        action="write the trajectory again with entropilot report",
    )
