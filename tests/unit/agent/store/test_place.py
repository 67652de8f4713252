"""A run folder says where its database is; what cannot be read is told, and a person has the last word."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from agent.store.place import DatabasePlace, elsewhere, read_place, write_place
from protocols.errors import StoreError
from tests.support.campaigns import small_pool
from tests.support.stored_campaigns import opened

PLACE = DatabasePlace(url="postgresql+psycopg://lab@host/name", uid="a1")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert read_place(tmp_path) is None
    write_place(tmp_path, PLACE)
    written = (tmp_path / "database.json").stat()
    write_place(tmp_path, PLACE)
    assert (tmp_path / "database.json").stat() == written, "what is there already is not written again"
    assert read_place(tmp_path) == PLACE
    assert elsewhere(tmp_path, None) == PLACE.url
    assert elsewhere(tmp_path, "sqlite:///x.db") == "sqlite:///x.db"


def test_the_path_of_a_file_is_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(opened("sqlite:///x.db", small_pool(8))) as store:
        assert store.place("a1").url == f"sqlite:///{tmp_path}/x.db"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff\x00", b'{"url": "mysql://x/y", "uid": "a"}', b'{"url": "x"}', b"[" * 20_000]
)
def test_one_that_cannot_be_read_is_told_and_written_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "database.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"database\.json does not tell where the database is"):
        read_place(tmp_path)
    write_place(tmp_path, PLACE)
    assert read_place(tmp_path) == PLACE
