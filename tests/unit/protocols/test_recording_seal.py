"""A compressed recording is there whole or not at all, and nothing may stand after its seal."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from protocols.recording import RecordingWriter
from protocols.recording_reader import check_recording
from protocols.recording_seal import compress_recording


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "r.jsonl"
    writer = RecordingWriter(path, {"campaign": "alloys"})
    for number in range(20):
        writer.write("heard", f"lab/{number}", b"text", retain=False)
    writer.close()
    return path


@pytest.mark.parametrize(("module", "call"), [(shutil, "copyfileobj"), (hashlib, "file_digest"), (os, "fsync")])
def test_until_its_last_byte_is_on_the_disk_a_compressed_recording_is_not_there(
    source: Path, monkeypatch: pytest.MonkeyPatch, module: object, call: str
) -> None:
    target = source.with_name("r.jsonl.gz")

    def refuse(*_: object) -> None:
        assert not target.exists(), "a kill now would leave half of it"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, call, refuse)
    with pytest.raises(OSError, match="No space left"):
        compress_recording(source, target)
    assert list(source.parent.iterdir()) == [source], "and nothing of it is left"
    monkeypatch.undo()
    compress_recording(source, target)
    assert check_recording(target).messages == 20
