from __future__ import annotations

import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from protocols.storage import kept
from protocols.storage.kept import KEYS_ASKED, KeptValues, cache_folder


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_what_is_written_is_read_and_nothing_else(tmp_path: Path) -> None:
    values = KeptValues(tmp_path / "new" / "folder" / "v.db")
    assert values.read([key(1)]) == {}
    values.write({key(1): b"one", key(2): b""})
    values.write({key(1): b"another one"})
    assert KeptValues(tmp_path / "new" / "folder" / "v.db").read([key(1), key(2), key(3)]) == {
        key(1): b"another one",
        key(2): b"",
    }


def test_any_number_of_keys_is_asked_for(tmp_path: Path) -> None:
    values = KeptValues(tmp_path / "v.db")
    many = {key(number): str(number).encode() for number in range(2 * KEYS_ASKED + 1)}
    values.write(many)
    assert values.read(list(many)) == many


@pytest.mark.parametrize("harm", ["garbage", "cut", "another table", "a folder"])
def test_a_file_that_is_torn_holds_nothing_and_is_made_again(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "v.db"
    values = KeptValues(path)
    values.write({key(number): bytes(5000) + key(number) for number in range(300)})
    if harm == "garbage":
        path.write_bytes(b"no database at all" * 1000)
    elif harm == "cut":
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    elif harm == "a folder":
        path.unlink()
        path.mkdir()
    else:
        path.unlink()
        with sqlite3.connect(path) as file:
            file.execute("CREATE TABLE kept (other INTEGER)")
        file.close()
    found = values.read([key(number) for number in range(300)])
    assert all(value == bytes(5000) + each for each, value in found.items())
    assert len(found) < 300
    values.write({key(1): b"again"})
    values.write({key(1): b"again"})
    if harm in {"garbage", "cut"}:
        assert values.read([key(1)]) == {key(1): b"again"}


def test_a_value_that_is_not_whole_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    KeptValues(path).write({key(1): b"one" * 100, key(2): b"two" * 100})
    with sqlite3.connect(path) as file:
        file.execute("UPDATE kept SET value = substr(value, 1, length(value) - 3) WHERE key = ?", (key(1),))
    file.close()
    assert KeptValues(path).read([key(1), key(2)]) == {key(2): b"two" * 100}


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = KeptValues(tmp_path / "v.db", max_bytes=400_000)
    noise = random.Random(0)
    monkeypatch.setattr(kept, "_today", lambda: 1)
    values.write({key(number): noise.randbytes(2000) for number in range(50)})
    monkeypatch.setattr(kept, "_today", lambda: 2)
    used = [key(number) for number in range(5)]
    assert len(values.read(used)) == 5
    for begin in range(50, 200, 10):
        values.write({key(number): noise.randbytes(2000) for number in range(begin, begin + 10)})
        assert (tmp_path / "v.db").stat().st_size < 460_000
        if begin == 100:
            assert len(values.read(used)) == 5
            assert len(values.read([key(number) for number in range(5, 50)])) < 45
    assert len(values.read([key(number) for number in range(190, 200)])) == 10


def test_several_may_read_and_write_at_once(tmp_path: Path) -> None:
    def work(first: int) -> int:
        values = KeptValues(tmp_path / "v.db")
        for number in range(first, first + 20):
            values.write({key(number): b"x" * number})
        return len(values.read([key(number) for number in range(first, first + 20)]))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(1, 81, 20))) == [20] * 4


def test_a_folder_that_cannot_be_written_costs_time_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    values = KeptValues(tmp_path / "file" / "v.db")
    values.write({key(1): b"one"})
    assert values.read([key(1)]) == {}


def test_the_cache_is_where_the_user_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "entropilot"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "entropilot"
