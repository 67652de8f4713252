"""Tests of what a backup says of itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from protocols.errors import StoreError
from scenarios.backup.manifest import MANIFEST, Manifest, SavedFile
from scenarios.backup.sealed import copy_sealed, read_manifest
from scenarios.display.progress import no_progress


def manifest(*files: SavedFile) -> Manifest:
    return Manifest(
        entropilot="0.2.0", campaign="mine", uid="abc", made_at=datetime(2026, 11, 30, tzinfo=UTC), row=4,
        digest="0" * 64, recording_row=9, files=files,
    ).sealed()  # fmt: skip


def test_the_seal_holds_after_a_file_and_back(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(manifest().as_json())
    assert read_manifest(tmp_path) == manifest()


@pytest.mark.parametrize(("found", "changed"), [('"row": 4', '"row": 5'), ('"mine"', '"yours"'), ('"abc"', '"abd"')])
def test_whatever_is_changed_in_it_breaks_the_seal(tmp_path: Path, found: str, changed: str) -> None:
    (tmp_path / MANIFEST).write_text(manifest().as_json().decode().replace(found, changed))
    with pytest.raises(StoreError, match="seal does not hold"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("name", ["../campaign.db", "/etc/passwd", ".hidden", "", "a/b", "a\n"])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    with pytest.raises(ValidationError):
        SavedFile(name=name, size=1, sha256="0" * 64)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"entropilot_backup": 2}', b"\xff"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(StoreError, match="changed since the backup was made"):
        read_manifest(tmp_path)


def test_a_folder_without_one_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no backup"):
        read_manifest(tmp_path)


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    backup, target = tmp_path / "backup", tmp_path / "target"
    backup.mkdir()
    target.mkdir()
    (backup / "campaign.db").symlink_to(tmp_path / "secret")
    told = manifest(SavedFile(name="campaign.db", size=1, sha256="0" * 64))
    with pytest.raises(StoreError, match="no file"):
        copy_sealed(backup, told, target, no_progress)


def test_a_file_that_has_grown_is_not_copied_to_its_end(tmp_path: Path) -> None:
    backup, target = tmp_path / "backup", tmp_path / "target"
    backup.mkdir()
    target.mkdir()
    (backup / "campaign.db").write_bytes(b"x" * 10)
    with pytest.raises(StoreError, match="not the file that was sealed"):
        copy_sealed(backup, manifest(SavedFile(name="campaign.db", size=1, sha256="0" * 64)), target, no_progress)
