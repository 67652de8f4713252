"""The recording of a campaign: every message, and what the agent made of it, in order, as JSON lines.

The first line is a header, every further one a row:

    {"entropilot_recording": 3, "campaign": …, "pool_digest": …, "scenario": …, "started_at": …, "versions": …,
     "digest": …}
    {"n": 1, "t": 0.012, "dir": "in", "topic": …, "retain": false, "qos": 1, "text": …, "digest": …}
    {"n": 2, "t": 0.013, "note": "transaction", "took": [{"row": 1}], "made": […], "before": 4, "sequence": 6, "digest":
    …}

- `n` counts from 1 without gaps; `t` is seconds since the recording began (monotonic within a process) and never falls.
- `digest` is the first 16 hexadecimal digits of SHA-256 over the digest before and the line without it (nothing stands
  before the header's), so that an edited, missing or added line is found.

**Messages** have `dir`: "in" (received by the agent), "out" (sent by it), or "heard" (by a recorder beside it). The
payload stands as `text` when it is UTF-8 and as `base64` when it is not. Of one that is larger than any of ours there
is the beginning, one byte longer than allowed, so that it is too large in a replay as well; `cut_from_bytes` says how
long it was. A stranger's message must not fill the disk, nor make a line that nobody can read again.

**Notes** have `note`. They make a replay exact: which inputs went into one transaction, in which order, and what came
of it cannot be told from the messages alone.

- `start`: a process began (again) with the journal at `sequence`.
- `event`: row `sequence` of the journal, `kind` and `event`. The beginning of a campaign is written so, and whatever a
  recording lacks that the journal has (a power cut takes its last second). Number 1 begins the journal again.
- `transaction`: one, written just before its commit. `took` lists what it folded: `{"row": n}` a message,
  `{"condemned": n}` one that was quarantined unread, `{"expired": attempt}` a deadline, `{"away": id, "why": …}` and
  `{"back": id}` an instrument that is away, or there again,
  `{"proposed": d, "based_on": s}` the policy's answer to decision d. `made` lists the decisions, as the journal has
  them; the transaction led from `before` to `sequence`. Whether it was committed tells the next note: a `start` at
  `before` says that it was not.

A torn last line (a killed process) is cut off when the recording is continued. Version 1 knew neither notes nor `qos`,
and its header had no digest; it is still read.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from protocols.errors import invariant
from protocols.link.transport import Delivery, Incoming, Transport
from protocols.recording.end import cut_to_whole_lines
from protocols.recording.lines import EVENT, HEADER_MARK, IN, OUT, RECORDING_VERSION, START, TRANSACTION, sealed
from protocols.wire.limits import MAX_PAYLOAD_BYTES

FLUSH_EVERY_S: Final = 1.0
"""Longest time that a message waits for its flush while the link runs; a transaction is flushed at once."""


class RecordingWriter:
    """Appends to a recording.

    Args:
        path: The file; continued when it exists.
        header: What the first line says.
        has_notes: Whether the recording may hold notes: one of a recorder has none, and is not searched for them.

    Attributes:
        before: Where the journal stood before the last transaction that is written; that may not have been committed.
        sequence: Where it stands after that; None when no note says it.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], *, has_notes: bool = True) -> None:
        self._number, self._digest, offset = 0, "", 0.0
        self.before: int | None = None
        self.sequence: int | None = None
        self._flushed = time.monotonic()
        if path.exists() and path.stat().st_size:
            end = cut_to_whole_lines(path, has_notes=has_notes)
            self._number, self._digest, offset = end.number, end.digest, end.time_s
            self.before, self.sequence = end.before, end.sequence
            self._file: IO[str] = path.open("a", encoding="utf-8")
        else:
            self._file = path.open("w", encoding="utf-8")
            self._append({HEADER_MARK: RECORDING_VERSION, **dict(sorted(header.items()))})
            self._file.flush()  # a run that is killed at once can be continued
        self._began = time.monotonic() - offset

    @property
    def number(self) -> int:
        """Of the last row; 0 where there is only the header."""
        return self._number

    @property
    def digest(self) -> str:
        """Of the last line."""
        return self._digest

    def write(
        self,
        direction: str,
        topic: str,
        payload: bytes,
        *,
        retain: bool,
        qos: int = 1,
        properties: Mapping[str, Any] | None = None,
    ) -> int:
        """Append one message; return the number of its row."""
        row: dict[str, Any] = {"dir": direction, "topic": topic, "retain": retain, "qos": qos}
        if properties:
            row["properties"] = dict(properties)
        kept = payload[: MAX_PAYLOAD_BYTES + 1]
        try:
            row["text"] = kept.decode()
        except UnicodeDecodeError:
            row["base64"] = base64.b64encode(kept).decode()
        if len(kept) < len(payload):
            row["cut_from_bytes"] = len(payload)
        self._row(row)
        if time.monotonic() - self._flushed > FLUSH_EVERY_S:
            self.flush()
        return self._number

    def note_start(self, sequence: int) -> None:
        """Note that a process begins with the journal at `sequence`."""
        self._row({"note": START, "sequence": sequence})
        self.before = self.sequence = sequence
        self.flush()

    def note_event(self, sequence: int, kind: str, payload: str) -> None:
        """Note a row of the journal; `payload` is its JSON text."""
        self._row({"note": EVENT, "sequence": sequence, "kind": kind, "event": json.loads(payload)})
        self.before = self.sequence = sequence

    def note_transaction(
        self, took: Sequence[Mapping[str, Any]], made: Sequence[tuple[str, str]], *, before: int, sequence: int
    ) -> None:
        """Note a transaction that is about to be committed; `made` gives kind and JSON text of each decision."""
        told = [{"kind": kind, "event": json.loads(payload)} for kind, payload in made]
        self._row({"note": TRANSACTION, "took": list(took), "made": told, "before": before, "sequence": sequence})
        self.before, self.sequence = before, sequence
        self.flush()

    def flush(self) -> None:
        """Hand what is written to the system: it then outlives this process."""
        self._file.flush()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Put the file on the disk and close it: what is said of a finished run holds after a power cut too."""
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())

    def _row(self, content: Mapping[str, Any]) -> None:
        self._number += 1
        self._append({"n": self._number, "t": round(time.monotonic() - self._began, 4), **content})

    def _append(self, content: Mapping[str, Any]) -> None:
        line, self._digest = sealed(self._digest, content)
        self._file.write(line + "\n")


class RecordedTransport:
    """A transport that also writes what passes to a recording."""

    def __init__(self, inner: Transport, writer: RecordingWriter) -> None:
        self._inner = inner
        self._writer = writer
        self._untaken: deque[tuple[Delivery, int]] = deque()
        self._written = asyncio.Event()

    async def run(self) -> None:
        """Keep connected, and flush what no further message flushes; see `Transport`."""
        flushing = asyncio.create_task(self._flush())
        try:
            await self._inner.run()
        finally:
            flushing.cancel()

    async def receive(self) -> Incoming:
        """Return the next item, recorded if it is a message."""
        item = await self._inner.receive()
        if isinstance(item, Delivery):
            row = self._writer.write(IN, item.topic, item.payload, retain=item.retain, qos=item.qos)
            self._written.set()
            self._untaken.append((item, row))
        return item

    def row_of(self, delivery: Delivery) -> int:
        """Return the number of a message's row; messages are asked for once, in the order in which they came."""
        known, row = self._untaken.popleft()
        invariant(known is delivery, "messages are handled in the order in which they came")
        return row

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge; see `Transport`."""
        self._inner.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish and record; a repeated publish is recorded again, as it happened."""
        self._writer.write(OUT, topic, payload, retain=retain)
        self._written.set()
        await self._inner.publish(topic, payload, retain=retain)

    async def close(self) -> None:
        """Close the link; the writer belongs to who made it."""
        await self._inner.close()

    async def _flush(self) -> None:
        while True:
            await self._written.wait()
            self._written.clear()
            await asyncio.sleep(FLUSH_EVERY_S)
            with contextlib.suppress(OSError):  # it stays to be written, and whoever writes next is told
                self._writer.flush()
