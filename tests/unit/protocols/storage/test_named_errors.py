"""An error of an open file says which file it is."""

from __future__ import annotations

import errno
import os
from contextlib import closing
from pathlib import Path

import pytest

from protocols.recording.writer import RecordingWriter
from protocols.storage.named_errors import errors_named
from scenarios.display.console import reported_errors


def test_an_error_without_a_file_gets_one_and_another_keeps_its_own() -> None:
    for own, told in ((None, "a.db"), ("b.db", "b.db")):
        with pytest.raises(OSError, match="full") as failure, errors_named(Path("a.db")):
            raise OSError(errno.ENOSPC, "full", own)
        assert failure.value.filename == told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_under_a_recording_is_told_of_the_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, {})
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._file.fileno())
    os.close(full)
    with pytest.raises(SystemExit) as end, reported_errors(debug=False), closing(writer):
        writer.write("in", "t", b"x", retain=False)
    assert end.value.code == 5
    assert f"The disk is full: {path} cannot be written (No space left on device)" in capsys.readouterr().err
