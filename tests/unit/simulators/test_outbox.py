"""The simulator's memory keeps what it was asked and every answer, whole, until the receipt and long after."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.storage.database import sqlite_url
from simulators.outbox import OUTBOX_VERSION, Answer, AttemptProgress, Change, Outbox

NOW = datetime.now(UTC).isoformat()
REQUEST = b'{"request": "\xc3\xa9"}'


def answer(attempt_id: str, payload: bytes = b'{"result": 1}') -> Answer:
    return Answer(attempt_id, f"lab/result/{attempt_id}", payload)


@contextmanager
def opened(path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(sqlite_url(path))
    try:
        yield outbox
    finally:
        outbox.close()


def received(attempt_id: str) -> Change:
    return Change(attempt_id, AttemptProgress.RECEIVED, request=REQUEST)


def answered(attempt_id: str) -> Change:
    return Change(attempt_id, AttemptProgress.ANSWERED, answer=answer(attempt_id))


def test_an_attempt_passes_through_its_states_and_keeps_request_and_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as outbox:
        assert outbox.find("a-1") is None
        outbox.write([received("a-1")], now=NOW)
        assert outbox.find("a-1") == (AttemptProgress.RECEIVED, Answer("a-1", "", b""))
        assert outbox.requests(AttemptProgress.RECEIVED) == [("a-1", REQUEST)]
        outbox.write([Change("a-1", AttemptProgress.STARTED)], now=NOW)
        assert outbox.requests(AttemptProgress.RECEIVED) == []
        assert outbox.requests(AttemptProgress.STARTED) == [("a-1", REQUEST)]
        outbox.write([answered("a-1")], now=NOW)
        assert outbox.undelivered() == [answer("a-1")]
    with opened(path) as outbox:
        assert outbox.find("a-1") == (AttemptProgress.ANSWERED, answer("a-1"))
        outbox.write([Change("a-1", AttemptProgress.DELIVERED)], now=NOW)
        assert outbox.undelivered() == []
    with opened(path) as outbox:
        assert outbox.find("a-1") == (AttemptProgress.DELIVERED, answer("a-1")), (
            "a repeated request gets the same answer"
        )


def test_several_changes_of_one_attempt_in_one_step_end_in_the_last(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as outbox:
        outbox.write([received("a-1"), Change("a-1", AttemptProgress.STARTED), received("a-2")], now=NOW)
        outbox.write([answered("a-1"), Change("a-1", AttemptProgress.DELIVERED)], now=NOW)
        assert outbox.find("a-1") == (AttemptProgress.DELIVERED, answer("a-1"))
        assert outbox.requests(AttemptProgress.RECEIVED) == [("a-2", REQUEST)]


def test_an_attempt_that_is_there_is_not_begun_again(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as outbox:
        outbox.write([received("a-1"), answered("a-1")], now=NOW)
        outbox.write([received("a-1")], now=NOW)
        assert outbox.find("a-1") == (AttemptProgress.ANSWERED, answer("a-1"))


def test_a_step_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as outbox:
        outbox.write([received("a-1")], now=NOW)
        pages = outbox._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        outbox._connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        outbox._connection.commit()
        heavy = Answer("a-2", "lab/result/a-2", b"x" * 1_000_000)
        with pytest.raises(StoreError, match="full"):
            outbox.write(
                [
                    received("a-2"),
                    Change("a-1", AttemptProgress.STARTED),
                    Change("a-2", AttemptProgress.ANSWERED, answer=heavy),
                ],
                now=NOW,
            )
    with opened(path) as outbox:
        assert outbox.requests(AttemptProgress.RECEIVED) == [("a-1", REQUEST)]
        assert outbox.find("a-2") is None


def test_nothing_to_write_opens_no_transaction(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as outbox, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outbox.write([], now=NOW)
        other.execute("ROLLBACK")


def test_requests_come_back_in_the_order_in_which_they_came_whatever_the_clock_said(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as outbox:
        for hour, attempt_id in ((3, "a-1"), (1, "b-2"), (2, "c-3"), (2, "b-3")):
            outbox.write([received(attempt_id)], now=f"2026-01-01T0{hour}:00:00+00:00")
        assert [attempt_id for attempt_id, _ in outbox.requests(AttemptProgress.RECEIVED)] == [
            "a-1",
            "b-2",
            "c-3",
            "b-3",
        ]


def test_only_answers_with_a_receipt_are_forgotten_when_many_came_after_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.outbox.KEEP_DELIVERED", 3)
    path = tmp_path / "a.db"
    with opened(path) as outbox:
        for name in ("old", "young"):
            outbox.write([received(f"{name}-{how}") for how in ("delivered", "answered", "begun")], now=NOW)
            outbox.write(
                [
                    answered(f"{name}-delivered"),
                    Change(f"{name}-delivered", AttemptProgress.DELIVERED),
                    answered(f"{name}-answered"),
                    Change(f"{name}-begun", AttemptProgress.STARTED),
                ],
                now=NOW,
            )
    with opened(path) as outbox:
        assert outbox.find("old-delivered") is None
        assert outbox.find("young-delivered") is not None
        assert {each.attempt_id for each in outbox.undelivered()} == {"old-answered", "young-answered"}
        assert {each for each, _ in outbox.requests(AttemptProgress.STARTED)} == {"old-begun", "young-begun"}


def test_the_oldest_are_forgotten_while_the_memory_is_used_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.outbox.KEEP_DELIVERED", 10)
    monkeypatch.setattr("simulators.outbox.FORGET_EVERY", 4)
    with opened(tmp_path / "a.db") as outbox:
        outbox.write([received("waits")], now=NOW)
        for number in range(100):
            outbox.write([received(f"d-{number}"), received(f"w-{number}")], now=NOW)
            over = [Change(f"d-{number}", AttemptProgress.DELIVERED), Change(f"w-{number}", AttemptProgress.WITHDRAWN)]
            outbox.write(over, now=NOW)
        known = [each for number in range(100) for each in (f"d-{number}", f"w-{number}") if outbox.find(each)]
        assert 10 <= len(known) <= 10 + 4
        assert known[-1] == "w-99"
        assert outbox.find("waits") == (AttemptProgress.RECEIVED, Answer("waits", "", b""))


def test_of_what_is_withdrawn_it_is_kept_that_it_was_and_not_what_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as outbox:
        outbox.write([received("a-1"), Change("a-1", AttemptProgress.WITHDRAWN)], now=NOW)
    with opened(path) as outbox:
        assert outbox.find("a-1") == (AttemptProgress.WITHDRAWN, Answer("a-1", "", b""))
        assert outbox.requests(AttemptProgress.WITHDRAWN) == [("a-1", b"")]


def test_the_size_of_what_was_asked_and_is_not_over_is_known_and_after_a_restart_too(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as outbox:
        outbox.write([received(each) for each in ("a-1", "b-2", "c-3", "d-4")], now=NOW)
        outbox.write([Change("a-1", AttemptProgress.STARTED), answered("b-2")], now=NOW)
        assert outbox.open_bytes == 4 * len(REQUEST)
        outbox.write([Change("c-3", AttemptProgress.WITHDRAWN)], now=NOW)
        assert outbox.open_bytes == 3 * len(REQUEST)
    with opened(path) as outbox:
        assert outbox.open_bytes == 3 * len(REQUEST)
        outbox.write([Change("b-2", AttemptProgress.DELIVERED, receipt=b"thanks")], now=NOW)
        assert outbox.open_bytes == 2 * len(REQUEST)


def test_a_delivered_attempt_is_known_after_a_restart_whatever_the_clock_said(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as outbox:
        outbox.write([received("a-1")], now="1970-01-01T00:00:00+00:00")
        outbox.write([answered("a-1"), Change("a-1", AttemptProgress.DELIVERED)], now="1970-01-01T00:00:00+00:00")
    with opened(path) as outbox:
        assert outbox.find("a-1") == (AttemptProgress.DELIVERED, answer("a-1")), (
            "else it would be evaluated a second time"
        )


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as outbox:
        outbox.write([received("a-1")], now=NOW)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (OUTBOX_VERSION,)
        other.execute(f"PRAGMA user_version={OUTBOX_VERSION + 1}")
    with pytest.raises(StoreError) as caught, opened(path):
        pass
    assert f"version {OUTBOX_VERSION + 1}" in caught.value.found
    assert "the Entropilot that wrote it" in caught.value.action
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (OUTBOX_VERSION + 1,)
        assert other.execute("SELECT attempt_id FROM attempt").fetchall() == [("a-1",)]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"no database at all, this is a shopping list " * 50)
    with pytest.raises(StoreError, match="not a database"), opened(path):
        pass


def test_a_receipt_is_kept_as_it_came_and_one_without_changes_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as outbox:
        outbox.write([received("a-1"), received("a-2")], now=NOW)
        outbox.write([answered("a-1"), answered("a-2")], now=NOW)
        outbox.write([Change("a-1", AttemptProgress.DELIVERED, receipt=b"the receipt")], now=NOW)
        outbox.write([Change("a-2", AttemptProgress.DELIVERED)], now=NOW)
    with closing(sqlite3.connect(path)) as other:
        kept = other.execute("SELECT attempt_id, progress, receipt FROM attempt ORDER BY attempt_id").fetchall()
    assert kept == [("a-1", "delivered", b"the receipt"), ("a-2", "delivered", b"")]
    opened(path).__enter__().close()  # and is whole


def test_a_memory_of_0_1_is_brought_up_to_date_with_all_that_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path) as outbox:
        outbox.write([received("a-1"), received("a-2")], now=NOW)
        outbox.write([answered("a-1")], now=NOW)
    with closing(sqlite3.connect(path)) as other:
        other.execute("ALTER TABLE attempt DROP COLUMN receipt")
        other.execute("ALTER TABLE attempt DROP COLUMN receipt_digest")
        other.execute("PRAGMA user_version=2")
    for _ in range(2):
        with opened(path) as outbox:
            assert outbox.undelivered() == [answer("a-1")]
            assert outbox.requests(AttemptProgress.RECEIVED) == [("a-2", REQUEST)]
    with opened(path) as outbox:
        outbox.write([Change("a-1", AttemptProgress.DELIVERED, receipt=b"r")], now=NOW)
        assert outbox.find("a-1") == (AttemptProgress.DELIVERED, answer("a-1"))


CHANGES = {
    "a request": "UPDATE attempt SET request = x'00' WHERE attempt_id = 'a-2'",
    "an answer": "UPDATE attempt SET answer = replace(answer, '1', '2') WHERE attempt_id = 'a-2'",
    "an answer's bytes": "UPDATE attempt SET answer = cast(replace(answer, '1', '2') AS BLOB) WHERE attempt_id = 'a-2'",
    "a topic": "UPDATE attempt SET answer_topic = 'lab/result/a-3' WHERE attempt_id = 'a-2'",
    "an id": "UPDATE attempt SET attempt_id = 'a-9' WHERE attempt_id = 'a-2'",
    "an answer taken away": "UPDATE attempt SET answer = x'' WHERE attempt_id = 'a-2'",
    "a receipt": "UPDATE attempt SET receipt = x'00' WHERE attempt_id = 'a-2'",
    "a receipt taken away": "UPDATE attempt SET receipt = x'' WHERE attempt_id = 'a-2'",
    "when it came": "UPDATE attempt SET received_at = '2000-01-01T00:00:00' WHERE attempt_id = 'a-2'",
    "when one came that is not answered": "UPDATE attempt SET received_at = '2000' WHERE attempt_id = 'a-1'",
    "a progress that is none": "UPDATE attempt SET progress = 'sta2ted' WHERE attempt_id = 'a-2'",
}


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
def test_what_the_disk_has_changed_is_refused_at_the_start_with_its_attempt(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "a.db"
    with opened(path) as outbox:
        outbox.write([received("a-1"), received("a-2")], now=NOW)
        outbox.write([answered("a-2")], now=NOW)
        outbox.write([Change("a-2", AttemptProgress.DELIVERED, receipt=b"r")], now=NOW)
    with opened(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(statement).rowcount == 1
        connection.commit()
    with pytest.raises(StoreError, match=r"Attempt 'a-[129]' .* was changed by something else"):
        Outbox.open(sqlite_url(path))
