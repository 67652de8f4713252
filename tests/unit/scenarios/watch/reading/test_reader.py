"""A run is read by short transactions that write nothing and leave nothing, however it stands and whoever made it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from agent.campaign.events import CampaignPaused, dump_event
from agent.run_files import DATABASE
from agent.store.tables import MIGRATION
from protocols.errors import StoreError
from protocols.storage.database import connected, sqlite_url
from scenarios.watch.reading.find import open_run
from scenarios.watch.reading.reader import FileReader, reader_of
from tests.support.campaigns import result_of as result
from tests.support.campaigns import small_plan
from tests.support.runs.watched_runs import POOL, random_run
from tests.support.samples.folders import contents
from tests.support.stored_campaigns import Shelf, delivered, opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random_run(tmp_path / "demo", 1)
    return tmp_path / "demo"


def ask_everything(folder: Path) -> int:
    source = open_run(folder)
    moment = source.moment()
    source.moment(0)
    source.series()
    source.instruments()
    source.dataset()
    source.journal()
    source.trust()
    assert source.version() == moment.sequence
    assert not source.card().problem
    source.close()
    return moment.sequence


def killed(folder: Path, to: Path, *, with_index: bool) -> Path:
    """A copy of a run as a killed agent leaves it: what was committed last is in the WAL alone."""
    shelf = Shelf(opened(folder / DATABASE, POOL), POOL, small_plan(POOL, parallel=2))
    shelf.transaction(delivered(result(shelf.awaited[0])))
    shutil.copytree(folder, to)
    shelf.store.close()
    if not with_index:
        (to / f"{DATABASE}-shm").unlink()
    return to


def test_a_finished_run_is_read_without_a_file_beside_it(folder: Path) -> None:
    before = contents(folder)
    assert ask_everything(folder) > 0
    assert contents(folder) == before


@pytest.mark.parametrize("with_index", [True, False], ids=["index", "no index"])
def test_a_killed_run_is_read_with_what_its_wal_holds_and_nothing_is_touched(tmp_path: Path, with_index: bool) -> None:
    (tmp_path / "work").mkdir()
    run = killed(tmp_path / "work", tmp_path / "killed", with_index=with_index)
    before = contents(run)
    source = open_run(run)
    assert source.moment().last_observation == 1
    assert source.moment().phase == "interrupted"
    source.close()
    assert contents(run) == before


def test_a_run_that_is_written_is_read_as_it_grows(tmp_path: Path) -> None:
    shelf = Shelf(opened(tmp_path / DATABASE, POOL), POOL, small_plan(POOL, budget=6, parallel=2))
    source = open_run(tmp_path)
    for count in range(1, 5):
        shelf.transaction(delivered(result(shelf.awaited[0])))
        assert source.version() == shelf.store.sequence
        assert source.moment().last_observation == count
        assert source.moment().sequence == shelf.store.sequence
    shelf.store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [DATABASE], "the last to close tidies up, as ever"
    assert source.moment().last_observation == 4
    source.close()


def test_a_run_that_goes_on_after_its_end_was_read_is_read_on(folder: Path) -> None:
    source = open_run(folder)
    before = source.version()
    with connected(sqlite_url(folder / DATABASE)) as connection:
        kind, payload = dump_event(CampaignPaused("tea"))
        row = {"s": before + 1, "k": kind, "p": payload, "r": "2026-01-02T00:00:00+00:00", "d": "0"}
        with connection.begin():
            connection.execute(text("INSERT INTO journal VALUES (:s, :k, :p, :r, :d)"), row)
        assert source.version() == before + 1
    assert source.journal(tail=True, limit=1).rows[0].kind == "CampaignPaused"
    trust = source.trust()
    assert trust.problems == (f"row {before + 1} of the journal is missing or was changed",)
    assert trust.is_sound is False
    source.close()


def add_view(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE VIEW spy AS SELECT 1")


def make_newer(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO schema_migration VALUES (99, 'later')")


def drop_column(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE request DROP COLUMN recipient")


def add_kind(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE journal SET kind = 'Teleported' WHERE kind = 'RequestIssued'")


def write_words(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE bias_point SET entropy_range = 'wide', mean_gap = x'00' WHERE observation = 1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (add_view, "holds the view 'spy', which no Entropilot made"),
        (make_newer, "schema version 99.*use the newer Entropilot"),
        (drop_column, "its table request has no column recipient"),
        (add_kind, "unknown to this version"),
        (write_words, "holds what Entropilot does not write"),
    ],
)
def test_a_file_of_a_stranger_or_a_later_version_is_told_in_words(
    folder: Path, change: Callable[[sqlite3.Connection], None], words: str
) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        change(connection)
    source = open_run(folder)
    with pytest.raises(StoreError, match=words):
        source.moment()
    source.close()


def test_a_list_of_runs_says_of_each_what_is_wrong_with_it(folder: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        add_view(connection)
    card = open_run(folder).card()
    assert (card.phase, card.source) == ("unreadable", "folder")
    assert "the view 'spy'" in card.problem


@pytest.mark.parametrize("content", [b"", b"no database at all" * 400], ids=["empty", "something else"])
def test_what_is_no_database_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / DATABASE).write_bytes(content)
    source = open_run(tmp_path)
    assert source.card().phase == "unreadable"
    with pytest.raises(StoreError):
        source.campaign()
    assert [path.name for path in tmp_path.iterdir()] == [DATABASE]


def test_a_database_without_a_campaign_is_one_that_has_not_begun(tmp_path: Path) -> None:
    opened(tmp_path / DATABASE, POOL).close()
    source = open_run(tmp_path)
    with pytest.raises(StoreError, match=r"The journal of (this|the) run .*is empty"):
        source.moment()
    assert "empty" in source.card().problem


def test_a_file_that_has_not_changed_is_not_opened_to_be_asked_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = reader_of(folder / DATABASE)
    assert isinstance(reader, FileReader)
    monkeypatch.setattr("scenarios.watch.reading.reader.SETTLED_S", -1.0)
    known = reader.version()
    monkeypatch.setattr(reader, "_open", None)
    assert reader.version() == known


def test_a_run_whose_folder_is_gone_is_told(folder: Path) -> None:
    source = open_run(folder)
    source.moment()
    shutil.rmtree(folder)
    with pytest.raises(StoreError, match="There is no database"):
        source.moment()


def test_another_run_in_the_place_of_the_first_is_noticed(folder: Path, tmp_path: Path) -> None:
    source = open_run(folder)
    source.moment()
    shutil.rmtree(folder)
    random_run(folder, 12)
    with pytest.raises(StoreError, match="another run took its place"):
        source.moment()


def test_the_version_of_the_schema_is_known_by_its_record(tmp_path: Path) -> None:
    opened(tmp_path / DATABASE, POOL).close()
    with connected(sqlite_url(tmp_path / DATABASE)) as connection, connection.begin():
        connection.execute(insert(MIGRATION).values(version=4, applied_at="later"))
    assert "schema version 4" in open_run(tmp_path).card().problem
