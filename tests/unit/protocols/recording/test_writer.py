"""A recording holds every message in order, and a line that was edited, lost, added or torn is found."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import StoreError
from protocols.recording.allowance import IdleAllowance
from protocols.recording.lines import MessageRow
from protocols.recording.reader import check_recording, open_recording
from protocols.recording.writer import FLUSH_EVERY_S, RecordingWriter
from protocols.wire.limits import MAX_PAYLOAD_BYTES, QUARANTINE_PREFIX_BYTES

HEADER = {"campaign": "alloys", "settings": {"seed": 1, "name": "é"}}


def read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return header and rows; check the chain of digests as the module's docstring defines it, and the numbers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    header = json.loads(lines[0])
    before = ""
    rows = [json.loads(line) for line in lines[1:]]
    for number, row in enumerate([header, *rows]):
        assert number == row.get("n", 0)
        without = json.dumps({name: value for name, value in row.items() if name != "digest"})
        before = hashlib.sha256(f"{before}{without}".encode()).hexdigest()[:16]
        assert row["digest"] == before, f"the chain breaks at line {number}"
    times = [row["t"] for row in rows]
    assert times == sorted(times)
    assert all(each >= 0 for each in times)
    return header, rows


def write(path: Path, *payloads: bytes) -> None:
    writer = RecordingWriter(path, HEADER)
    for payload in payloads:
        writer.write("in", "lab/x", payload, retain=False)
    writer.close()


def test_who_signed_a_message_or_why_that_cannot_be_told_stands_with_it_and_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    with closing(RecordingWriter(path, HEADER)) as writer:
        writer.write("in", "lab/x", b"{}", retain=False, signed_by="furnace")
        writer.write("in", "lab/x", b"{}", retain=False, signature_fault="another key")
        writer.write("in", "lab/x", b"{}", retain=False)
    _, rows = read(path)
    assert [(row.get("signed_by"), row.get("signature_fault")) for row in rows] == [
        ("furnace", None),
        (None, "another key"),
        (None, None),
    ]
    with open_recording(path) as recording:
        told = [(row.signed_by, row.signature_fault) for row in recording.rows() if isinstance(row, MessageRow)]
    assert told == [("furnace", ""), ("", "another key"), ("", "")]


def test_the_first_line_says_what_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    write(path)
    header, rows = read(path)
    assert header == {"entropilot_recording": 3, **HEADER, "digest": header["digest"]}
    assert rows == []


def test_a_message_stands_with_number_direction_topic_retain_flag_and_text(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, HEADER)
    writer.write("in", "lab/in", '{"é": 1}\n'.encode(), retain=False)
    writer.write("out", "lab/out", b"", retain=True, properties={"content_type": "text/plain"})
    writer.close()
    _, rows = read(path)
    assert [row.get("properties") for row in rows] == [None, {"content_type": "text/plain"}]
    kept = [{name: row[name] for name in ("n", "dir", "topic", "retain", "text")} for row in rows]
    assert kept == [
        {"n": 1, "dir": "in", "topic": "lab/in", "retain": False, "text": '{"é": 1}\n'},
        {"n": 2, "dir": "out", "topic": "lab/out", "retain": True, "text": ""},
    ]


@pytest.mark.parametrize("payload", [b"\xff\x00", b"\xc3", bytes(range(256))])
def test_bytes_that_are_no_text_are_kept_to_the_last_bit(tmp_path: Path, payload: bytes) -> None:
    path = tmp_path / "recording.jsonl"
    write(path, payload)
    (row,) = read(path)[1]
    assert base64.b64decode(row["base64"]) == payload
    assert "text" not in row


@pytest.mark.parametrize("tamper", ["edit", "drop", "swap", "add", "header"])
def test_a_line_that_was_tampered_with_breaks_the_chain(tmp_path: Path, tamper: str) -> None:
    path = tmp_path / "recording.jsonl"
    write(path, b"1", b"2", b"3")
    read(path)
    lines = path.read_text().splitlines()
    match tamper:
        case "edit":
            lines[2] = lines[2].replace('"text": "2"', '"text": "8"')
        case "drop":
            lines[2:] = [lines[3].replace('"n": 3', '"n": 2')]
        case "swap":
            lines[1:3] = [lines[2].replace('"n": 2', '"n": 1'), lines[1].replace('"n": 1', '"n": 2')]
        case "add":
            lines.append(lines[3].replace('"n": 3', '"n": 4'))
        case "header":
            lines[0] = lines[0].replace('"seed": 1', '"seed": 2')
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(AssertionError, match="the chain breaks"):
        read(path)


def test_a_recording_is_continued_with_its_numbers_its_clock_and_its_chain(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    write(path, b"1")
    write(path, b"2", b"3")
    write(path)
    write(path, b"4")
    header, rows = read(path)
    assert header["campaign"] == "alloys"
    assert [row["text"] for row in rows] == ["1", "2", "3", "4"]


def test_the_clock_goes_on_where_the_last_whole_line_was(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    write(path)
    line: dict[str, Any] = {"n": 1, "t": 1234.5, "dir": "in", "topic": "x", "retain": False, "text": "", "digest": "0"}
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    write(path, b"later")
    last = json.loads(path.read_text().splitlines()[-1])
    assert 1234.5 <= last["t"] < 1294.5
    assert last["n"] == 2


@pytest.mark.parametrize("kept", range(1, 110, 6))
def test_a_torn_last_line_is_cut_off_and_the_recording_goes_on(tmp_path: Path, kept: int) -> None:
    """A killed process leaves any beginning of its last line."""
    path = tmp_path / "recording.jsonl"
    write(path, b"1", b"2")
    whole = path.read_bytes()
    write(path, b"torn")
    last = path.read_bytes()[len(whole) :]
    assert kept < len(last)
    path.write_bytes(whole + last[:kept])
    write(path, b"3")
    assert [row["text"] for row in read(path)[1]] == ["1", "2", "3"]


def test_a_recording_with_its_header_only_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, HEADER)  # not closed: the process was killed at once
    assert path.stat().st_size > 0, "the header is on its way to the disk before the first message"
    write(path, b"1")
    assert [row["text"] for row in read(path)[1]] == ["1"]
    writer.close()


def test_an_empty_file_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    path.touch()
    write(path, b"1")
    assert len(read(path)[1]) == 1


@pytest.mark.parametrize(
    "content",
    [
        "a note without an end",
        "a note\n",
        "[1, 2]\n",
        "5\n",
        '{"n": 1}\n',
        '"n"\n',
        "\xff\xfe\n",
        '{"n": "x", "t": 0}\n',
        '{"n": Infinity, "t": 0, "digest": ""}\n',
    ],
)
def test_a_file_that_is_something_else_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "recording.jsonl"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(StoreError) as caught:
        RecordingWriter(path, HEADER)
    assert str(path) in caught.value.found
    assert caught.value.action
    assert path.read_text(encoding="latin-1") == content


def test_a_last_line_of_megabytes_is_continued(tmp_path: Path) -> None:
    """A start set of many rows is one line; torn or whole, the end is found."""
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, HEADER)
    writer.note_event(1, "StartSetLoaded", json.dumps({"values": [0.25] * 400_000}))
    writer.close()
    write(path, b"1")
    with path.open("a") as file:
        file.write("x" * 500_000)
    write(path, b"2")
    assert [row.get("text") for row in read(path)[1]] == [None, "1", "2"]


def test_a_very_long_recording_is_continued_by_its_end(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    write(path, *(b"x" * 60_000 for _ in range(40)))
    write(path, b"last")
    assert [row["n"] for row in read(path)[1]] == list(range(1, 42))


@pytest.mark.parametrize("payload", [b"x" * (3 << 20), b"\x01" * (3 << 20), b"\xff" * (3 << 20)])
def test_a_strangers_huge_message_is_cut_and_the_recording_stays_sound_and_is_continued(
    tmp_path: Path, payload: bytes
) -> None:
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, HEADER)
    writer.write("in", "\x01" * 65_535, payload, retain=False)
    writer.close()
    assert path.stat().st_size < 1 << 20
    write(path, b"y" * MAX_PAYLOAD_BYTES)
    first, second = read(path)[1]
    kept = base64.b64decode(first["base64"]) if "base64" in first else first["text"].encode()
    assert kept == payload[: MAX_PAYLOAD_BYTES + 1], "too large in a replay as well"
    assert first["cut_from_bytes"] == len(payload)
    assert (len(second["text"]), "cut_from_bytes" in second) == (MAX_PAYLOAD_BYTES, False)
    assert (check_recording(path).messages, check_recording(path).problem) == (2, "")


@pytest.mark.parametrize("payload", [b"x" * 60_000, b"\xff" * 60_000, "é".encode() * 30_000])
def test_of_a_message_that_changed_nothing_the_beginning_is_kept_with_size_digest_and_verdict(
    tmp_path: Path, payload: bytes
) -> None:
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, HEADER)
    number = writer.write_idle("in", "lab/" + 60_000 * "x", payload, "quarantined: not_json", retain=False, qos=0)
    writer.write_idle("in", "lab/x", b"short", "status", retain=False, qos=1)
    writer.close()
    assert path.stat().st_size < 8 * QUARANTINE_PREFIX_BYTES
    row, short = read(path)[1]
    assert (number, row["verdict"], row["cut_from_bytes"]) == (1, "quarantined: not_json", 60_000)
    assert row["sha256"] == hashlib.sha256(payload).hexdigest()
    assert len(row["topic"]) == QUARANTINE_PREFIX_BYTES
    kept = base64.b64decode(row["base64"]) if "base64" in row else row["text"].encode()
    assert kept == payload[:QUARANTINE_PREFIX_BYTES]
    assert (short["text"], "sha256" in short) == ("short", False)


def test_a_flood_that_changes_nothing_is_counted_and_what_changes_something_is_always_written(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, HEADER, allowance=IdleAllowance(20_000, 0.0))
    rows = [writer.write_idle("in", "t", b"x" * 60_000, "v", retain=False, qos=1) for _ in range(1_000)]
    assert 10 < sum(row is not None for row in rows) < 20
    assert rows[-1] is None
    last = writer.write("in", "t", b"y" * 60_000, retain=False)
    writer.close()
    assert path.stat().st_size < 20_000 + 61_000
    assert [row["n"] for row in read(path)[1]] == list(range(1, last + 1))


def test_a_recording_as_it_was_written_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    write(path)
    assert (check_recording(path).messages, check_recording(path).problem) == (0, "")
    write(path, b"one", b"two")
    write(path, b'a "digest": in it', b"\xff\x00")
    check = check_recording(path)
    assert (check.messages, check.problem, check.note) == (4, "", "")


def test_every_single_byte_that_is_changed_is_found_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    write(path, b"one", '{"é": "two"}'.encode(), b"\xff")
    sound = path.read_bytes()
    for at in range(len(sound)):
        for byte in {sound[at] ^ 1, sound[at] ^ 128, *b'\n"01'} - {sound[at]}:
            path.write_bytes(sound[:at] + bytes([byte]) + sound[at + 1 :])
            check = check_recording(path)
            line = sound[:at].count(b"\n") + 1
            assert check.problem.startswith(f"line {line}: "), (at, byte, check)


def test_a_header_that_was_made_one_of_0_1_0_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    write(path)
    path.write_text(path.read_text().replace('"entropilot_recording": 3', '"entropilot_recording": 2'))
    assert check_recording(path).problem.startswith("line 1: it is of version 2, which Entropilot 0.1 wrote")


def test_a_line_that_is_missing_or_twice_is_found(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    write(path, b"one", b"two", b"three")
    lines = path.read_bytes().splitlines(keepends=True)
    for changed, line in ((lines[:2] + lines[3:], 3), ([*lines[:3], lines[2], lines[3]], 4), (lines[1:], 1)):
        path.write_bytes(b"".join(changed))
        assert check_recording(path).problem.startswith(f"line {line}: ")


def test_a_torn_last_line_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    write(path, b"one", b"two")
    whole = path.read_bytes()
    last = whole[:-1].rfind(b"\n") + 1
    for end in range(last + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        check = check_recording(path)
        assert (check.messages, check.problem) == (1, "")
        assert check.note.startswith("line 3 is torn")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1: the file is empty"),
        (b"\x7fELF\x00\n", "line 1: it is not JSON"),
        (b"[1]\n", "line 1: it is no object"),
        (b'{"n": 1}\n', "line 1: it is not the header of a recording"),
        (b'{"entropilot_recording": 4}\n', "line 1: it is of version 4, and this Entropilot reads versions up to 3"),
        (b'{"entropilot_recording": 3, "campaign": "c"}\n', "line 1: its digest does not fit"),
        (b'{"entropilot_recording": 3, "camp', "line 1: the header is torn"),
    ],
)
def test_what_is_no_recording_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "recording.jsonl"
    path.write_bytes(content)
    assert check_recording(path).problem.startswith(words)


def test_a_line_of_another_number_is_found_although_its_digest_fits(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, HEADER)
    writer._number = 6
    writer.write("in", "lab/x", b"1", retain=False)
    writer.close()
    assert check_recording(path).problem == "line 2: its number is 7, expected 1"


def test_a_recording_is_on_the_disk_a_second_later_though_nobody_closes_it(tmp_path: Path) -> None:
    path = tmp_path / "recording.jsonl"
    writer = RecordingWriter(path, HEADER)
    writer.write("in", "lab/x", b"1", retain=False)
    assert check_recording(path).messages == 0
    writer._flushed -= FLUSH_EVERY_S
    writer.write("in", "lab/x", b"2", retain=False)
    assert check_recording(path).messages == 2
    writer.close()
