"""A recording is read row by row, of every format and compressed too, and whatever is not one is said."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import StoreError
from protocols.recording import reader as recording_reader
from protocols.recording.lines import EventRow, MessageRow, StartRow, TransactionRow, sealed
from protocols.recording.reader import RecordingCheck, check_lines, check_recording, open_recording, read_header
from protocols.recording.seal import compress_recording
from protocols.recording.writer import RecordingWriter

HEADER = {"campaign": "alloys", "pool_digest": "0f", "started_at": "2026-01-31", "versions": {"numpy": "2"}}

INFINITY = float("inf")
"""JSON knows none, but Python reads one."""


def write(path: Path, messages: int = 2) -> Path:
    writer = RecordingWriter(path, HEADER | {"scenario": {"name": "x"}})
    writer.note_event(1, "CampaignPaused", '{"reason": "é"}')
    writer.note_start(1)
    for number in range(messages):
        writer.write("in", f"lab/{number}", b"\xff\x00" if number else b"text", retain=True, qos=number % 2)
    writer.note_transaction([{"row": 3}], [("DecisionMade", '{"decision": 0}')], before=1, sequence=3)
    writer.close()
    return path


def manually(path: Path, *rows: dict[str, Any]) -> Path:
    """Write rows whose digests fit, whatever they say."""
    lines, digest = [], ""
    for content in ({"entropilot_recording": 3, **HEADER}, *rows):
        line, digest = sealed(digest, content)
        lines.append(line)
    path.write_text("\n".join(lines) + "\n")
    return path


def test_every_kind_of_row_comes_back_as_it_was_written(tmp_path: Path) -> None:
    with open_recording(write(tmp_path / "r.jsonl")) as recording:
        event, start, text, binary, step = recording.rows()
        assert (recording.messages, recording.note, recording.header.campaign) == (2, "", "alloys")
    assert isinstance(event, EventRow)
    assert json.loads(event.event) == {"reason": "é"}
    assert isinstance(start, StartRow)
    assert isinstance(text, MessageRow)
    assert (text.topic, text.payload, text.retain, text.qos) == ("lab/0", b"text", True, 0)
    assert isinstance(binary, MessageRow)
    assert (binary.payload, binary.qos) == (b"\xff\x00", 1)
    assert isinstance(step, TransactionRow)
    assert (step.took, step.before, step.sequence) == (({"row": 3},), 1, 3)
    assert step.made == (("DecisionMade", {"decision": 0}),)


def test_a_row_that_only_some_readers_of_json_take_is_read(tmp_path: Path) -> None:
    row = {"n": 1, "t": 0.0, "dir": "in", "topic": "half a \ud800", "retain": False, "text": "x"}
    with open_recording(manually(tmp_path / "r.jsonl", row)) as recording:
        (message,) = recording.rows()
    assert isinstance(message, MessageRow)
    assert message.topic == "half a \ud800"


def test_every_changed_byte_of_a_compressed_recording_is_found(tmp_path: Path) -> None:
    packed, changed = tmp_path / "r.jsonl.gz", tmp_path / "changed.gz"
    compress_recording(write(tmp_path / "r.jsonl"), packed)
    sound = packed.read_bytes()
    assert gzip.decompress(sound) == (tmp_path / "r.jsonl").read_bytes(), "gunzip reads over the seal"
    check = check_recording(packed)
    assert (check.messages, check.problem, check.note) == (2, "", "")
    for at in range(len(sound)):
        for byte in {sound[at] ^ 1, sound[at] ^ 128, 0, 255} - {sound[at]}:
            changed.write_bytes(sound[:at] + bytes([byte]) + sound[at + 1 :])
            assert check_recording(changed).problem, (at, byte)


def test_the_same_lines_are_compressed_to_the_same_bytes(tmp_path: Path) -> None:
    source = write(tmp_path / "r.jsonl")
    compress_recording(source, tmp_path / "a.gz")
    compress_recording(source, tmp_path / "b.gz")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_a_file_that_another_program_compressed_is_sound_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(gzip.compress(write(tmp_path / "r.jsonl").read_bytes()))
    check = check_recording(path)
    assert (check.messages, check.problem) == (2, "")
    assert "without a seal" in check.note


def test_a_compressed_recording_that_ends_early_gives_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.gz"
    compress_recording(write(tmp_path / "r.jsonl", messages=300), path)
    path.write_bytes(path.read_bytes()[:-200])
    check = check_recording(path)
    assert check.messages > 0
    assert "is torn" in check.note


def test_a_recording_of_0_1_0_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(sealed("", {"entropilot_recording": 2, **HEADER})[0] + "\n")
    before = path.read_bytes()
    refusal = r"version 2, which Entropilot 0\.1 wrote.*replay it with Entropilot 0\.1\.0, or record it again"
    with pytest.raises(StoreError, match=refusal):
        read_header(path)
    assert path.read_bytes() == before


def test_the_last_note_is_found_below_thousands_of_messages(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl")
    writer = RecordingWriter(path, HEADER)
    for _ in range(3_000):
        writer.write("in", "lab/flood", b"x" * 200, retain=False)
    writer.close()
    writer = RecordingWriter(path, HEADER)
    assert (writer.before, writer.sequence) == (1, 3)
    writer.close()
    assert check_recording(path).messages == 3_002


def test_a_recording_is_read_in_constant_memory(tmp_path: Path) -> None:
    def peak(messages: int) -> int:
        path = write(tmp_path / f"{messages}.jsonl", messages)
        tracemalloc.start()
        with open_recording(path) as recording:
            for _ in recording.rows():
                pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    small, large = peak(500), peak(20_000)
    assert large < small + 200_000, "bytes: a row takes 300 and there are 20,000"


NO_ROW = "line 2: it is no row of a recording"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"n": 1, "t": 1.0, "note": "start", "sequence": "x"}, "line 2: it is no row of a recording"),
        ({"n": 1, "t": 1.0, "note": "end"}, "line 2: it is no row of a recording"),
        ({"n": 1, "t": -1.0, "note": "start", "sequence": 1}, f"{NO_ROW} (ValueError: t is -1.0, expected seconds"),
        ({"n": 1, "t": "soon", "note": "start", "sequence": 1}, f"{NO_ROW} (ValueError: t is 'soon', expected seconds"),
        ({"n": 1, "t": 1.0}, "line 2: it is no row of a recording"),
        ({"n": 1, "t": 10**400, "note": "start", "sequence": 1}, "line 2: it is no row of a recording"),
        ({"n": 1, "t": 1.0, "note": "start", "sequence": INFINITY}, "line 2: it is no row of a recording"),
        ({"n": 1, "t": 1.0, "note": "event", "kind": "", "event": {}, "sequence": INFINITY}, "line 2: it is no row"),
        (
            {"n": 1, "t": 1.0, "note": "transaction", "took": [], "made": [], "before": INFINITY, "sequence": 1},
            "line 2: it is",
        ),
        (
            {"n": 1, "t": 1.0, "dir": "in", "topic": "", "retain": False, "text": "", "qos": INFINITY},
            "line 2: it is no",
        ),
        ({"n": 1, "t": 1.0, "dir": "up", "topic": "x", "retain": False, "text": ""}, "line 2: it is no row"),
        ({"n": 1, "t": 1.0, "dir": "in", "topic": "x", "retain": False, "base64": "%"}, "line 2: it is no row"),
        (
            {"n": 1, "t": 1.0, "note": "transaction", "took": 1, "made": [], "before": 1, "sequence": 1},
            "line 2: it is no row",
        ),
        ({"n": 2, "t": 1.0, "note": "start", "sequence": 1}, "line 2: its number is 2, expected 1"),
    ],
)
def test_a_row_that_says_nonsense_is_found_although_its_digest_fits(
    tmp_path: Path, row: dict[str, Any], words: str
) -> None:
    assert check_recording(manually(tmp_path / "r.jsonl", row)).problem.startswith(words)


def test_times_that_run_backwards_are_found(tmp_path: Path) -> None:
    rows = [{"n": n, "t": t, "note": "start", "sequence": 1} for n, t in ((1, 5.0), (2, 5.0), (3, 4.9))]
    problem = check_recording(manually(tmp_path / "r.jsonl", *rows)).problem
    assert problem == "line 4: its time, 4.9 s, is before that of the row before, 5 s"


def test_a_header_tells_how_its_arithmetic_was_pinned(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    pinned = {"OPENBLAS_CORETYPE": "Haswell"}
    path.write_text(sealed("", {"entropilot_recording": 3, **HEADER, "arithmetic": pinned})[0] + "\n")
    assert read_header(path).arithmetic == pinned
    assert read_header(write(tmp_path / "plain.jsonl")).arithmetic == {}


@pytest.mark.parametrize(
    "member", [{"scenario": [1]}, {"campaign": 5}, {"versions": 7}, {"versions": ["abc"]}, {"arithmetic": ["a", "b"]}]
)
def test_a_header_of_another_kind_is_found(tmp_path: Path, member: dict[str, Any]) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(sealed("", {"entropilot_recording": 3, **HEADER, **member})[0] + "\n")
    assert "line 1: the header lacks" in check_recording(path).problem


@pytest.mark.parametrize("member", [{"campaign": "\ud800"}, {"scenario": {"about": "\udfff"}}])
def test_a_header_of_what_is_no_text_is_found(tmp_path: Path, member: dict[str, Any]) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(sealed("", {"entropilot_recording": 3, **HEADER, **member})[0] + "\n")
    assert "line 1: the header holds half a surrogate pair" in check_recording(path).problem


def test_a_gigantic_line_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_reader, "MAX_LINE_BYTES", 2 << 20)
    path = write(tmp_path / "r.jsonl")
    with path.open("ab") as file:
        file.write(b"x" * (5 << 20))
    assert check_recording(path).problem == "line 7: it is longer than 2 MiB"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "There is no recording"),
        (lambda path: path.mkdir(), "is a folder"),
        (os.mkfifo, "is a pipe or a device"),
        (lambda path: path.write_bytes(b""), "line 1: the file is empty"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00"), "line 1: it is not JSON (the file begins with"),
        (lambda path: path.write_bytes(b'{"a": 1}\n'), "line 1: it is not the header of a recording"),
        (lambda path: path.write_bytes(b"\x1f\x8bnot gzip"), "line 1: the compressed file was changed"),
    ],
)
def test_what_is_no_recording_is_said_and_nothing_hangs(tmp_path: Path, make: Any, words: str) -> None:
    path = tmp_path / "r.jsonl"
    make(path)
    with pytest.raises(StoreError) as caught:
        read_header(path)
    assert words in caught.value.found
    assert caught.value.expected


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "r.jsonl")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StoreError, match="cannot be read"):
        read_header(path)


def test_a_file_that_cannot_be_read_any_further_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError(5, "Input/output error")

    with open_recording(write(tmp_path / "r.jsonl")) as recording:
        monkeypatch.setattr(recording_reader, "_next_line", refuse)
        with pytest.raises(StoreError, match="cannot be read"):
            list(recording.rows())


def test_what_fails_at_who_reads_is_not_said_of_the_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl")
    with pytest.raises(ConnectionRefusedError), open_recording(path) as recording:  # noqa: PT012  # the very case
        for _ in recording.rows():
            raise ConnectionRefusedError(111, "Connection refused")


def test_how_much_of_the_file_was_read_is_known_for_a_progress_bar(tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", 3_000)
    with open_recording(path) as recording:
        first = recording.bytes_read
        for _ in recording.rows():
            pass
        assert first < recording.bytes_read == path.stat().st_size


def test_an_open_recording_is_checked_by_the_name_that_it_is_given(tmp_path: Path) -> None:
    with write(tmp_path / "r.jsonl").open("rb") as file:
        assert check_lines(Path("inside"), file) == RecordingCheck(2, version=3, pool_digest="0f", before=1, sequence=3)
    assert check_lines(Path("inside"), io.BytesIO(b"none\n")).problem.startswith("line 1: it is not JSON")
