"""Tests of removing older backups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from scenarios.backup.keeping import remove_older
from scenarios.backup.manifest import MANIFEST, Manifest

BEGAN = datetime(2026, 11, 30, tzinfo=UTC)


def made(place: Path, hour: int, uid: str = "abc") -> tuple[Path, Manifest]:
    manifest = Manifest(
        entropilot="0.2.0", campaign="mine", uid=uid, made_at=BEGAN + timedelta(hours=hour), row=hour, digest="0" * 64,
        recording_row=None, files=(),
    ).sealed()  # fmt: skip
    folder = place / f"{uid}-{hour}"
    folder.mkdir()
    (folder / MANIFEST).write_bytes(manifest.as_json())
    return folder, manifest


def test_the_latest_stay_and_the_rest_goes(tmp_path: Path) -> None:
    folders = [made(tmp_path, hour) for hour in (3, 1, 2, 4)]
    newest = folders[-1]
    removed = remove_older(*newest, keep=2)
    assert sorted(path.name for path in removed) == ["abc-1", "abc-2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["abc-3", "abc-4"]


def test_what_is_no_whole_backup_of_this_campaign_is_never_touched(tmp_path: Path) -> None:
    made(tmp_path, 1, uid="another")
    changed, _ = made(tmp_path, 2)
    (changed / MANIFEST).write_text((changed / MANIFEST).read_text().replace('"row": 2', '"row": 1'))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    linked, _ = made(tmp_path, 3)
    (tmp_path / "link").symlink_to(linked)
    assert remove_older(*made(tmp_path, 9), keep=1) == (linked,)
    assert {path.name for path in tmp_path.iterdir()} == {"another-1", "abc-2", "notes", "notes.txt", "link", "abc-9"}


def test_a_clock_that_was_set_back_does_not_remove_the_backup_that_was_just_made(tmp_path: Path) -> None:
    made(tmp_path, 8)
    newest = made(tmp_path, 2)
    remove_older(*newest, keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["abc-2"]
