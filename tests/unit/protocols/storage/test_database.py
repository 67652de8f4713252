"""A database is trusted after its settings were read back, and its troubles are told in words to act on."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from protocols.errors import InvariantViolation, StoreError
from protocols.storage import database, foreign_file
from protocols.storage.database import (
    SQLITE_SETTINGS,
    Statements,
    connected,
    open_engine,
    require_database_url,
    sqlite_url,
    transaction,
)
from protocols.storage.server_url import DatabaseUrl

NOTE = Table("note", MetaData(), Column("number", Integer, primary_key=True), Column("words", String, nullable=False))
WRITE = insert(NOTE)
FIND = select(NOTE.c.number, NOTE.c.words).where(NOTE.c.number == bindparam("which"))
CHANGE = update(NOTE).where(NOTE.c.number == bindparam("which")).values(words=bindparam("new_words"))


@contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """Open a database with a table of notes."""
    engine = open_engine(sqlite_url(path))
    connection = engine.connect()
    try:
        with transaction(connection, sqlite_url(path)):
            NOTE.create(connection, checkfirst=True)
        yield connection
    finally:
        connection.close()
        engine.dispose()


def words(path: Path) -> list[str]:
    """Return what another program would read."""
    with closing(sqlite3.connect(path)) as other:
        return [row[0] for row in other.execute("SELECT words FROM note ORDER BY number")]


def keep(
    connection: Connection, path: Path, number: int, content: str, then: Callable[[], object] = lambda: None
) -> None:
    """Write a note, and what `then` does, in one transaction."""
    with transaction(connection, sqlite_url(path)):
        connection.execute(WRITE, [{"number": number, "words": content}])
        then()


# --- settings -------------------------------------------------------------------------------------------------------


def test_what_makes_a_commit_durable_is_in_force(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as connection, transaction(connection, ""):
        answers = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in SQLITE_SETTINGS}
    assert answers == SQLITE_SETTINGS
    assert answers["journal_mode"] == "wal"
    assert answers["synchronous"] == 2, "FULL"
    assert answers["foreign_keys"] == 1


def test_a_database_that_does_not_take_a_setting_is_refused() -> None:
    """One in memory knows no write-ahead log, as a network file system does not."""
    with pytest.raises(StoreError) as caught:
        open_engine("sqlite://")
    assert "journal_mode = 'memory'" in caught.value.found
    assert "'wal'" in caught.value.expected
    assert "local disk" in caught.value.action


def test_a_transaction_holds_the_write_lock_from_its_beginning(tmp_path: Path) -> None:
    """Else two writers could both read, and one would fail when it writes."""
    path = tmp_path / "a.db"
    with opened(path) as connection, closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        with (
            transaction(connection, ""),
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


# --- transactions ---------------------------------------------------------------------------------------------------


def test_a_transaction_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as connection:
        keep(connection, path, 1, "kept")
        with pytest.raises(ZeroDivisionError):
            keep(connection, path, 2, "lost", then=lambda: 1 / 0)
        assert words(path) == ["kept"]
        keep(connection, path, 3, "afterwards")
    assert words(path) == ["kept", "afterwards"]


def test_a_transaction_inside_of_another_stops_us(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "a.db") as connection,
        transaction(connection, ""),
        pytest.raises(InvariantViolation),
        transaction(connection, ""),
    ):
        pass


def test_a_broken_constraint_is_a_store_error_and_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as connection:
        keep(connection, path, 1, "first")
        twice = [{"number": 1, "words": "twice"}]
        with pytest.raises(StoreError) as caught:
            keep(connection, path, 2, "lost", then=lambda: connection.execute(WRITE, twice))
        assert "UNIQUE" in caught.value.found
        assert str(path) in caught.value.found
    assert words(path) == ["first"]


# --- troubles -------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_told_and_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as connection:
        keep(connection, path, 1, "kept")
        with transaction(connection, ""):
            # SQLite's own limit: it answers SQLITE_FULL, as for a disk without space.
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        with pytest.raises(StoreError) as caught:
            keep(connection, path, 2, "x" * 1_000_000)
        assert "full" in caught.value.found
        assert "free space" in caught.value.action
        assert "--resume" in caught.value.action
        assert words(path) == ["kept"]
        with transaction(connection, ""):
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 1000}")
        keep(connection, path, 2, "x" * 1_000_000)
    assert len(words(path)) == 2


def test_a_database_that_another_program_holds_is_told_and_usable_when_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as connection, closing(sqlite3.connect(path, isolation_level=None)) as other:
        with transaction(connection, ""):
            connection.exec_driver_sql("PRAGMA busy_timeout=10")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            keep(connection, path, 1, "refused")
        assert "locked" in caught.value.found
        assert "another program" in caught.value.action
        other.execute("ROLLBACK")
        keep(connection, path, 1, "taken")
    assert words(path) == ["taken"]


def test_a_commit_waits_for_another_program_that_is_soon_done(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    held = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with opened(path) as connection, closing(held) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.1, other.execute, ("ROLLBACK",))
        release.start()
        keep(connection, path, 1, "patient")
        release.join()
    assert words(path) == ["patient"]


@pytest.mark.parametrize(
    ("content", "sign"),
    [(b"This is a message to my aunt. " * 100, "not a database"), (b"SQLite format 3\x00" + b"\xff" * 5_000, "")],
)
def test_a_file_that_is_something_else_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes, sign: str) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        open_engine(sqlite_url(path))
    assert sign in caught.value.found
    assert caught.value.action
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        open_engine(sqlite_url(tmp_path / "nowhere" / "a.db"))
    assert "unable to open" in caught.value.found
    assert "folder exists" in caught.value.action


def test_a_damaged_page_is_told_at_the_start_before_anything_is_read_or_written(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as connection:
        for number in range(200):
            keep(connection, path, number, "x" * 500)
        with transaction(connection, ""):
            pass
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\xa5" * 4096
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        open_engine(sqlite_url(path))
    assert "is damaged" in caught.value.found
    assert "from a copy" in caught.value.action


def test_an_index_that_does_not_say_what_its_table_says_is_told_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x TEXT PRIMARY KEY)")
        connection.execute("INSERT INTO t VALUES ('needle')")
        connection.commit()
    content = bytearray(path.read_bytes())
    at = content.rindex(b"needle")
    assert content.index(b"needle") < at  # in the table, and in its index
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"is damaged: row 1 missing from index"):
        open_engine(sqlite_url(path))


# --- statements -----------------------------------------------------------------------------------------------------


def test_a_statement_is_run_with_parameters_by_name_for_one_row_and_for_many(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as connection:
        statements = Statements(connection)
        with transaction(connection, ""):
            statements.run(WRITE, [{"words": "one", "number": 1}])
            statements.run(WRITE, [{"number": number, "words": str(number)} for number in (2, 3)])
            statements.run(CHANGE, [{"which": 2, "new_words": "two"}, {"new_words": "three", "which": 3}])
            found = statements.run(FIND, [{"which": 2}]).fetchall()
        assert found == [(2, "two")]
    assert words(path) == ["one", "two", "three"]


def test_a_statement_is_compiled_once_and_gives_what_sqlalchemy_gives(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as connection:
        keep(connection, path, 1, "'; DROP TABLE note; --")
        statements = Statements(connection)
        with transaction(connection, ""):
            for _ in range(3):
                expected = [tuple(row) for row in connection.execute(FIND, {"which": 1})]
                assert statements.run(FIND, [{"which": 1}]).fetchall() == expected
        assert len(statements._compiled) == 1


def test_a_statement_that_the_database_refuses_raises_what_a_transaction_explains(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as connection:
        keep(connection, path, 1, "first")
        statements = Statements(connection)
        with pytest.raises(StoreError, match="UNIQUE") as caught, transaction(connection, sqlite_url(path)):
            statements.run(WRITE, [{"number": 1, "words": "twice"}])
        assert isinstance(caught.value.__context__, sqlite3.IntegrityError)


def test_every_sign_of_trouble_that_we_know_has_an_advice_of_its_own() -> None:
    signs = ["disk is full", "disk I/O error", "not a database", "malformed", "locked", "unable to open", "readonly"]
    for sign in signs:
        error = IntegrityError("SELECT 1", None, sqlite3.OperationalError(f"{sign} somehow"))
        told = database.store_error(error, "sqlite:///a.db")
        assert sign in told.found
        assert told.action != "run again with --resume"
    other = IntegrityError("SELECT 1", None, sqlite3.OperationalError("solar wind"))
    assert database.store_error(other, "sqlite:///a.db").action == "run again with --resume"


def test_an_io_error_on_a_disk_without_space_is_told_as_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = IntegrityError("SELECT 1", None, sqlite3.OperationalError("disk I/O error"))

    def told(url: DatabaseUrl, free: int) -> StoreError:
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free))
        return database.store_error(error, url)

    full, roomy = (told(sqlite_url(tmp_path / "a.db"), free) for free in (0, 1 << 30))
    assert "the disk is full" in full.found
    assert "free space" in full.action
    assert "full" not in roomy.found
    monkeypatch.undo()
    assert "full" not in database.store_error(error, sqlite_url(tmp_path / "gone" / "a.db")).found


@pytest.mark.parametrize("url", ["", "foo", "foo.db", "mysql://x/y", "oracle://x", "postgresql+psycopg://lab:port/x"])
def test_what_is_no_database_of_ours_is_refused_with_what_is_expected(url: str) -> None:
    with pytest.raises(StoreError, match=r"is no URL of a database that Entropilot can use.*sqlite:///FILE"):
        open_engine(url)


def test_a_password_that_was_not_encoded_is_refused_and_no_part_of_it_told() -> None:
    with pytest.raises(StoreError, match=r"an @ where none belongs.*percent-encoded") as caught:
        require_database_url("postgresql://me:a@hunter2/b@lab/x")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite+nothing:///a.db", "postgresql+nothing://lab/campaign"])
def test_a_driver_that_is_not_there_is_told(url: str) -> None:
    with pytest.raises(StoreError, match=r"The driver of .* is not there"):
        require_database_url(url)


@pytest.mark.parametrize("url", ["postgresql:/me:hunter2@lab/x", "mysql://me:hunter2@lab/x"])
def test_a_wrong_url_is_shown_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        require_database_url(url)
    assert "hunter2" not in str(caught.value)


def test_a_schema_whose_text_was_damaged_beyond_utf_8_is_refused_as_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE unmistakable (x)")
        connection.commit()
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE unmistakable", b"CREATE TABL\xf9 unmistakable"))
    with pytest.raises(StoreError, match=r"malformed.*restore it from a copy"):
        open_engine(sqlite_url(path))


ODD_NAMES = ["p%20q", "a b", "what?", "c#d", "x&y=z", "Größe", "100%", "50%25", "semi;colon", "a+b", "'quoted'"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_is_the_one_that_its_path_names_whatever_that_means_in_a_url(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / f"{name}.db"
    path.parent.mkdir()
    with opened(path) as connection, transaction(connection, sqlite_url(path)):
        connection.exec_driver_sql("CREATE TABLE t (x)")
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert path.is_file()
    assert str(path) in database.store_error(sqlite3.OperationalError("locked"), sqlite_url(path)).found


def test_a_database_that_was_made_to_carry_something_out_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE VIEW journal AS SELECT 1 AS sequence")
    with pytest.raises(StoreError, match=r"holds the view 'journal', which no Entropilot made"):
        open_engine(sqlite_url(path))


def test_a_reader_is_ended_when_reading_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_file, "READ_LIMIT_S", 0.02)
    path = tmp_path / "a.db"
    sqlite3.connect(path).close()
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with (
        connected(sqlite_url(path), to_read=True) as connection,
        pytest.raises(StoreError, match="interrupted") as caught,
        transaction(connection, sqlite_url(path)),
    ):
        connection.exec_driver_sql(endless)
    assert "longer than a file of this size" in caught.value.action


@pytest.mark.parametrize("fault", [None, ValueError("ours")])
def test_a_connection_for_a_block_is_released_at_its_end_however_it_ends(
    tmp_path: Path, fault: ValueError | None
) -> None:
    with (
        pytest.raises(ValueError, match="ours") if fault else nullcontext(),
        connected(sqlite_url(tmp_path / "a.db")) as it,
    ):
        assert it.exec_driver_sql("SELECT 1").scalar() == 1
        if fault:
            raise fault
    assert it.closed
