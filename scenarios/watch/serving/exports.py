"""What is seen, as a file: the trajectory, the dataset or the journal, as of the moment that is shown.

The trajectory of a run that is over is the file `trajectory.csv` that it wrote, up to the moment; of one that goes on
it has the same columns, and bands where the page has them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.entropy.bands import Band
from agent.entropy.bias import priority
from protocols.extras import load
from protocols.storage.csv_file import write_rows_as_csv
from scenarios.run.trajectory import COLUMNS, METRICS
from scenarios.sources.run_folder import TRAJECTORY
from scenarios.watch.reading.source import MAX_ROWS, Source
from scenarios.watch.serving.paths import Values
from scenarios.watch.state.points import Column
from scenarios.watch.state.tables import DatasetRow, JournalEntry

MEDIA: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}

ENDED: Final = frozenset({"finished", "interrupted"})
"""Phases in which a run writes nothing."""

MAX_EXPORTED: Final = 1_000_000
"""Most rows of one file: a database is copied with `entropilot backup`."""

DATASET_COLUMNS: Final = (
    "observation", "sequence", "at", "candidate", "name", "family", "value", "uncertainty", "unit", "by", "attempt_id",
    "fidelity", "replicate", "formula", "retracted_by", "retracted_at", "retracted_why",
)  # fmt: skip

JOURNAL_COLUMNS: Final = (
    "sequence",
    "at",
    "kind",
    "words",
    "candidates",
    "operator",
    "signed_by",
    "message_id",
    "payload",
)


@dataclass(frozen=True, slots=True)
class Exported:
    """A file.

    Attributes:
        name: Of it.
        media: Its type.
        content: Of it.
    """

    name: str
    media: str
    content: bytes


def export(source: Source, wanted: Values, folder: Path | None) -> Exported:
    """Return what is asked for.

    Args:
        source: Of the run.
        wanted: As the path `export` takes it.
        folder: Of the run, where it has one.

    Raises:
        StoreError: When it cannot be read.
        ExtraMissingError: When Parquet is asked for, and what writes it is not installed.
    """
    what, kind, at = wanted["what"], wanted["format"], wanted["at"]
    name = f"{what}.{kind}"
    if what == "trajectory":
        written = _written(source, folder, at)
        if written is not None and kind == "csv":
            return Exported(name, MEDIA[kind], written)
        columns, rows = _trajectory(source, at) if written is None else _read_again(written)
    elif what == "dataset":
        columns, rows = DATASET_COLUMNS, _dataset(source, wanted)
    else:
        columns, rows = JOURNAL_COLUMNS, _journal(source, wanted)
    return Exported(name, MEDIA[kind], _WRITERS[kind](columns, list(rows)))


def _written(source: Source, folder: Path | None, at: int | None) -> bytes | None:
    """Return the trajectory that a run wrote, up to an observation; None where it is not over."""
    path = None if folder is None else folder / TRAJECTORY
    now = source.moment()
    if path is None or now.phase not in ENDED or not path.is_file():
        return None
    lines = path.read_bytes().splitlines(keepends=True)
    last = lines[-1].partition(b",")[0]
    if last != str(now.last_observation).encode():
        return None  # it went on after this file was written
    if at is None:
        return b"".join(lines)
    return b"".join([lines[0], *(line for line in lines[1:] if int(line.partition(b",")[0]) <= at)])


def _read_again(written: bytes) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    reader = csv.reader(io.StringIO(written.decode(), newline=""))
    columns = next(reader)
    texts = {"family", "starved_family"}
    return columns, (
        [cell if name in texts else _number(cell) for name, cell in zip(columns, row, strict=True)] for row in reader
    )


def _number(cell: str) -> float | int | None:
    if not cell:
        return None
    return int(cell) if cell.isdigit() else float(cell)


def _trajectory(source: Source, at: int | None) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """Return the trajectory off the points of a source."""
    units = {each.name: each.unit for each in source.campaign().metrics}
    points, bands = source.points_after(-1), source.bands()
    declared = [each.metric for each in points.columns if each.metric is not None and each.metric not in METRICS]
    headings = [f"{name} [{units[name]}]" if units.get(name) else name for name in declared]

    def rows() -> Iterator[Sequence[Any]]:
        page = points
        while True:
            for row in page.rows:
                if at is None or (row[0] is not None and row[0] <= at):
                    yield from _rows_of(page.columns, row, declared, bands.get(int(row[0] or 0), {}))
            if not page.more:
                return
            page = source.points_after(page.sequence)

    return (*COLUMNS, *headings), rows()


def _rows_of(
    columns: Sequence[Column],
    row: Sequence[float | None],
    declared: Sequence[str],
    bands: Mapping[str, Band | None],
) -> Iterator[Sequence[Any]]:
    metrics: dict[str, float | None] = {}
    entropies: dict[str, float | None] = {}
    sizes: dict[str, int] = {}
    for column, value in zip(columns, row, strict=True):
        if column.metric is not None:
            metrics[column.metric] = value
        elif column.family is not None and column.what == "entropy":
            entropies[column.family] = value
        elif column.family is not None and column.what == "size":
            sizes[column.family] = int(value or 0)
    starved = min(sizes, key=lambda family: priority(entropies.get(family), sizes[family], family), default="")
    figures = [metrics.get(name) for name in METRICS]
    for family, size in sizes.items():
        beside = (*figures, starved, *(metrics.get(name) for name in declared))
        yield int(row[0] or 0), family, size, entropies.get(family), *(bands.get(family) or (None, None)), *beside


def _dataset(source: Source, wanted: Values) -> Iterator[Sequence[Any]]:
    offset = 0
    while offset < MAX_EXPORTED:
        page = source.dataset(
            at=wanted["at"],
            offset=offset,
            limit=MAX_ROWS,
            family=wanted["family"],
            text=wanted["text"] or "",
            order=wanted["order"],
        )
        yield from (_dataset_row(each) for each in page.rows)
        offset += len(page.rows)
        if not page.rows or offset >= page.total:
            return


def _dataset_row(row: DatasetRow) -> Sequence[Any]:
    back = row.retracted
    own = [getattr(row, name) for name in DATASET_COLUMNS[:14]]
    return [*own, *((None, None, None) if back is None else (back.by, back.at, back.why))]


def _journal(source: Source, wanted: Values) -> Iterator[Sequence[Any]]:
    until = None if wanted["at"] is None else source.moment(wanted["at"]).sequence
    after, told = 0, 0
    while told < MAX_EXPORTED:
        page = source.journal(
            after=after,
            limit=MAX_ROWS,
            kind=wanted["kind"],
            candidate=wanted["candidate"],
            operator=wanted["operator"],
        )
        for each in page.rows:
            if until is not None and each.sequence > until:
                return
            yield _journal_row(each)
        told += len(page.rows)
        if page.next is None:
            return
        after = page.next


def _journal_row(row: JournalEntry) -> Sequence[Any]:
    return [
        json.dumps(row.payload, ensure_ascii=False, default=str) if name == "payload"
        else " ".join(row.candidates) if name == "candidates"
        else getattr(row, name)
        for name in JOURNAL_COLUMNS
    ]  # fmt: skip


def _as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    file = io.BytesIO()
    write_rows_as_csv(file, columns, ([_cell(each) for each in row] for row in rows))
    return file.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    return "" if value is None else value


def _as_json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    content = [dict(zip(columns, row, strict=True)) for row in rows]
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False).encode(errors="replace")


def _as_parquet(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    arrow, parquet = load("pyarrow"), load("pyarrow.parquet")
    by_column = {name: [row[place] for row in rows] for place, name in enumerate(columns)}
    file = io.BytesIO()
    parquet.write_table(arrow.table({name: _arrow(arrow, values) for name, values in by_column.items()}), file)
    return file.getvalue()


def _arrow(arrow: Any, values: list[Any]) -> Any:
    """Return a column: of whole numbers, which one of nothing is too, of numbers, or of texts."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {int}:
        return arrow.array(values, arrow.int64())
    return arrow.array(values, arrow.float64() if kinds <= {int, float} else arrow.string())


_WRITERS: Final = {"csv": _as_csv, "json": _as_json, "parquet": _as_parquet}
