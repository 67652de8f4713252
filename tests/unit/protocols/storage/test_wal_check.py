"""A WAL that was damaged is told from one that was torn."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.storage.database import open_engine, sqlite_url
from protocols.storage.wal_check import FRAME_HEAD, PAGE_SIZE, WAL_HEAD, is_damaged

FRAME = FRAME_HEAD.size + PAGE_SIZE


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


@pytest.fixture
def wal(tmp_path: Path) -> Path:
    """A WAL of eight transactions of one or more frames, as a killed process leaves it."""
    connection = sqlite3.connect(tmp_path / "live.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE note (words)")
    for number in range(7):
        connection.execute("INSERT INTO note VALUES (?)", (f"{number}" * 3_000,))
    for name in ("left.db", "left.db-wal"):
        (tmp_path / name).write_bytes((tmp_path / name.replace("left", "live")).read_bytes())
    connection.close()
    return tmp_path / "left.db-wal"


def test_a_whole_wal_is_not_called_damaged(wal: Path) -> None:
    assert not is_damaged(wal)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 40, 56])
def test_a_wal_that_was_hardly_begun_is_not_called_damaged(wal: Path, length: int) -> None:
    wal.write_bytes(wal.read_bytes()[:length])
    assert not is_damaged(wal)


def test_a_wal_that_was_torn_in_its_last_transaction_is_not_called_damaged(wal: Path) -> None:
    whole = wal.read_bytes()
    frames = (len(whole) - WAL_HEAD.size) // FRAME
    for end in range(WAL_HEAD.size + (frames - 1) * FRAME, len(whole), 512):
        wal.write_bytes(whole[:end] + b"\x5a" * (len(whole) - end))
        assert not is_damaged(wal)


def test_a_wal_that_was_torn_when_it_was_begun_anew_is_not_called_damaged(wal: Path) -> None:
    whole = wal.read_bytes()
    wal.write_bytes(b"\x5a" * 512 + whole[512:])
    assert not is_damaged(wal)
    wal.write_bytes(b"\x5a" * 512 + whole[512:4_000])
    assert not is_damaged(wal)


@pytest.mark.parametrize("byte", [0, 5, 9, 17, 21, 25, 29, 33, 60, 5_000, 9_000])
def test_a_bit_flipped_before_the_last_two_transactions_is_called_damage_and_refused(wal: Path, byte: int) -> None:
    flip(wal, 8 * byte + 3)
    assert is_damaged(wal)
    before = wal.read_bytes()
    with pytest.raises(StoreError, match=r"left\.db-wal is damaged"):
        open_engine(sqlite_url(wal.with_name("left.db")))
    assert wal.read_bytes() == before, "what was refused is left as it is"


def test_a_wal_that_is_whole_is_opened_with_all_its_rows(wal: Path) -> None:
    engine = open_engine(sqlite_url(wal.with_name("left.db")))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM note").scalar() == 7
    engine.dispose()
