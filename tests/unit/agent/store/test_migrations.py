"""A database is brought to the schema of today, or refused with what to do; those of earlier releases stay readable."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect

from agent.campaign.events import EVENT_TYPES, Event
from agent.campaign.life_cycle import Phase
from agent.runtime.resume import remember
from agent.store import migrations
from agent.store.commit import Commit
from agent.store.migrations import MIGRATIONS, current_version, migrate
from agent.store.tables import ALL_TABLES, OLDEST_SCHEMA_VERSION, SCHEMA_VERSION
from protocols.errors import StoreError
from protocols.storage.database import sqlite_url
from scenarios.verify.part import CheckedPart
from scenarios.verify.run_check import RunFiles, require_sound, verify_run
from tests.support.campaigns import SENT_AT, refold, state_of
from tests.support.databases import make_schema_database
from tests.support.stored_campaigns import assert_views_equal_fold, opened

POOL = make_schema_database.POOL
DATABASES = Path(__file__).parents[3] / "support" / "databases"
RELEASED = sorted(DATABASES.glob("schema-*.db"))


def tables_in(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return names


def test_a_fresh_database_gets_every_table_and_the_record_of_it(tmp_path: Path) -> None:
    opened(tmp_path / "campaign.db", POOL).close()
    assert tables_in(tmp_path / "campaign.db") == {table.name for table in ALL_TABLES}
    connection = sqlite3.connect(tmp_path / "campaign.db")
    assert connection.execute("SELECT version, applied_at FROM schema_migration").fetchall() == [
        (SCHEMA_VERSION, SENT_AT)
    ]
    connection.close()


def test_a_current_database_is_left_as_it_is(tmp_path: Path) -> None:
    engine = create_engine(sqlite_url(tmp_path / "campaign.db"))
    for now in ("first", "second"):
        with engine.begin() as connection:
            migrate(connection, now=now)
            assert current_version(connection) == SCHEMA_VERSION
            assert connection.exec_driver_sql("SELECT applied_at FROM schema_migration").scalars().all() == ["first"]
    engine.dispose()


def test_there_is_a_migration_to_every_version() -> None:
    assert sorted(MIGRATIONS) == list(range(OLDEST_SCHEMA_VERSION + 1, SCHEMA_VERSION + 1))


def test_a_database_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "campaign.db"
    opened(path, POOL).close()
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO schema_migration VALUES (?, 'tomorrow')", (SCHEMA_VERSION + 1,))
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=rf"schema version {SCHEMA_VERSION + 1}.*use the newer Entropilot"):
        opened(path, POOL)
    assert path.read_bytes() == before


def test_a_database_of_0_1_0_is_refused_by_name_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "campaign.db"
    shutil.copy(DATABASES / "entropilot-0.1.0.db", path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"schema version 2, which Entropilot 0\.1 wrote.*with Entropilot 0\.1\.0"):
        opened(path, POOL)
    assert path.read_bytes() == before


def test_a_migration_is_carried_out_once_and_recorded_with_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wider(connection: Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE quarantine ADD COLUMN wider TEXT")

    path = tmp_path / "campaign.db"
    opened(path, POOL).close()
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setitem(MIGRATIONS, SCHEMA_VERSION + 1, wider)
    for _ in range(2):
        opened(path, POOL).close()
    with closing(sqlite3.connect(path)) as connection:
        versions = [row[0] for row in connection.execute("SELECT version FROM schema_migration ORDER BY version")]
        assert "wider" in {row[1] for row in connection.execute("PRAGMA table_info(quarantine)")}
    assert versions == [SCHEMA_VERSION, SCHEMA_VERSION + 1]


def test_a_database_with_the_tables_of_somebody_else_is_refused_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "recipes.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipe (name TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match=r"other tables \(recipe\).*choose another file or URL"):
        opened(path, POOL)
    assert tables_in(path) == {"recipe"}


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (x)")
        connection.exec_driver_sql("CREATE TABLE half (x)")

    path = tmp_path / "campaign.db"
    opened(path, POOL).close()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
        patch.setitem(MIGRATIONS, SCHEMA_VERSION + 1, half)
        with pytest.raises(StoreError, match="half already exists"):
            opened(path, POOL)
    assert "half" not in tables_in(path)
    opened(path, POOL).close()  # and the version of today opens it


LATER_KINDS: dict[str, set[type[Event]]] = {"schema-3": set()}
"""Released database -> the kinds of event that came after it: a new kind needs no other tables."""


def test_a_database_that_is_written_today_holds_an_event_of_every_kind(tmp_path: Path) -> None:
    assert make_schema_database.main(tmp_path / "schema.db") == 0


def test_every_released_schema_has_its_database_here() -> None:
    assert [path.name for path in RELEASED] == [
        f"schema-{version}.db" for version in range(OLDEST_SCHEMA_VERSION, SCHEMA_VERSION + 1)
    ]


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_a_migrated_database_has_the_columns_of_a_new_one_and_the_record_of_every_change(
    released: Path, tmp_path: Path
) -> None:
    shutil.copy(released, tmp_path / "old.db")
    columns = {}
    for name in ("old.db", "new.db"):
        opened(tmp_path / name, POOL).close()
        engine = create_engine(sqlite_url(tmp_path / name))
        columns[name] = {
            table.name: [
                (c["name"], str(c["type"]), c["nullable"], c["default"]) for c in found.get_columns(table.name)
            ]
            for found in (inspect(engine),)
            for table in ALL_TABLES
        }
        engine.dispose()
    assert columns["old.db"] == columns["new.db"]
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        versions = [row[0] for row in connection.execute("SELECT version FROM schema_migration ORDER BY version")]
    first = int(released.stem.rpartition("-")[2])
    assert versions == list(range(first, SCHEMA_VERSION + 1))


def database_parts(parts: tuple[CheckedPart, ...]) -> tuple[CheckedPart, ...]:
    """What was found of a database that stands alone: its campaign is finished, and the files of it are not there."""
    return tuple(part for part in parts if "not there" not in part.problem)


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_a_database_of_a_released_version_is_sound_to_verify(released: Path, tmp_path: Path) -> None:
    shutil.copy(released, tmp_path / "campaign.db")
    before = (tmp_path / "campaign.db").read_bytes()
    files = RunFiles("campaign.db", "recording.jsonl", "trajectory.csv", "summary.json")
    require_sound(database_parts(verify_run(tmp_path, files)), "run")
    assert (tmp_path / "campaign.db").read_bytes() == before
    opened(tmp_path / "campaign.db", POOL).close()  # migrated
    require_sound(database_parts(verify_run(tmp_path, files)), "run")


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_a_database_of_a_released_version_opens_folds_and_goes_on(released: Path, tmp_path: Path) -> None:
    path = tmp_path / "campaign.db"
    shutil.copy(released, path)
    store = opened(path, POOL)
    try:
        with store._connection.begin():
            assert current_version(store._connection) == SCHEMA_VERSION
            names = set(inspect(store._connection).get_table_names())
        assert {table.name for table in ALL_TABLES} <= names
        events = list(store.journal())
        assert {type(event) for event in events} == set(EVENT_TYPES) - LATER_KINDS[released.stem]
        stored = remember(store, POOL)
        assert stored.campaign.phase is Phase.FINISHED
        assert state_of(stored.campaign) == state_of(refold(POOL, events))
        assert_views_equal_fold(store, POOL)
        assert store.counts()["quarantined: unknown_topic"] >= 1
        meta = store.meta()
        assert meta is not None
        assert (meta.campaign, meta.pool_digest) == ("demo", POOL.digest)
        store.append(Commit(counts=(("candidate_result: late", 1),)), now=SENT_AT)
    finally:
        store.close()
