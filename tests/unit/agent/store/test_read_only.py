"""A run is read without touching it: no lock is taken, no file is changed or left behind."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.campaign.events import DecisionMade, Event, StartSetLoaded
from agent.store.partial_pool import partial_pool
from agent.store.read_only import copy_database, reading, referenced_in
from agent.store.store import Store
from agent.store.tables import SCHEMA_VERSION
from agent.store.views import DatasetLabels
from protocols.errors import StoreError
from protocols.storage.database import sqlite_url
from protocols.storage.server_url import DatabaseUrl
from protocols.wire.limits import MAX_FAMILIES
from tests.support.campaigns import small_plan, small_pool, with_source_ids
from tests.support.samples.folders import contents
from tests.support.stored_campaigns import START, Shelf, assert_views_equal_fold, opened

POOL = small_pool(20)
NO_LABELS = DatasetLabels({}, "")


def make_run(folder: Path) -> Path:
    """A database as a finished process leaves it."""
    with closing(opened(folder / "campaign.db", POOL)) as store:
        Shelf(store, POOL, small_plan(POOL, parallel=2, budget=10)).play(3, 20)
    return folder / "campaign.db"


def rows_read(database: Path, url: DatabaseUrl | None = None) -> int:
    with reading(database, url) as connection:
        return len(list(Store(connection, "sqlite://", NO_LABELS).journal()))


def test_reading_a_closed_database_leaves_its_folder_as_it_was(tmp_path: Path) -> None:
    database = make_run(tmp_path)
    before = contents(tmp_path)
    assert rows_read(database) > 10
    assert contents(tmp_path) == before


def test_a_database_that_is_written_is_read_as_it_is_committed_and_no_writer_waits(tmp_path: Path) -> None:
    database = make_run(tmp_path)
    finished = rows_read(database)
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("UPDATE journal SET digest = 'x' WHERE sequence = 3")  # holds the writer's lock, uncommitted
        before = contents(tmp_path)
        assert rows_read(database) == finished
        after = contents(tmp_path)
        index = "campaign.db-shm"  # where SQLite's readers mark themselves while they read
        assert {name: what for name, what in after.items() if name != index} == {
            name: what for name, what in before.items() if name != index
        }
        writer.commit()
    with pytest.raises(StoreError, match="Row 3 of the journal"):
        rows_read(database)


def killed_run(tmp_path: Path) -> Path:
    """A database whose last commits stand in the WAL, as a killed process leaves it, in a folder of its own."""
    (tmp_path / "alive").mkdir()
    with closing(opened(tmp_path / "alive" / "campaign.db", POOL)) as store:
        Shelf(store, POOL, small_plan(POOL, parallel=2, budget=10)).play(3, 20)
        (tmp_path / "killed").mkdir()
        for end in ("", "-wal"):
            shutil.copyfile(tmp_path / "alive" / f"campaign.db{end}", tmp_path / "killed" / f"campaign.db{end}")
    return tmp_path / "killed" / "campaign.db"


def test_what_a_killed_process_left_in_its_wal_is_read_and_left_there(tmp_path: Path) -> None:
    database = killed_run(tmp_path)
    before = contents(database.parent)
    assert rows_read(database) == rows_read(tmp_path / "alive" / "campaign.db") > 10
    assert contents(database.parent) == before


def test_a_damaged_wal_is_told_by_its_name_and_not_cut_off(tmp_path: Path) -> None:
    database = killed_run(tmp_path)
    wal = database.with_name("campaign.db-wal")
    content = bytearray(wal.read_bytes())
    content[5000] ^= 0xFF
    wal.write_bytes(content)
    assert copy_database(database, tmp_path / "copy.db").problem.startswith("campaign.db-wal is damaged")
    with pytest.raises(StoreError, match=r"campaign\.db is damaged: campaign\.db-wal is damaged"):
        rows_read(database)


def test_a_url_of_a_file_is_copied_like_the_file_itself(tmp_path: Path) -> None:
    database = make_run(tmp_path)
    before = contents(tmp_path)
    assert rows_read(Path("nowhere"), sqlite_url(database)) == rows_read(database)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("url", ["no url at all", "sqlite://"])
def test_a_url_that_names_no_database_of_ours_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError), reading(tmp_path / "campaign.db", url):
        pass


def test_a_file_that_is_missing_or_no_database_or_may_not_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database"):
        rows_read(tmp_path / "campaign.db")
    (tmp_path / "text.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match=r"text\.db is damaged: SQLite says: file is not a database"):
        rows_read(tmp_path / "text.db")
    with pytest.raises(StoreError, match="cannot be read"):
        copy_database(make_run(tmp_path), tmp_path / "no folder" / "copy.db")


def test_a_database_of_a_later_version_is_refused(tmp_path: Path) -> None:
    database = make_run(tmp_path)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"UPDATE schema_migration SET version = {SCHEMA_VERSION + 1}")
        connection.commit()
    with pytest.raises(StoreError, match="schema version"):
        rows_read(database)


def test_the_candidates_that_a_run_touched_have_the_families_of_its_dataset(tmp_path: Path) -> None:
    with reading(make_run(tmp_path)) as connection:
        events = list(Store(connection, "sqlite://", NO_LABELS).journal())
        pool = referenced_in(connection, events)
    assert pool.families == POOL.families
    assert pool.digest == POOL.digest
    decided = {which for event in events if isinstance(event, DecisionMade) for which in event.candidate_ids}
    assert set(START) | decided <= pool.index_of.keys()
    for which in (set(START) | decided) - pool.unplaced:
        assert pool.candidates[pool.index_of[which]].family == POOL.candidates[POOL.index_of[which]].family


def test_the_candidates_that_a_run_touched_have_the_ids_of_its_table(tmp_path: Path) -> None:
    pool = with_source_ids(POOL)
    with closing(opened(tmp_path / "campaign.db", pool)) as store:
        shelf = Shelf(store, pool, small_plan(pool, parallel=2, budget=10))
        shelf.play(3, 4)
        assert_views_equal_fold(store, pool)
        waiting = [each.candidate_id for each in shelf.awaited]
    with reading(tmp_path / "campaign.db") as connection:
        events = list(Store(connection, "sqlite://", NO_LABELS).journal())
        touched = referenced_in(connection, events)
    assert waiting, "some were requested and have no value yet"
    called = {each.candidate_id: each.source_id for each in pool.candidates}
    for which in (*START, *waiting):
        assert touched.candidate(which).source_id == called[which] != ""


def test_a_dataset_of_more_families_than_a_pool_has_is_refused_before_they_take_memory() -> None:
    families = [f"f{number}" for number in range(MAX_FAMILIES + 1)]
    with pytest.raises(StoreError, match=f"has {MAX_FAMILIES + 1} families"):
        partial_pool([], {}, families, {}, stand_ins=1 << 60)


def test_a_candidate_that_nobody_observed_has_no_place() -> None:
    events: list[Event] = [
        StartSetLoaded(("a", "b"), (1.0, 2.0)),
        DecisionMade(0, 1, 2, "p", "f", ("c",), (None,), "why"),
    ]
    pool = partial_pool(events, {"a": "rich", "b": "rich"}, ["rich", "poor"], {})
    assert pool.unplaced == {"c"}
    assert pool.families == ("poor", "rich")
    assert pool.digest == ""


OTHER_TABLES = {
    "a column is gone": (
        "ALTER TABLE observation DROP COLUMN source_id", "Its table observation has no column source_id",
    ),
    "a number is a text": (
        "UPDATE observation SET value = 'much' WHERE candidate_id = 'c000'",
        "Row candidate_id = 'c000' of its table observation holds a text as value",
    ),
    "a text is a number": (
        "UPDATE journal SET payload = x'00ff' WHERE sequence = 2",
        "Row sequence = 2 of its table journal holds a blob as payload",
    ),
    "a whole number is a fraction": (
        "UPDATE bias_point SET sequence = 1.5 WHERE observation = 0",
        "Row observation = 0 of its table bias_point holds a real as sequence",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "words"), OTHER_TABLES.values(), ids=OTHER_TABLES)
def test_tables_that_hold_other_kinds_than_ours_are_told_before_they_are_read(
    tmp_path: Path, statement: str, words: str
) -> None:
    database = make_run(tmp_path)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(statement)
        connection.commit()
    with pytest.raises(StoreError, match=words):
        rows_read(database)


def test_a_view_in_the_place_of_the_journal_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    database = make_run(tmp_path)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS sequence FROM n"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("ALTER TABLE journal RENAME TO kept")
        connection.execute(f"CREATE VIEW journal AS {endless}")
    with pytest.raises(StoreError, match=rf"{database.name} holds the view 'journal'"):
        rows_read(database)
