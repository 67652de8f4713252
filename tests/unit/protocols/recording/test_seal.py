"""A compressed recording is there whole or not at all, and nothing may stand after its seal."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from protocols.errors import StoreError
from protocols.recording import seal as recording_seal
from protocols.recording.reader import check_recording
from protocols.recording.seal import compress_recording
from protocols.recording.writer import RecordingWriter


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
    with pytest.raises(StoreError, match="No space left"):
        compress_recording(source, target)
    assert list(source.parent.iterdir()) == [source], "and nothing of it is left"
    monkeypatch.undo()
    compress_recording(source, target)
    assert check_recording(target).messages == 20


@pytest.mark.parametrize("chunk_bytes", [1 << 20, 30, 64])
@pytest.mark.parametrize("added", ["a zero byte", "an empty member", "rows", "rows and a seal", "a torn member"])
def test_whatever_is_appended_after_the_seal_is_found(
    source: Path, monkeypatch: pytest.MonkeyPatch, added: str, chunk_bytes: int
) -> None:
    target, forged = source.with_name("r.jsonl.gz"), source.with_name("forged.jsonl")
    compress_recording(source, target)
    sound = target.read_bytes()
    length = source.stat().st_size
    writer = RecordingWriter(source, {})
    writer.write("heard", "lab/forged", b"1", retain=False)
    writer.close()
    forged.write_bytes(source.read_bytes()[length:])
    compress_recording(forged, source.with_name("sealed.gz"))
    member = gzip.compress(forged.read_bytes())
    tail = {
        "a zero byte": b"\0",
        "an empty member": gzip.compress(b""),
        "rows": member,
        "rows and a seal": source.with_name("sealed.gz").read_bytes(),
        "a torn member": member[:-9],
    }[added]
    monkeypatch.setattr(recording_seal, "_CHUNK_BYTES", chunk_bytes)
    assert check_recording(target).problem == ""
    target.write_bytes(sound + tail)
    assert check_recording(target).problem == f"after its seal stand {len(tail)} bytes that were added"
