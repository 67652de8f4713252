"""A campaign on a server is read from a copy, made in one snapshot: nothing there is changed, held, or believed."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

from agent.store.place import DatabasePlace, write_place
from agent.store.read_only import reading_journal
from agent.store.run_database import RunDatabase
from agent.store.server_copy import copy_server
from agent.store.store import Store
from agent.store.tables import ALL_TABLES
from protocols.errors import DatabaseAway, StoreError
from protocols.storage import server as server_module
from protocols.storage.database import require_database_url, sqlite_url
from protocols.storage.server_url import DatabaseUrl
from tests.support.campaigns import small_plan, small_pool
from tests.support.databases.postgres_server import PostgresServer
from tests.support.stored_campaigns import Shelf, opened, rows

pytestmark = pytest.mark.system

POOL = small_pool(20)


@pytest.fixture
def store(database: str) -> Store:
    """A campaign on the server, closed."""
    with closing(opened(database, POOL)) as made:
        Shelf(made, POOL, small_plan(POOL, parallel=2, budget=10)).play(3, 20)
    return made


def everything(url: DatabaseUrl) -> dict[str, list[tuple[object, ...]]]:
    with closing(opened(url, POOL)) as store:
        return {table.name: rows(store, table) for table in ALL_TABLES}


def test_a_copy_holds_what_the_server_holds(store: Store, database: str, tmp_path: Path) -> None:
    there = everything(database)
    assert copy_server(database, tmp_path / "copy.db") == sum(map(len, there.values()))
    assert everything(sqlite_url(tmp_path / "copy.db")) == there
    assert everything(database) == there


def test_a_run_folder_that_remembers_its_server_is_read_there(store: Store, database: str, tmp_path: Path) -> None:
    write_place(tmp_path, DatabasePlace(url=database, uid="a1"))
    with reading_journal(tmp_path / "campaign.db") as (read, _):
        journal = list(read.journal())
    assert len(journal) == store.sequence > 10


def test_a_campaign_that_is_written_is_read_as_of_one_moment(database: str, tmp_path: Path) -> None:
    with closing(opened(database, POOL)) as store:
        Shelf(store, POOL, small_plan(POOL, parallel=2, budget=10)).play(3, 20)
        with store._connection.begin():
            store._connection.exec_driver_sql("UPDATE journal SET digest = 'x' WHERE sequence = 3")
            copy_server(database, tmp_path / "copy.db")  # it waits for nobody, and sees what is committed
            store._connection.exec_driver_sql("UPDATE journal SET digest = 'x' WHERE sequence = 4")
            raised = store._connection.get_transaction()
            assert raised is not None
            raised.rollback()
    with closing(opened(sqlite_url(tmp_path / "copy.db"), POOL)) as copied:
        assert len(list(copied.journal())) == store.sequence


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("ALTER TABLE journal DROP CONSTRAINT journal_pkey; INSERT INTO journal SELECT * FROM journal", "not as"),
        ("ALTER TABLE observation RENAME TO kept; CREATE VIEW observation AS SELECT * FROM kept", "lacks the tables"),
        ("DROP TABLE outbox", "lacks the tables outbox"),
        ("UPDATE schema_migration SET version = 2", "schema version 2"),
        ("DROP SCHEMA public CASCADE; CREATE SCHEMA public", "is empty"),
    ],
)
@pytest.mark.usefixtures("store")
def test_tables_that_are_not_ours_are_not_copied(
    server: PostgresServer, database: str, tmp_path: Path, damage: str, words: str
) -> None:
    with server.asking(database.rpartition("/")[2]) as connection:
        connection.execute(damage)
    with pytest.raises(StoreError, match=words):
        copy_server(database, tmp_path / "copy.db")


def test_a_server_that_goes_away_while_it_is_read_is_told(
    store: Store, server: PostgresServer, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.store.server_copy.COPY_TIMEOUT_S", 0.5)
    with server.asking(database.rpartition("/")[2]) as connection, connection.transaction():
        connection.execute("LOCK TABLE quarantine IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseAway, match="is away"):
            copy_server(database, tmp_path / "copy.db")


def test_a_run_folder_remembers_what_the_environment_said(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = server.new_database().rpartition("/")[2]
    for variable, value in {"PORT": server.port, "USER": "lab", "DATABASE": name}.items():
        monkeypatch.setenv(f"PG{variable}", str(value))
    for host in (str(server.socket_folder), "127.0.0.1"):
        monkeypatch.setenv("PGHOST", host)
        folder = tmp_path / host.strip("/").replace("/", "-")
        folder.mkdir()
        with closing(opened("postgresql://", POOL)) as store:
            RunDatabase.of(folder, "postgresql://").remember(store, "a1")
        place = RunDatabase.of(folder, None)
        monkeypatch.delenv("PGHOST")
        assert (require_database_url(place.url).database, host in str(place.url).replace("%2F", "/")) == (name, True)
        opened(place.url, POOL).close()


def test_parameters_that_name_the_server_are_kept_as_they_are(server: PostgresServer, database: str) -> None:
    name = database.rpartition("/")[2]
    url = f"postgresql://lab@/{name}?host={server.socket_folder}&port={server.port}"
    with closing(opened(url, POOL)) as store:
        parsed = require_database_url(store.place("a1").url)
    assert parsed.query == {"host": str(server.socket_folder), "port": str(server.port)}


def test_a_former_session_that_does_not_end_is_a_server_that_is_away(
    server: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "ANSWER_TIMEOUT_S", 0.5)
    monkeypatch.setattr(server_module, "LOCK_PATIENCE_S", 0.3)
    with closing(opened(database, POOL)) as store:
        stopped = server.sessions(database)[0]
        os.kill(stopped, signal.SIGSTOP)
        try:
            with pytest.raises(DatabaseAway):
                store.counts()
            with pytest.raises(DatabaseAway, match="does not end our former session"):
                store.counts()
        finally:
            os.kill(stopped, signal.SIGCONT)
        assert store.counts() == {}
