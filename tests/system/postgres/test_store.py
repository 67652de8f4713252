"""The store's contract on a server, and what only a server can do to it: go away while it answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from agent.campaign.events import CampaignPaused, CampaignResumed
from agent.store.patience import Patience
from agent.store.store import Commit, Store
from agent.store.tables import JOURNAL, QUARANTINE
from protocols.errors import DatabaseAway, StoreError
from protocols.storage import server as server_module
from tests.support.campaigns import SENT_AT, result_of
from tests.support.databases.cutting_proxy import Cut, CuttingProxy, cutting_proxy
from tests.support.databases.postgres_server import PostgresServer
from tests.support.stored_campaigns import Shelf, assert_views_equal_fold, delivered, labels_of, opened, rows
from tests.unit.agent.store.test_store import PLAN, POOL, StoreContract

pytestmark = pytest.mark.system

PATIENT_S = 60.0
PAUSE = Commit(events=(CampaignPaused("a test"),), counts=(("control: carried out", 1),))


class TestPostgres(StoreContract):
    """The same tables on a server."""

    @pytest.fixture
    def url(self, server: PostgresServer) -> str:
        return server.new_database()


@pytest.fixture
def proxy(server: PostgresServer) -> Iterator[CuttingProxy]:
    with cutting_proxy(server.port) as made:
        yield made


@pytest.fixture
def through(server: PostgresServer, database: str, proxy: CuttingProxy) -> str:
    """The database's URL through the proxy."""
    return database.replace(f":{server.port}/", f":{proxy.port}/")


def patient(url: str, *, limit_s: float = PATIENT_S, told: list[str] | None = None) -> Store:
    tell = (lambda _sentence: None) if told is None else told.append
    return Store.open(url, labels=labels_of(POOL), now=SENT_AT, patience=Patience(limit_s, tell))


@pytest.mark.parametrize("cut", list(Cut))
@pytest.mark.parametrize("kind", ["a result", "a stranger's message alone"])
def test_a_commit_whose_answer_was_lost_is_written_exactly_once(
    through: str, proxy: CuttingProxy, cut: Cut, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "ANSWER_TIMEOUT_S", 0.5)
    told: list[str] = []
    with closing(patient(through, told=told)) as store:
        shelf = Shelf(store, POOL, PLAN)
        strange = delivered(topic="somebody/else", payload=b"\x00\xff")
        proxy.armed = cut
        shelf.transaction(delivered(result_of(shelf.awaited[0])) if kind == "a result" else strange)
        assert proxy.last is cut
        assert len(told) == 2
        assert "is away" in told[0]
        assert store.sequence == len(rows(store, JOURNAL)) == shelf.campaign.sequence
        assert sum(store.counts().values()) == 1
        assert len(rows(store, QUARANTINE)) == store._quarantine_rows == (kind != "a result")
        shelf.play(3, transactions=8)  # and the chain goes on
        assert_views_equal_fold(store, POOL)


def test_without_patience_a_lost_server_is_told_and_the_same_commit_can_be_written_later(
    through: str, proxy: CuttingProxy
) -> None:
    with closing(patient(through, limit_s=0)) as store:
        Shelf(store, POOL, PLAN)
        last = store.sequence
        proxy.armed = Cut.AFTER
        with pytest.raises(DatabaseAway, match="is away"):
            store.append_at_once(PAUSE, now=SENT_AT)
        assert store.sequence == last
        store.append_at_once(PAUSE, now=SENT_AT)
        assert store.sequence == last + 1 == len(list(store.journal()))


def test_a_database_that_another_agent_wrote_to_meanwhile_is_left_alone(
    server: PostgresServer, database: str, through: str, proxy: CuttingProxy
) -> None:
    with closing(patient(through)) as store:
        shelf = Shelf(store, POOL, PLAN)
        proxy.armed = Cut.BEFORE
        with pytest.raises(DatabaseAway):
            store.append_at_once(PAUSE, now=SENT_AT)
        with closing(opened(database, POOL)) as other:
            other.append(Commit(events=(CampaignPaused("somebody else"), CampaignResumed("so"))), now=SENT_AT)
        with pytest.raises(StoreError, match=r"ended at row \d+ and ends at row \d+ now"):
            store.append(PAUSE, now=SENT_AT)
    assert shelf.store.sequence + 2 == server.rows(database, "SELECT count(*) FROM journal")[0][0]


def test_a_session_that_the_server_ended_while_nothing_was_asked_is_made_again(
    server: PostgresServer, database: str
) -> None:
    with closing(patient(database)) as store:
        shelf = Shelf(store, POOL, PLAN)
        for read in (store.counts, store.meta, store.unconfirmed, lambda: list(store.journal())):
            with server.asking() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'entropilot'"
                )
            assert read() is not None
        shelf.play(3, transactions=8)
        assert_views_equal_fold(store, POOL)


def test_a_server_that_restarts_is_waited_for(server: PostgresServer, database: str) -> None:
    told: list[str] = []
    with closing(patient(database, told=told)) as store:
        Shelf(store, POOL, PLAN)
        server.stop("immediate")
        back = threading.Timer(1.0, server.start)
        back.start()
        try:
            store.append(PAUSE, now=SENT_AT)
        finally:
            back.join()
        assert len(told) == 2
        assert told[1].startswith("The database is there again")
        assert store.sequence == len(list(store.journal()))


def test_who_waits_stops_when_the_agent_is_to_end(server: PostgresServer, database: str) -> None:
    with closing(patient(database)) as store:
        Shelf(store, POOL, PLAN)
        server.stop()
        try:
            end = threading.Timer(0.5, store.give_up)
            end.start()
            with pytest.raises(DatabaseAway, match="the run was to end"):
                store.append(PAUSE, now=SENT_AT)
            end.join()
        finally:
            server.start()


def test_a_second_agent_on_the_database_is_refused_until_the_first_ends(database: str) -> None:
    with closing(opened(database, POOL)), pytest.raises(StoreError, match="Another agent works on this database"):
        opened(database, POOL)
    opened(database, POOL).close()


def test_campaigns_in_schemas_of_their_own_do_not_meet(server: PostgresServer, database: str) -> None:
    with server.asking(database.rpartition("/")[2]) as connection:
        for name in ("a", "b"):
            connection.execute(f"CREATE SCHEMA {name}")
    one, other = (f"{database}?options=-csearch_path%3D{name}" for name in ("a", "b"))
    with closing(opened(one, POOL)) as first, closing(opened(other, POOL)) as second:
        shelf = Shelf(first, POOL, PLAN)
        shelf.play(3, transactions=8)
        assert (first.sequence > 10, second.sequence) == (True, 0)
        assert_views_equal_fold(first, POOL)


def test_a_commit_is_on_the_servers_disk_whatever_its_default_is(server: PostgresServer, database: str) -> None:
    with server.asking() as connection:
        connection.execute(f"ALTER DATABASE {database.rpartition('/')[2]} SET synchronous_commit = off")
    with closing(opened(database, POOL)) as store:
        assert store._connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
