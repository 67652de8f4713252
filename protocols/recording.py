"""The recording of a run: every message in and out, in order, as JSON lines.

The first line is a header, every further one a message:

    {"entropilot_recording": 1, "campaign": …, "pool_digest": …, "settings": …, "versions": …, "started_at": …}
    {"n": 1, "t": 0.012, "dir": "in", "topic": …, "retain": false, "text": …, "digest": …}

- `n` counts from 1 without gaps; `t` is seconds since the campaign's recording began (monotonic within a process).
- `dir` is "in" (received by the agent) or "out" (sent by it).
- The payload stands as `text` when it is UTF-8 and as `base64` when it is not. Of one that is larger than any of ours
  there is the beginning, one byte longer than allowed, so that it is too large in a replay as well; `cut_from_bytes`
  says how long it was. A stranger's message must not fill the disk, nor make a line that nobody can read again.
- `digest` is the first 16 hexadecimal digits of SHA-256 over the digest before and the line without it, so that an
  edited, missing or added line is found.

A torn last line (a killed process) is cut off when the recording is continued.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from protocols.errors import StoreError
from protocols.limits import MAX_PAYLOAD_BYTES
from protocols.transport import Delivery, Incoming, Transport

RECORDING_VERSION: Final = 1

DIGEST_DIGITS: Final = 16
"""Hexadecimal digits kept of each line's digest: 64 bits find an accident and every casual edit."""

MAX_LINE_BYTES: Final = 1 << 20
"""Longest line [byte]: payload and topic of 64 KiB each, every byte of both written as \\uXXXX, are below it."""

_DIGEST_FIELD: Final = ', "digest": '
"""The last field of a line, as it is written."""

FLUSH_EVERY_S: Final = 1.0
"""The recording is for replay, not for safety: losing its last second in a crash is fine, a flush a line is not."""


class RecordingWriter:
    """Appends to a recording.

    Args:
        path: The file; continued when it exists.
        header: What the first line says.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self._number, self._digest, offset = 0, "", 0.0
        if path.exists() and path.stat().st_size:
            self._number, self._digest, offset = _continue(path)
            self._file: IO[str] = path.open("a", encoding="utf-8")
        else:
            self._file = path.open("w", encoding="utf-8")
            line = json.dumps({"entropilot_recording": RECORDING_VERSION, **header}, sort_keys=True)
            self._digest = _line_digest("", line)
            self._file.write(line + "\n")
            self._file.flush()  # a run that is killed at once can be continued
        self._began = time.monotonic() - offset
        self._flushed = time.monotonic()

    def write(self, direction: str, topic: str, payload: bytes, *, retain: bool) -> None:
        """Append one message."""
        now = time.monotonic()
        self._number += 1
        row: dict[str, Any] = {
            "n": self._number,
            "t": round(now - self._began, 4),
            "dir": direction,
            "topic": topic,
            "retain": retain,
        }
        kept = payload[: MAX_PAYLOAD_BYTES + 1]
        try:
            row["text"] = kept.decode()
        except UnicodeDecodeError:
            row["base64"] = base64.b64encode(kept).decode()
        if len(kept) < len(payload):
            row["cut_from_bytes"] = len(payload)
        line = json.dumps(row)
        self._digest = _line_digest(self._digest, line)
        self._file.write(f'{line[:-1]}{_DIGEST_FIELD}"{self._digest}"}}\n')
        if now - self._flushed > FLUSH_EVERY_S:
            self._file.flush()
            self._flushed = now

    def close(self) -> None:
        """Flush and close the file."""
        self._file.close()


class RecordedTransport:
    """A transport that also writes what passes to a recording."""

    def __init__(self, inner: Transport, writer: RecordingWriter) -> None:
        self._inner = inner
        self._writer = writer

    async def run(self) -> None:
        """Keep connected; see `Transport`."""
        await self._inner.run()

    async def receive(self) -> Incoming:
        """Return the next item, recorded if it is a message."""
        item = await self._inner.receive()
        if isinstance(item, Delivery):
            self._writer.write("in", item.topic, item.payload, retain=item.retain)
        return item

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge; see `Transport`."""
        self._inner.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish and record; a repeated publish is recorded again, as it happened."""
        self._writer.write("out", topic, payload, retain=retain)
        await self._inner.publish(topic, payload, retain=retain)

    async def close(self) -> None:
        """Close the link; the writer belongs to who made it."""
        await self._inner.close()


@dataclass(frozen=True, slots=True)
class RecordingCheck:
    """What `check_recording` found: how many whole messages, the first line that is wrong, and what was passed over."""

    messages: int
    problem: str = ""
    note: str = ""


def check_recording(path: Path) -> RecordingCheck:
    """Check numbers and digests of a recording, line by line.

    A changed, missing or added line is found by its number, as any changed byte is; what was cut off at the end is
    not, for a recording may end anywhere.

    Raises:
        OSError: When the file cannot be read.
    """
    digest, messages = "", -1  # the header is no message
    with path.open("rb") as file:
        while raw := file.readline(MAX_LINE_BYTES):
            line = messages + 2
            if len(raw) == MAX_LINE_BYTES:
                return RecordingCheck(max(messages, 0), f"line {line} is longer than {MAX_LINE_BYTES} bytes")
            is_torn = not raw.endswith(b"\n")
            problem, digest = _check_line(raw[:-1], messages + 1, digest)
            if is_torn and not problem:
                problem = "its line feed was changed"
            elif is_torn:
                return RecordingCheck(max(messages, 0), note=f"line {line} is torn, as after a kill: not counted")
            if problem:
                return RecordingCheck(max(messages, 0), f"line {line}: {problem}")
            messages += 1
    return RecordingCheck(max(messages, 0), "the file is empty: it has no header" if messages < 0 else "")


def _check_line(raw: bytes, number: int, before: str) -> tuple[str, str]:
    """Return what is wrong with a line, and the digest that the next one builds on."""
    try:
        line = raw.decode()
        row = json.loads(line)
    except ValueError:
        return "it is not JSON", before
    if not isinstance(row, dict):
        return "it is no object", before
    if number == 0:
        known = row.get("entropilot_recording") == RECORDING_VERSION
        problem = "" if known else f"it is not the header of a recording of version {RECORDING_VERSION}"
        return problem, _line_digest("", line)
    content, _, _ = line.rpartition(_DIGEST_FIELD)
    digest = _line_digest(before, content + "}")
    problem = ""
    if line != f'{content}{_DIGEST_FIELD}"{digest}"}}':
        problem = "its digest does not fit: it, or a line before it, was changed, added or taken out"
    elif row.get("n") != number:
        problem = f"its number is {row.get('n')}, expected {number}"
    return problem, digest


def _continue(path: Path) -> tuple[int, str, float]:
    """Cut a torn last line off; return number, digest and time of the last whole one."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        tail_start = max(0, size - (1 << 20))
        file.seek(tail_start)
        tail = file.read()
    whole = tail.rfind(b"\n") + 1
    lines = tail[:whole].splitlines()
    if not lines:
        raise StoreError(f"{path} has no whole line", expected="a recording", action="move it away and run again")
    try:
        last = json.loads(lines[-1])
        if "entropilot_recording" in last:
            state = 0, _line_digest("", lines[-1].decode()), 0.0
        else:
            state = int(last["n"]), str(last["digest"]), float(last["t"])
    except (ValueError, KeyError, TypeError):
        raise StoreError(
            f"{path} does not end like a recording", expected="JSON lines", action="move it away and run again"
        ) from None
    os.truncate(path, tail_start + whole)  # only now: a file that is something else is left as it is
    return state


def _line_digest(before: str, line: str) -> str:
    return hashlib.sha256(f"{before}{line}".encode()).hexdigest()[:DIGEST_DIGITS]
