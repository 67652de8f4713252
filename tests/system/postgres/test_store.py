"""The store's contract on a server, and what only a server can do to it: go away while it answers."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import closing

import pytest
from sqlalchemy import func, select

from agent.campaign.events import CampaignPaused, CampaignResumed
from agent.store import store as store_module
from agent.store.commit import Commit, RecordingMark
from agent.store.patience import Patience
from agent.store.store import Store
from agent.store.tables import JOURNAL, META, QUARANTINE, RECORDING_MARK
from protocols.errors import DatabaseAway, StoreError
from protocols.storage import server as server_module
from tests.support.campaigns import SENT_AT, result_of
from tests.support.databases.cutting_proxy import Cut, CuttingProxy
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


@pytest.mark.parametrize("cut", list(Cut))
def test_a_mark_of_the_recording_whose_answer_was_lost_is_set_and_taken_back_exactly_once(
    through: str, proxy: CuttingProxy, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It changes neither journal nor counters: the mark itself must tell whether the server has kept it."""
    monkeypatch.setattr(server_module, "ANSWER_TIMEOUT_S", 0.5)
    first, second = (RecordingMark(row, f"{row:064}") for row in (5, 8))
    with closing(patient(through)) as store:
        Shelf(store, POOL, PLAN)
        ends_at = store.sequence

        def marked() -> list[tuple[int, str, int, int, str]]:
            return [(each.row, each.digest, ends_at, ends_at, "") for each in marks]

        for marks in ([first], [first, second]):
            proxy.armed, proxy.last = cut, None
            store.append(Commit(recorded=marks[-1]), now=SENT_AT)
            assert (proxy.last, rows(store, RECORDING_MARK)) == (cut, marked())
        proxy.armed, proxy.last, marks = cut, None, [first]
        store.forget_marks(first.row)
        assert (proxy.last, rows(store, RECORDING_MARK)) == (cut, marked())
        marks = [first, second]
        store.append(Commit(recorded=second), now=SENT_AT)  # the same row may be marked again
        assert (store.sequence, rows(store, RECORDING_MARK)) == (ends_at, marked())


@pytest.mark.parametrize("cut", list(Cut))
def test_a_claim_whose_answer_was_lost_is_made_exactly_once(
    through: str, proxy: CuttingProxy, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "ANSWER_TIMEOUT_S", 0.5)
    with closing(patient(through)) as store:
        proxy.armed = cut
        store.claim(PLAN, schema_version=1, now=SENT_AT)
        (row,) = rows(store, META)
        assert (proxy.last, row[:2]) == (cut, (PLAN.campaign, PLAN.uid))


def test_a_claim_that_another_agent_made_first_is_refused(database: str, through: str, proxy: CuttingProxy) -> None:
    with closing(patient(through, limit_s=0)) as store:
        proxy.armed = Cut.BEFORE
        with pytest.raises(DatabaseAway):
            store.claim(PLAN, schema_version=1, now=SENT_AT)
        with closing(opened(database, POOL)) as other:
            other.claim(PLAN.model_copy(update={"uid": "another"}), schema_version=1, now=SENT_AT)
        with pytest.raises(StoreError, match=f"Another agent took .* meanwhile, for its campaign {PLAN.campaign}"):
            store.claim(PLAN, schema_version=1, now=SENT_AT)


@pytest.mark.parametrize("cut", list(Cut))
def test_a_confirmation_alone_whose_answer_was_lost_is_kept(
    through: str, proxy: CuttingProxy, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It changes nothing that tells, and may be written again."""
    monkeypatch.setattr(server_module, "ANSWER_TIMEOUT_S", 0.5)
    with closing(patient(through)) as store:
        Shelf(store, POOL, PLAN)
        first, *others = store.unconfirmed()
        proxy.armed = cut
        store.append(Commit(confirmed=(first.attempt_id,)), now=SENT_AT)
        assert (proxy.last, store.unconfirmed()) == (cut, others)


def test_who_takes_long_over_a_journal_reads_it_whole_also_through_the_loss_of_its_session(
    server: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folding a large journal takes minutes: that is no silence of the server."""
    monkeypatch.setattr(server_module, "ANSWER_TIMEOUT_S", 0.3)
    monkeypatch.setattr(store_module, "ROWS_AT_ONCE", 4)
    with closing(patient(database)) as store:
        Shelf(store, POOL, PLAN).play(3, transactions=8)
        read = 0
        for _ in store.journal():
            read += 1
            time.sleep(0.02)
            if read == 10:
                assert server.kill_session(database, signal.SIGTERM)
        assert read == store.sequence > 20


@pytest.mark.parametrize("commits_before", [0, 1], ids=["the session is set up", "the tables are made"])
def test_a_server_that_falls_silent_while_it_is_opened_is_away(
    through: str, proxy: CuttingProxy, commits_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "ANSWER_TIMEOUT_S", 0.5)
    proxy.armed, proxy.let_through = Cut.SILENCE, commits_before
    with pytest.raises(DatabaseAway, match="is away"):
        patient(through, limit_s=0)
    assert proxy.last is Cut.SILENCE


def test_a_server_that_ends_our_session_while_it_is_set_up_is_away(server: PostgresServer, database: str) -> None:
    """It answers with an error, and closes the connection after that: so do servers whose main process was killed."""
    name = database.rpartition("/")[2]
    with server.asking(name) as connection:
        connection.execute("CREATE SCHEMA first")
        connection.execute(
            "CREATE FUNCTION first.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS "
            "'SELECT pg_terminate_backend(pg_backend_pid())::text'"
        )
        connection.execute(f"ALTER DATABASE {name} SET search_path = first, pg_catalog, public")
    with pytest.raises(DatabaseAway, match="is away: terminating connection"):
        patient(database, limit_s=0)


def test_a_server_that_ends_our_session_in_its_answer_is_waited_for(database: str) -> None:
    told: list[str] = []
    with closing(patient(database, told=told)) as store:
        Shelf(store, POOL, PLAN)
        statements = [select(1), select(func.pg_terminate_backend(func.pg_backend_pid()))]

        def write() -> object:
            with store._link.transaction():
                return store._statements.run(statements.pop(), [{}]).fetchone()

        assert store._link.steadily(write) == (1,)
        assert "is away" in told[0]


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
