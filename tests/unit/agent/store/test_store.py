"""The store's contract, held by every database that it runs on: all or nothing, gapless, chained, views as folded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import DBAPIError

from agent.campaign.events import ObservationAdded, RequestIssued, ResultAccepted, dump_event
from agent.campaign.ledger import TrajectoryPoint
from agent.campaign.plan import Ordering
from agent.entropy.bias import BiasPoint
from agent.store import store as store_module
from agent.store.commit import Commit, OutboxItem, QuarantinedMessage
from agent.store.standing import GENESIS_DIGEST, chain_digest
from agent.store.store import Store
from agent.store.tables import ALL_TABLES, BIAS_FAMILY, JOURNAL, OBSERVATION, QUARANTINE
from protocols.errors import InvariantViolation, StoreError
from protocols.storage.database import sqlite_url, store_error
from protocols.storage.server_url import DatabaseUrl
from protocols.wire.limits import QUARANTINE_PREFIX_BYTES
from protocols.wire.messages import ControlAction
from tests.support.campaigns import (
    SENT_AT,
    control,
    quantity,
    refold,
    result_of,
    small_plan,
    small_pool,
    state_of,
    with_all_that_came,
)
from tests.support.stored_campaigns import Shelf, assert_views_equal_fold, delivered, opened, rows

POOL = small_pool(24)
PLAN = small_plan(POOL, budget=16, parallel=4, ordering=Ordering.AS_COMPLETED)
STRANGE = QuarantinedMessage("somebody/else", b"\x00\xff" * 1000, "unknown_topic", "none of ours")


def observation(number: int) -> TrajectoryPoint:
    families = POOL.families
    point = BiasPoint(families, (number,) * 3, (None,) * 3, None, None, None, families[0])
    return TrajectoryPoint(number, number, point, families[:1])


class StoreContract:
    """What `Store` promises on any database. A subclass supplies the fixture `url`: an empty database."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        store = opened(url, POOL)
        yield store
        store.close()

    @pytest.fixture
    def shelf(self, store: Store) -> Shelf:
        return Shelf(store, POOL, PLAN)

    @pytest.mark.parametrize("seed", range(4))
    def test_views_equal_the_fold_of_the_journal(self, shelf: Shelf, seed: int) -> None:
        shelf.play(seed)
        assert shelf.store.sequence > 40
        assert_views_equal_fold(shelf.store, POOL)

    def test_a_value_that_is_corrected_taken_back_and_measured_again_is_so_in_every_view(self, shelf: Shelf) -> None:
        shelf.transaction(*(delivered(result_of(each)) for each in shelf.awaited[:2]))
        corrected, gone = (event.candidate_id for event in shelf.store.journal() if isinstance(event, ResultAccepted))
        amend = control(ControlAction.AMEND_OBSERVATION, corrected, quantity=quantity(0.125))
        shelf.transaction(delivered(amend), delivered(control(ControlAction.RETRACT_OBSERVATION, gone)))
        assert_views_equal_fold(shelf.store, POOL)
        shelf.transaction(delivered(control(ControlAction.REQUEUE_CANDIDATE, gone)))
        while gone not in {each.candidate_id for each in shelf.awaited}:
            shelf.transaction(delivered(result_of(shelf.awaited[0])))
        again = next(each for each in shelf.awaited if each.candidate_id == gone)
        shelf.transaction(delivered(result_of(again, quantity(-0.5))))
        assert_views_equal_fold(shelf.store, POOL)
        assert shelf.campaign.values[POOL.index_of[gone]] == -0.5

    def test_a_row_of_the_journal_is_told_with_its_digest_and_time(self, shelf: Shelf) -> None:
        last = shelf.store.row_at(shelf.store.sequence)
        assert last is not None
        assert (last.sequence, last.digest, last.recorded_at) == (shelf.store.sequence, shelf.store.digest, SENT_AT)
        assert shelf.store.row_at(shelf.store.sequence + 1) is None

    def test_the_state_is_the_fold_of_the_journal_also_after_opening_again(self, url: str) -> None:
        store = opened(url, POOL)
        shelf = Shelf(store, POOL, PLAN)
        shelf.play(11, transactions=15)
        store.close()
        again = opened(url, POOL)
        try:
            assert again.sequence == shelf.campaign.sequence == store.sequence
            assert state_of(refold(POOL, again.journal())) == state_of(shelf.campaign)
            shelf.store = again
            shelf.play(12, transactions=15)  # the chain goes on where it ended
            assert_views_equal_fold(again, POOL)
        finally:
            again.close()

    def test_numbers_are_gapless_and_every_row_is_chained_to_the_one_before(self, shelf: Shelf) -> None:
        shelf.play(5)
        digest = GENESIS_DIGEST
        found = sorted(rows(shelf.store, JOURNAL))
        assert [row[0] for row in found] == list(range(1, shelf.store.sequence + 1))
        for number, kind, payload, recorded_at, kept in found:
            digest = hashlib.sha256(f"{digest}|{number}|{kind}|{payload}".encode()).hexdigest()
            assert kept == digest
            assert recorded_at == SENT_AT

    def test_nothing_of_a_step_is_kept_when_any_part_of_it_is_refused(self, shelf: Shelf) -> None:
        store = shelf.store
        before = _everything(store)
        twice = shelf.awaited[0]  # its request is in the journal: a second row of this attempt id is refused
        bad = RequestIssued(twice.attempt_id, twice.candidate_id, 0, 1, "simulator-1")
        commit = Commit(
            events=(ObservationAdded("c020", 1.0, "m-1"), bad),
            outbox=(OutboxItem("new-attempt", "topic", b"request"),),
            confirmed=(twice.attempt_id,),
            bias=(observation(1),),
            quarantined=(STRANGE,),
            counts=(("candidate_result: accepted", 1),),
        )
        with pytest.raises(StoreError, match="failed"):
            store.append(commit, now=SENT_AT)
        assert _everything(store) == before
        store.append(Commit(events=commit.events[:1]), now=SENT_AT)  # and the numbers go on without a gap
        assert max(rows(store, JOURNAL))[0] == store.sequence == len(list(store.journal()))

    @pytest.mark.parametrize("number", [1, 2, 7, 20])
    @pytest.mark.parametrize(
        "damage",
        [
            "UPDATE journal SET payload = payload || ' ' WHERE sequence = {n}",
            "UPDATE journal SET kind = kind || 's' WHERE sequence = {n}",
            "UPDATE journal SET digest = '" + "0" * 64 + "' WHERE sequence = {n}",
            "DELETE FROM journal WHERE sequence = {n}",
        ],
    )
    def test_a_changed_or_missing_row_is_named_by_its_number(self, shelf: Shelf, number: int, damage: str) -> None:
        shelf.play(3, transactions=12)
        store = shelf.store
        assert store.sequence > 20
        with store._connection.begin():
            assert store._connection.execute(text(damage.format(n=number))).rowcount == 1
        with pytest.raises(StoreError, match=rf"Row {number} of the journal in .* is missing or was changed"):
            list(store.journal())
        store.meta()  # the refusal leaves no transaction open

    def test_a_row_that_was_taken_out_with_care_is_missed_by_its_number(self, store: Store) -> None:
        """Whoever makes the digests fit again still leaves a gap in the numbers."""
        digest = GENESIS_DIGEST
        with store._connection.begin():
            for number in (1, 3):
                kind, payload = dump_event(ObservationAdded("c020", 1.0, f"m-{number}"))
                digest = chain_digest(digest, number, kind, payload)
                values = {"sequence": number, "kind": kind, "payload": payload, "recorded_at": "", "digest": digest}
                store._connection.execute(JOURNAL.insert().values(values))
        with pytest.raises(StoreError, match="Row 2 of the journal"):
            list(store.journal())

    def test_the_outbox_keeps_requests_until_they_are_confirmed_oldest_first(self, shelf: Shelf) -> None:
        sent = [attempt.attempt_id for attempt in shelf.awaited]
        assert [item.attempt_id for item in shelf.store.unconfirmed()] == sent
        shelf.transaction(confirmed=(sent[1],))
        shelf.store.append(
            Commit(outbox=(OutboxItem("a-first-by-name", "topic", b"\x00\xff"),), confirmed=("never-sent",)),
            now=SENT_AT,
        )
        left = shelf.store.unconfirmed()
        assert [item.attempt_id for item in left] == [sent[0], sent[2], sent[3], "a-first-by-name"]
        assert left[-1] == OutboxItem("a-first-by-name", "topic", b"\x00\xff")

    def test_a_request_that_was_confirmed_in_the_step_that_wrote_it_is_gone(self, store: Store) -> None:
        store.append(Commit(outbox=(OutboxItem("a", "t", b""),), confirmed=("a",)), now=SENT_AT)
        assert store.unconfirmed() == []

    def test_counts_add_up_over_steps_and_restarts(self, url: str) -> None:
        for _ in range(2):
            store = opened(url, POOL)
            store.append(Commit(counts=(("accepted", 2), ("late", 1))), now=SENT_AT)
            store.append(Commit(counts=(("accepted", 3),)), now=SENT_AT)
            counts = store.counts()
            store.close()
        assert counts == {"accepted": 10, "late": 2}

    def test_the_quarantine_is_bounded_over_restarts_and_the_counts_go_on(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store_module, "MAX_QUARANTINE_ROWS", 5)
        for _ in range(2):
            store = opened(url, POOL)
            for _ in range(2):
                store.append(Commit(quarantined=(STRANGE,) * 2, counts=(("quarantined", 2),)), now=SENT_AT)
            kept, counted = len(rows(store, QUARANTINE)), store.counts()["quarantined"]
            store.close()
        assert (kept, counted) == (5, 8)

    def test_a_quarantined_message_keeps_its_beginning_its_size_and_its_digest(self, store: Store) -> None:
        store.append(Commit(quarantined=(STRANGE,)), now=SENT_AT)
        (row,) = rows(store, QUARANTINE)
        assert row[1:5] == (SENT_AT, "somebody/else", "unknown_topic", "none of ours")
        assert row[5] == 2000
        assert row[6] == hashlib.sha256(STRANGE.payload).hexdigest()
        assert bytes(row[7]) == STRANGE.payload[:QUARANTINE_PREFIX_BYTES]

    def test_whatever_a_stranger_writes_can_be_kept(self, store: Store) -> None:
        store.append(
            Commit(quarantined=(QuarantinedMessage("t/\u0000/ü", b"", "invalid", "field a\x00b: \U0001f600"),)), now=""
        )
        assert len(rows(store, QUARANTINE)) == 1

    def test_the_trajectory_is_rebuilt_exactly_from_the_families_that_changed(self, shelf: Shelf) -> None:
        points = [(0, shelf.maker.ledger.meter.point())]
        while shelf.awaited:
            shelf.transaction(*(delivered(result_of(attempt)) for attempt in shelf.awaited[:1]))
            points.append((len(points), shelf.maker.ledger.meter.point()))
        assert list(shelf.store.trajectory()) == points
        assert len(points) == PLAN.budget + 1
        assert len(rows(shelf.store, BIAS_FAMILY)) == len(POOL.families) + PLAN.budget

    def test_an_empty_step_writes_nothing(self, store: Store) -> None:
        store.append(Commit(), now=SENT_AT)
        assert store.sequence == 0

    def test_a_new_database_belongs_to_nobody_and_a_claimed_one_says_to_whom(self, store: Store) -> None:
        assert store.meta() is None
        store.claim(PLAN, schema_version=1, now=SENT_AT)
        meta = store.meta()
        assert meta is not None
        assert (meta.campaign, meta.uid, meta.pool_digest) == ("demo", PLAN.uid, POOL.digest)

    def test_what_came_with_a_value_is_shown_beside_it_and_follows_from_the_journal(self, shelf: Shelf) -> None:
        shelf.transaction(delivered(with_all_that_came(result_of(shelf.awaited[0]))))
        shelf.transaction(delivered(result_of(shelf.awaited[0])))
        assert_views_equal_fold(shelf.store, POOL)
        *_, full, plain = sorted(rows(shelf.store, OBSERVATION), key=lambda row: row[1])
        assert (full[8], set(json.loads(full[9]))) == (
            0.125, {"quantities", "replicates", "conditions", "remarks", "files"},
        )  # fmt: skip
        assert plain[8:10] == (None, "")

    def test_a_candidate_is_observed_once_even_if_the_rules_were_wrong(self, shelf: Shelf) -> None:
        before = rows(shelf.store, OBSERVATION)
        with pytest.raises(StoreError):
            shelf.store.append(Commit(events=(ObservationAdded("c000", 1.0, "m-1"),)), now=SENT_AT)
        assert rows(shelf.store, OBSERVATION) == before


class TestSqliteFile(StoreContract):
    """The default: a file."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> DatabaseUrl:
        return sqlite_url(tmp_path / "campaign.db")

    def test_a_transaction_inside_a_transaction_is_our_own_fault(self, store: Store) -> None:
        store.append(Commit(events=()), now=SENT_AT)
        with store._connection.begin(), pytest.raises(InvariantViolation, match="inside a transaction"):
            store.counts()

    def test_a_full_database_is_refused_clearly_and_goes_on_when_there_is_room(self, url: str) -> None:
        store = opened(url, POOL)
        shelf = Shelf(store, POOL, PLAN)
        with store._connection.begin():
            pages = store._connection.exec_driver_sql("PRAGMA page_count").scalar()
        store._connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        store._connection.commit()
        before = _everything(store)
        big = Commit(events=(ObservationAdded("c020", 1.0, "m" * 20_000),))
        with pytest.raises(StoreError, match=r"is full.*free space on this disk.*--resume"):
            store.append(big, now=SENT_AT)
        assert _everything(store) == before
        store.close()
        again = opened(url, POOL)
        again.append(big, now=SENT_AT)
        assert [dump_event(event) for event in again.journal()][-1] == dump_event(big.events[0])
        again.close()
        assert shelf.campaign.sequence == again.sequence - 1

    def test_a_file_that_is_no_database_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_bytes(b"Dear diary, " * 1000)
        with pytest.raises(StoreError, match="something else or is damaged"):
            opened(tmp_path / "notes.txt", POOL)

    def test_a_journal_that_lost_its_end_is_refused(self, url: str) -> None:
        store = opened(url, POOL)
        shelf = Shelf(store, POOL, PLAN)
        last = store.sequence
        assert len(shelf.awaited) > 0
        with store._connection.begin():
            store._connection.execute(delete(JOURNAL).where(JOURNAL.c.sequence == last))
        store.close()
        with pytest.raises(StoreError, match=rf"ends at row {last - 1}, and row {last} is known"):
            opened(url, POOL)

    def test_an_error_shows_no_password(self) -> None:
        error = store_error(DBAPIError("", None, Exception("gone")), "postgresql://me:secret@host/db")
        assert "secret" not in str(error)
        assert "postgresql://me:***@host/db" in str(error)

    def test_a_folder_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="check that the folder exists"):
            opened(tmp_path / "nowhere" / "campaign.db", POOL)


def _everything(store: Store) -> dict[str, object]:
    return {table.name: rows(store, table) for table in ALL_TABLES} | {"sequence": store.sequence}
