from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import StoreError
from scenarios.export.place import Member, require_free_place, write_folder, write_zip

FILES = [Member.of("a.txt", b"one"), Member.of("deep/b.txt", b"two")]


def test_a_folder_is_there_with_all_files_or_not_at_all(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"begun"
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        write_folder(tmp_path / "out", [*FILES, Member("c.txt", broken)])
    assert list(tmp_path.iterdir()) == []
    write_folder(tmp_path / "out", FILES)
    assert (tmp_path / "out/deep/b.txt").read_bytes() == b"two"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_came_to_be_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be written"):
        write_folder(tmp_path / "out", FILES)
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["mine"]


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    for name in ("one.zip", "other.zip"):
        write_zip(tmp_path / name, FILES)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "one.zip").read("deep/b.txt") == b"two"


def test_nothing_is_overwritten_and_nothing_goes_into_a_run_folder(tmp_path: Path, folder: Path) -> None:
    taken = tmp_path / "there.json"
    taken.write_text("{}", encoding="utf-8")
    for place, why in (
        (taken, "is there already"),
        (folder / "export", "in a run folder"),
        (folder / "deep" / "export.zip", "in a run folder"),
    ):
        with pytest.raises(StoreError, match=why):
            require_free_place(place, folder)
    require_free_place(tmp_path / "free", folder)
