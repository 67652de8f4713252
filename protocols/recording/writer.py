"""The recording of a campaign: every message, and what the agent made of it, in order, as JSON lines.

The first line is a header, every further one a row:

    {"entropilot_recording": 3, "campaign": …, "pool_digest": …, "scenario": …, "started_at": …, "versions": …,
     "digest": …}
    {"n": 1, "t": 0.012, "dir": "in", "topic": …, "retain": false, "qos": 1, "text": …, "digest": …}
    {"n": 2, "t": 0.013, "note": "transaction", "took": [{"row": 1}], "made": […], "before": 4, "sequence": 6, "digest":
    …}

- `n` counts from 1 without gaps; `t` is seconds since the recording began (monotonic within a process) and never falls.
  A message that the agent received is written when it is handled; `waited` says how many seconds before it had come.
- `digest` is the first 16 hexadecimal digits of SHA-256 over the digest before and the line without it (nothing stands
  before the header's), so that an edited, missing or added line is found.

**Messages** have `dir`: "in" (received by the agent), "out" (sent by it), or "heard" (by a recorder beside it). The
payload stands as `text` when it is UTF-8 and as `base64` when it is not. A stranger's message must not fill the disk,
nor make a line that nobody can read again: one that changed nothing has a `verdict` ("quarantined: not_json",
"candidate_result: duplicate"), and is kept as the quarantine keeps it: the beginning, with `cut_from_bytes` and
`sha256` of the whole. A flood of them is only counted (`protocols.recording.allowance`). Of any other that is larger
than ours there is the beginning too, one byte longer than allowed.

Where signatures were looked at, `signed_by` says who signed a message, or `signature_fault` why that cannot be told;
what was in an envelope stands here without it, as whoever is to act on it takes it. Of a lab whose messages are
translated there is what they were translated to; one that did not fit stands as it came, with `mapping_fault`.

**Notes** have `note`. They make a replay exact: which inputs went into one transaction, in which order, and what came
of it cannot be told from the messages alone.

- `start`: a process began (again) with the journal at `sequence`; `counts` says how many messages of which verdict were
  counted by then: some may be in no note, and of a transaction without events nothing else tells whether it was
  committed. `lost` says that a power cut took rows that the database knows of.
- `event`: row `sequence` of the journal, `kind` and `event`. The beginning of a campaign is written so, and whatever a
  recording lacks that the journal has (a power cut takes its last second). Number 1 begins the journal again.
- `transaction`: one, written just before its commit. `took` lists what it folded: `{"row": n}` a message,
  `{"condemned": n}` one that was quarantined unread, `{"counted": verdict, "times": k}` messages that changed nothing
  and were not written, here or since the note before, `{"expired": attempt}` a deadline, `{"away": id, "why": …}` and
  `{"back": id}` an instrument that is away, or there again, `{"proposed": d, "based_on": s}` the policy's answer to
  decision d. `made` lists the decisions, as the journal has
  them; the transaction led from `before` to `sequence`. Whether it was committed tells the next note: a `start` at
  `before` says that it was not.

A long recording goes on in further files (`protocols.recording.parts`). A torn last line (a killed process) is cut off
when it is continued. Version 1 knew neither notes nor `qos`,
and its header had no digest; it is still read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from protocols.errors import StoreError
from protocols.recording.allowance import IdleAllowance
from protocols.recording.end import cut_to_whole_lines
from protocols.recording.lines import EVENT, HEADER_MARK, RECORDING_VERSION, START, TRANSACTION, sealed
from protocols.recording.parts import MAX_PART_BYTES, part_path, parts_of
from protocols.storage.named_errors import errors_named
from protocols.wire.limits import MAX_PAYLOAD_BYTES, QUARANTINE_PREFIX_BYTES

FLUSH_EVERY_S: Final = 1.0
"""Longest time that a message waits for its flush while the link runs; a transaction is flushed at once."""

LEAST_WAIT_S: Final = 0.001
"""A shorter time between the coming of a message and its row is not written [s]."""


class RecordingWriter:
    """Appends to a recording.

    Args:
        path: The file; continued when it exists.
        header: What the first line says.
        has_notes: Whether the recording may hold notes: one of a recorder has none, and is not searched for them.
        part_bytes: When it goes on in a further file [byte].
        allowance: What messages that change nothing may take.

    Attributes:
        before: Where the journal stood before the last transaction that is written; that may not have been committed.
        sequence: Where it stands after that; None when no note says it.
        noted: Row of the note that says so; 0 when none does.

    Raises:
        StoreError: When the file is something else, or parts of a recording are left whose beginning is gone.
    """

    def __init__(
        self,
        path: Path,
        header: Mapping[str, Any],
        *,
        has_notes: bool = True,
        part_bytes: int = MAX_PART_BYTES,
        allowance: IdleAllowance | None = None,
    ) -> None:
        self._number, self._digest, offset = 0, "", 0.0
        self.before: int | None = None
        self.sequence: int | None = None
        self.noted = 0
        self._path = path
        self._part_bytes = part_bytes
        self.allowance = allowance or IdleAllowance()
        self._flushed = time.monotonic()
        if path.exists() and path.stat().st_size:
            end = cut_to_whole_lines(path, has_notes=has_notes)
            self._number, self._digest, offset = end.number, end.digest, end.time_s
            self.before, self.sequence, self.noted = end.before, end.sequence, end.noted
            self._part = len(parts_of(path))
            self._open("a")
        else:
            _require_no_further_part(path)
            self._part = 1
            self._open("w")
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

    def now_s(self) -> float:
        """Return the time since the recording began [s]."""
        return time.monotonic() - self._began

    def write(
        self,
        direction: str,
        topic: str,
        payload: bytes,
        *,
        retain: bool,
        qos: int = 1,
        properties: Mapping[str, Any] | None = None,
        signed_by: str = "",
        signature_fault: str = "",
        mapping_fault: str = "",
        came_s: float | None = None,
    ) -> int:
        """Append one message; return the number of its row.

        Args:
            direction: One of `protocols.recording.lines.DIRECTIONS`.
            topic: As it was.
            payload: As it was.
            retain: As it was.
            qos: As it was.
            properties: MQTT 5 properties, as JSON has them.
            signed_by: Who signed it; empty where nobody did.
            signature_fault: Why a signature did not hold; empty where it did, or there was none.
            mapping_fault: Why it fitted no rule of a `[lab]` section; empty where it did, or was one of ours.
            came_s: When it came, by `now_s`; None for now.
        """
        row: dict[str, Any] = {"dir": direction, "topic": topic, "retain": retain, "qos": qos}
        told = {
            "properties": dict(properties or {}),
            "signed_by": signed_by,
            "signature_fault": signature_fault,
            "mapping_fault": mapping_fault,
        }
        row |= {name: value for name, value in told.items() if value}
        row |= self._waited(came_s) | _content(payload, MAX_PAYLOAD_BYTES + 1)
        return self._write(row)

    def write_idle(
        self,
        direction: str,
        topic: str,
        payload: bytes,
        verdict: str,
        *,
        retain: bool,
        qos: int,
        signed_by: str = "",
        signature_fault: str = "",
        mapping_fault: str = "",
        came_s: float | None = None,
    ) -> int | None:
        """Append the beginning of a message that changed nothing; return its row, or None where it may only be counted.

        Args:
            direction: One of `protocols.recording.lines.DIRECTIONS`.
            topic: As it was; only its beginning is kept.
            payload: As it was.
            verdict: What was found of it.
            retain: As it was.
            qos: As it was.
            signed_by: Who signed it; empty where nobody did.
            signature_fault: Why a signature did not hold; empty where it did, or there was none.
            mapping_fault: Why it fitted no rule of a `[lab]` section; empty where it did, or was one of ours.
            came_s: When it came, by `now_s`; None for now.
        """
        row: dict[str, Any] = {"dir": direction, "topic": topic[:QUARANTINE_PREFIX_BYTES], "retain": retain, "qos": qos}
        told = {
            "verdict": verdict,
            "signed_by": signed_by,
            "signature_fault": signature_fault,
            "mapping_fault": mapping_fault,
        }
        row |= {name: value for name, value in told.items() if value}
        row |= self._waited(came_s) | _content(payload, QUARANTINE_PREFIX_BYTES)
        if len(payload) > QUARANTINE_PREFIX_BYTES:
            row["sha256"] = hashlib.sha256(payload).hexdigest()
        return self._write(row) if self.allowance.take(len(json.dumps(row))) else None

    def note_start(self, sequence: int, counts: Mapping[str, int] | None = None, *, lost: bool = False) -> None:
        """Note that a process begins.

        Args:
            sequence: Where the journal stands.
            counts: How many messages of which verdict are counted by now.
            lost: Whether the database knows later rows than the recording has.
        """
        told: dict[str, Any] = {} if counts is None else {"counts": dict(sorted(counts.items()))}
        self._row({"note": START, "sequence": sequence, **told, **({"lost": True} if lost else {})})
        self.before, self.sequence, self.noted = sequence, sequence, self._number
        self.flush()

    def note_event(self, sequence: int, kind: str, payload: str) -> None:
        """Note a row of the journal; `payload` is its JSON text."""
        self._row({"note": EVENT, "sequence": sequence, "kind": kind, "event": json.loads(payload)})
        self.before, self.sequence, self.noted = sequence, sequence, self._number

    def note_transaction(
        self, took: Sequence[Mapping[str, Any]], made: Sequence[tuple[str, str]], *, before: int, sequence: int
    ) -> None:
        """Note a transaction that is about to be committed; `made` gives kind and JSON text of each decision."""
        told = [{"kind": kind, "event": json.loads(payload)} for kind, payload in made]
        self._row({"note": TRANSACTION, "took": list(took), "made": told, "before": before, "sequence": sequence})
        self.before, self.sequence, self.noted = before, sequence, self._number
        self.flush()

    def flush(self) -> None:
        """Hand what is written to the system: it then outlives this process."""
        with errors_named(self._path):
            self._file.flush()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Put the file on the disk and close it: what is said of a finished run holds after a power cut too."""
        with errors_named(self._path), self._file:
            self._file.flush()
            os.fsync(self._file.fileno())

    def _write(self, row: Mapping[str, Any]) -> int:
        self._row(row)
        if time.monotonic() - self._flushed > FLUSH_EVERY_S:
            self.flush()
        return self._number

    def _waited(self, came_s: float | None) -> dict[str, float]:
        waited_s = 0.0 if came_s is None else self.now_s() - came_s
        return {"waited": round(waited_s, 4)} if waited_s >= LEAST_WAIT_S else {}

    def _row(self, content: Mapping[str, Any]) -> None:
        self._number += 1
        if self._bytes >= self._part_bytes:
            self._go_on()
        self._append({"n": self._number, "t": round(self.now_s(), 4), **content})

    def _append(self, content: Mapping[str, Any]) -> None:
        line, self._digest = sealed(self._digest, content)
        with errors_named(self._path):
            self._file.write(line + "\n")
        self._bytes += len(line) + 1

    def _open(self, mode: str) -> None:
        self._file: IO[str] = part_path(self._path, self._part).open(mode, encoding="utf-8")
        self._bytes = self._file.tell()

    def _go_on(self) -> None:
        """Begin the next part; the one before is on the disk by then, so that only the last one may be torn."""
        self.close()
        self._part += 1
        self._open("w")


def _content(payload: bytes, most_bytes: int) -> dict[str, Any]:
    """Return what a row keeps of a payload."""
    kept = payload[:most_bytes]
    try:
        told: dict[str, Any] = {"text": kept.decode()}
    except UnicodeDecodeError:
        told = {"base64": base64.b64encode(kept).decode()}
    return told | ({"cut_from_bytes": len(payload)} if len(kept) < len(payload) else {})


def _require_no_further_part(path: Path) -> None:
    left = part_path(path, 2)
    if left.exists():
        raise StoreError(
            f"{left} is left of a recording whose beginning, {path.name}, is gone",
            expected="all parts of a recording, or none",
            action=f"restore {path.name} from a copy, or move {path.name}.* away",
        )
