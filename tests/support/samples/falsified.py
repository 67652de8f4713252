"""Changes one value of a finished run, and makes everything fit that is kept beside it in the same place.

A value of the journal is changed with its chain and the views that are folded from it, a line of a recording with the
digests of all lines behind it, a row of a simulator's memory with its own digests. What other places know of the value
stays as it was.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.campaign.events import CampaignStarted, load_event
from agent.pool.candidates import Pool
from agent.store.read_only import referenced_in
from agent.store.store import Store
from agent.store.views import DatasetLabels
from protocols.errors import EntropilotError
from protocols.storage.database import opening, sqlite_url
from scenarios.verify.run_check import _folded
from scenarios.verify.views_check import rebuild
from scenarios.verify.whole_pool import WholePool
from tests.support.samples.rewritten import rewrite_journal, rewrite_recording

VIEWS: Final = ("observation", "request", "bias_point", "bias_family")

Path_ = Sequence[str | int]
"""Where a value stands in JSON."""


@dataclass(frozen=True, slots=True)
class Place:
    """A value of a run.

    Attributes:
        where: journal, recording, memory, trajectory.csv or summary.json; or a table of the database.
        row: Its row or line there.
        field: A column, or the path of a value in JSON.
    """

    where: str
    row: int
    field: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"{self.where} {self.row} {'.'.join(map(str, self.field))}"


def leaves(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield where the values of a JSON tree stand."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from leaves(value, (*path, name))
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from leaves(value, (*path, number))
    else:
        yield path


def other(value: Any) -> Any:
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + (1 if isinstance(value, int) else 0.5)
    if isinstance(value, str) and value[-1:] == "Z" and "T" in value:  # a time, which another one takes the place of
        return f"{other(value[:-1])}Z"
    if isinstance(value, str):
        return other_in_text(value) if value[:1] == "{" else f"{value[:-1]}{'0' if value[-1:] != '0' else '1'}"
    return "something" if value is None else value + b" "


def other_in_text(text: str) -> str:
    """Return JSON text with another first number, or else text."""
    tree = json.loads(text)
    change(tree, next(leaves(tree)))
    return compact(tree)


def change(tree: Any, path: Path_) -> None:
    """Put another value at a place of a JSON tree."""
    *above, last = path
    for step in above:
        tree = tree[step]
    tree[last] = other(tree[last])


def compact(tree: Any) -> str:
    """Return JSON as the journal and messages have it."""
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False)


class FinishedRun:
    """A finished run that is falsified one value at a time, each time in a copy.

    Args:
        folder: The run folder; it is left as it is.
        memory: File of its simulator's memory.
    """

    def __init__(self, folder: Path, memory: str = "simulator-1.db") -> None:
        self.folder = folder
        self._memory = memory

    def places(self, kind: str) -> list[Place]:
        """Return every place of a kind: journal, recording, memory, table or file."""
        found: list[Place] = getattr(self, f"{kind}_places")()
        return found

    def journal_places(self) -> list[Place]:
        with closing(sqlite3.connect(self.folder / "campaign.db")) as database:
            rows = database.execute("SELECT sequence, payload FROM journal ORDER BY sequence").fetchall()
        return [Place("journal", row, path) for row, payload in rows for path in leaves(json.loads(payload))]

    def table_places(self) -> list[Place]:
        """Columns of the other tables, and what of the journal is in no chain.

        Own ids of observations are left out, for of the start set the pool's table alone has them (`labels_check`); and
        two that nothing else knows: numbers in the quarantine, which only order it, and when the tables were made.
        """
        places = [
            Place("journal row", row, (column,))
            for row in range(1, self._rows("journal") + 1)
            for column in ("kind", "recorded_at", "digest")
        ]
        left_out = {("observation", "source_id"), ("quarantine", "row")}
        for table in (*VIEWS, "recording_mark", "message_count", "outbox", "quarantine"):
            names = [name for name in self._columns(table) if (table, name) not in left_out]
            places += [Place(table, row, (name,)) for row in range(1, self._rows(table) + 1) for name in names]
        places += [Place("campaign_meta", 1, (name,)) for name in self._columns("campaign_meta")]
        return [*places, Place("schema_migration", 1, ("version",))]

    def recording_places(self) -> list[Place]:
        """Every value of every line, those of messages one by one."""
        places: list[Place] = []
        for number, line in enumerate((self.folder / "recording.jsonl").read_text().splitlines(), 1):
            row = json.loads(line)
            row.pop("digest")
            for path in leaves(row):
                if path == ("text",):
                    places += [
                        Place("recording", number, ("text", *inner)) for inner in leaves(json.loads(row["text"]))
                    ]
                else:
                    places.append(Place("recording", number, path))
        return places

    def memory_places(self) -> list[Place]:
        """Every column of every attempt; of messages every value."""
        places: list[Place] = []
        with closing(sqlite3.connect(self.folder / self._memory)) as database:
            database.row_factory = sqlite3.Row
            for number, row in enumerate(database.execute("SELECT * FROM attempt ORDER BY rowid"), 1):
                columns = ("attempt_id", "progress", "answer_topic", "received_at")
                places += [Place("memory", number, (name,)) for name in columns]
                for name in ("request", "answer", "receipt"):
                    inner = leaves(json.loads(row[name])) if row[name] else ()
                    places += [Place("memory", number, (name, *path)) for path in inner]
        return places

    def file_places(self) -> list[Place]:
        lines = list(csv.reader((self.folder / "trajectory.csv").read_text().splitlines()))
        places = [
            Place("trajectory.csv", number, (column,))
            for number, line in enumerate(lines[1:], 2)
            for column, cell in enumerate(line)
            if cell
        ]
        summary = json.loads((self.folder / "summary.json").read_text())
        return [*places, *(Place("summary.json", 1, path) for path in leaves(summary))]

    def falsified(self, place: Place, folder: Path) -> Path:
        """Return a copy with another value at a place."""
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(self.folder, folder)
        match place.where:
            case "journal":
                self._in_journal(folder, place)
            case "recording":
                _in_recording(folder / "recording.jsonl", place)
            case "memory":
                _in_memory(folder / self._memory, place)
            case "trajectory.csv":
                lines = list(csv.reader((folder / "trajectory.csv").read_text().splitlines()))
                cell = lines[place.row - 1][int(place.field[0])]
                with contextlib.suppress(ValueError):
                    lines[place.row - 1][int(place.field[0])] = str(float(cell) + 1)
                if lines[place.row - 1][int(place.field[0])] == cell:
                    lines[place.row - 1][int(place.field[0])] = other(cell)
                with (folder / "trajectory.csv").open("w", newline="") as file:
                    csv.writer(file, lineterminator="\n").writerows(lines)
            case "summary.json":
                tree = json.loads((folder / "summary.json").read_text())
                change(tree, place.field)
                (folder / "summary.json").write_text(json.dumps(tree))
            case table:
                _in_table(folder / "campaign.db", table.removesuffix(" row"), place)
        return folder

    def _in_journal(self, folder: Path, place: Place) -> None:
        file = folder / "campaign.db"
        with closing(sqlite3.connect(file)) as database:

            def put(sequence: int, _kind: str, tree: dict[str, Any]) -> None:
                if sequence == place.row:
                    change(tree, place.field)

            events = rewrite_journal(database, put)
            with contextlib.suppress(EntropilotError, AssertionError, LookupError, ValueError):  # it cannot be folded
                _views_again(file, database, folder.parent / "again.db", events)

    def _rows(self, table: str) -> int:
        with closing(sqlite3.connect(self.folder / "campaign.db")) as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def _columns(self, table: str) -> list[str]:
        with closing(sqlite3.connect(self.folder / "campaign.db")) as database:
            return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def _views_again(file: Path, database: sqlite3.Connection, again: Path, rows: list[tuple[str, str]]) -> None:
    events = [load_event(kind, payload) for kind, payload in rows]
    with opening(sqlite_url(file)) as connection:
        with connection.begin():
            pool: Pool = referenced_in(connection, events)
        connection.close()
        connection.engine.dispose()
    _, fold = _folded(events, ("",) * len(events), pool, WholePool())
    assert fold is not None
    started = events[0]
    assert isinstance(started, CampaignStarted)
    again.unlink(missing_ok=True)
    labels = DatasetLabels.of(pool, started.plan.unit)
    with closing(Store.open(sqlite_url(again), labels=labels, now="2026-01-01T00:00:00Z")) as store:
        rebuild(store, events, fold)
    database.execute("ATTACH DATABASE ? AS again", (str(again),))
    for view in VIEWS:
        database.execute(f"DELETE FROM main.{view}")
        database.execute(f"INSERT INTO main.{view} SELECT * FROM again.{view}")
    database.commit()


def _in_recording(path: Path, place: Place) -> None:
    def put(number: int, row: dict[str, Any]) -> None:
        if number != place.row:
            return
        if place.field[0] == "text" and len(place.field) > 1:
            message = json.loads(row["text"])
            change(message, place.field[1:])
            row["text"] = compact(message)
        else:
            change(row, place.field)

    rewrite_recording(path, put)


def _in_memory(path: Path, place: Place) -> None:
    name, *inner = place.field
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        row = dict(database.execute("SELECT rowid AS at, * FROM attempt ORDER BY rowid").fetchall()[place.row - 1])
        if inner:
            tree = json.loads(row[str(name)])
            change(tree, inner)
            row[str(name)] = compact(tree).encode()
        else:
            row[str(name)] = "answered" if name == "progress" else other(row[str(name)])

        def digest(*parts: bytes) -> str:
            return hashlib.sha256(b"\0".join((row["attempt_id"].encode(), *parts))).hexdigest()

        if name != "received_at":  # which nothing knows but its digest
            row["request_digest"] = digest(row["request"])
            row["answer_digest"] = digest(row["answer_topic"].encode(), row["answer"]) if row["answer"] else ""
            row["receipt_digest"] = digest(row["received_at"].encode(), row["receipt"])
        columns = ", ".join(f"{each} = :{each}" for each in row if each != "at")
        database.execute(f"UPDATE attempt SET {columns} WHERE rowid = :at", row)
        database.commit()


def _in_table(path: Path, table: str, place: Place) -> None:
    (name,) = place.field
    with closing(sqlite3.connect(path)) as database:
        at, value = database.execute(f"SELECT rowid, {name} FROM {table} ORDER BY rowid").fetchall()[place.row - 1]
        put = f"UPDATE {table} SET {name} = ? WHERE rowid = ?"
        try:
            database.execute(put, (other(value), at))
        except sqlite3.IntegrityError:  # another row has that key
            database.execute(put, (f"{value}-another" if isinstance(value, str) else value + 10_000, at))
        database.commit()
