"""The lines of a recording: their chain of digests, and what a row holds.

`protocols.recording.writer` says what they mean.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import from_json

RECORDING_VERSION: Final = 3

OLDEST_RECORDING_VERSION: Final = 3
"""First version that is read: events had other names before, and a translated line would break the chain."""

HEADER_MARK: Final = "entropilot_recording"
"""Member of the header that gives the format's version."""

IN: Final = "in"
OUT: Final = "out"
HEARD: Final = "heard"
DIRECTIONS: Final = (IN, OUT, HEARD)

TRANSACTION: Final = "transaction"
START: Final = "start"
EVENT: Final = "event"

DIGEST_DIGITS: Final = 16
"""Hexadecimal digits kept of each line's digest: 64 bits find an accident and every casual edit."""

DIGEST_MEMBER: Final = ', "digest": '
"""The last member of a line, as it is written."""

_DIGEST_BYTES: Final = DIGEST_MEMBER.encode()

MAX_LINE_BYTES: Final = 1 << 26
"""Longest line [byte]: a start set of a million rows fits. A message's line is below 1 MiB: payload and topic of 64 KiB
each, every byte of both written as \\uXXXX."""


SHADOW_BEGINNING: Final = "beginning"
"""Member of the first line of what a shadow heard: plan and start set, as the first two events of a journal."""

_SHOWN_CHARACTERS: Final = 40
"""How much of a wrong value an error shows [character]."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line.

    Attributes:
        version: Of the format.
        campaign: Name of the campaign; empty where a recorder listened to several.
        pool_digest: Of the pool that the decisions depend on; empty where the recorder was not told.
        started_at: When the recording began, as ISO 8601; a label.
        versions: Package -> version of what decided.
        scenario: Settings of the scenario; None where they are not known.
        arithmetic: Environment variables that pinned the arithmetic of the decisions, where any did.
        of_shadow: Whether a shadow heard it: the lab chose, and the scenario is the shadow's.
    """

    version: int
    campaign: str
    pool_digest: str
    started_at: str
    versions: Mapping[str, str] = field(default_factory=dict)
    scenario: Mapping[str, Any] | None = None
    arithmetic: Mapping[str, str] = field(default_factory=dict)
    of_shadow: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What every row has: its number, and the time since the recording began [s]."""

    number: int
    time_s: float


@dataclass(frozen=True, slots=True)
class MessageRow(Row):
    """One message.

    Attributes:
        direction: One of `DIRECTIONS`.
        payload: What was kept of it.
        verdict: What was found of one that changed nothing; empty of all others.
        cut_from_bytes: Its size, where only its beginning is kept [byte]; 0 where it is whole.
        waited_s: How long before its row was written it had come [s].
        sha256: Digest of the whole, where only the beginning of one that changed nothing is kept; empty otherwise.
    """

    direction: str
    topic: str
    payload: bytes
    retain: bool
    qos: int = 1
    properties: Mapping[str, Any] = field(default_factory=dict)
    signed_by: str = ""
    """Who signed it, where somebody looked and the signature held."""
    signature_fault: str = ""
    """Why a signature did not hold; empty where it did, or there was none."""
    verdict: str = ""
    cut_from_bytes: int = 0
    waited_s: float = 0.0
    sha256: str = ""

    @property
    def came_s(self) -> float:
        """When it came or went, since the recording began [s]."""
        return self.time_s - self.waited_s


@dataclass(frozen=True, slots=True)
class StartRow(Row):
    """A process began with the journal at `sequence`.

    Attributes:
        counts: How many messages of which verdict the database had counted by then; None where it does not say.
        lost: Whether the database knew later rows than the recording had.
    """

    sequence: int
    counts: Mapping[str, int] | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class EventRow(Row):
    """Row `sequence` of the journal, as JSON text."""

    sequence: int
    kind: str
    event: str


@dataclass(frozen=True, slots=True)
class TransactionRow(Row):
    """One transaction; see `protocols.recording.writer`. `made` holds kind and content of each decision."""

    took: tuple[Mapping[str, Any], ...]
    made: tuple[tuple[str, Any], ...]
    before: int
    sequence: int


AnyRow = MessageRow | StartRow | EventRow | TransactionRow


class WrongLine(ValueError):
    """A line that is not what was written; the text says why."""


@dataclass(slots=True)
class Chain:
    """Checks line by line that a recording is what was written.

    Attributes:
        lines: Lines checked so far; the header is the first.
        messages: How many of them are messages.
        digest: Of the last line that was checked.
    """

    lines: int = 0
    messages: int = 0
    digest: str = ""
    _time_s: float = 0.0

    def header(self, raw: bytes) -> Header:
        """Check and return the header.

        Raises:
            WrongLine: When it is none, or one of another version.
        """
        content = _object(raw)
        version = content.get(HEADER_MARK)
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise WrongLine("it is not the header of a recording")
        if version > RECORDING_VERSION:
            raise WrongLine(f"it is of version {version}, and this Entropilot reads versions up to {RECORDING_VERSION}")
        if version < OLDEST_RECORDING_VERSION:
            raise WrongLine(
                f"it is of version {version}, which Entropilot 0.1 wrote, and this Entropilot reads versions from "
                f"{OLDEST_RECORDING_VERSION}: the names of events changed with 0.2.0; replay it with Entropilot "
                "0.1.0, or record it again"
            )
        self.digest = self._checked(raw)
        self.lines += 1
        try:
            return _header(version, content)
        except (KeyError, TypeError) as error:
            raise WrongLine(f"the header lacks {error}, or it is of another kind") from None
        except UnicodeEncodeError:
            raise WrongLine("the header holds half a surrogate pair, which is no text") from None

    def row(self, raw: bytes) -> AnyRow:
        """Check and return the next row.

        Raises:
            WrongLine: When it is not the one that follows.
        """
        content = _object(raw)
        digest = self._checked(raw)
        number = content.get("n")
        if number != self.lines:
            raise WrongLine(f"its number is {number}, expected {self.lines}")
        try:
            row = _row(content)
        except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
            raise WrongLine(f"it is no row of a recording ({type(error).__name__}: {error})") from None
        if row.time_s < self._time_s:
            raise WrongLine(f"its time, {row.time_s:g} s, is before that of the row before, {self._time_s:g} s")
        self.digest, self._time_s = digest, row.time_s
        self.lines += 1
        self.messages += isinstance(row, MessageRow)
        return row

    def _checked(self, raw: bytes) -> str:
        content, _, told = raw.rpartition(_DIGEST_BYTES)
        digest = line_digest(self.digest, content + b"}")
        if told != b'"%b"}' % digest.encode():
            raise WrongLine("its digest does not fit: it, or a line before it, was changed, added or taken out")
        return digest


def line_digest(before: str, line: bytes) -> str:
    """Return the digest of a line without its own, after the one before."""
    return hashlib.sha256(before.encode() + line).hexdigest()[:DIGEST_DIGITS]


def sealed(before: str, content: Mapping[str, Any]) -> tuple[str, str]:
    """Return the line of some content after a line of digest `before`, and its digest."""
    line = json.dumps(content)
    digest = line_digest(before, line.encode())
    return f'{line[:-1]}{DIGEST_MEMBER}"{digest}"}}', digest


def _object(raw: bytes) -> dict[str, Any]:
    try:
        content = from_json(raw, cache_strings="keys")  # of all others it would keep thousands
    except ValueError:
        content = _read_slowly(raw)
    if not isinstance(content, dict):
        raise WrongLine("it is no object")
    return content


def _read_slowly(raw: bytes) -> Any:
    """Read what only the standard library takes for JSON, such as half a surrogate pair."""
    try:
        return json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise WrongLine("it is not JSON") from None


def _header(version: int, content: dict[str, Any]) -> Header:
    scenario = content.get("scenario")
    if scenario is not None and not isinstance(scenario, dict):
        raise TypeError("scenario")
    texts = {name: content.get(name, "") for name in ("campaign", "pool_digest", "started_at")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError("a text")
    json.dumps([texts, scenario], ensure_ascii=False).encode()  # whoever shows them need not expect that it fails
    versions, arithmetic = (_texts(member, content.get(member, {})) for member in ("versions", "arithmetic"))
    return Header(
        version,
        **texts,
        versions=versions,
        scenario=scenario,
        arithmetic=arithmetic,
        of_shadow=SHADOW_BEGINNING in content,
    )


def _texts(member: str, found: Any) -> dict[str, str]:
    if not isinstance(found, dict):
        raise TypeError(member)
    return {name: str(value) for name, value in found.items()}


def _row(content: dict[str, Any]) -> AnyRow:
    number, time_s = int(content["n"]), _time_of(content["t"])
    match content.get("note"):
        case None:
            return _message(number, time_s, content)
        case "start":
            counts = content.get("counts")
            known = None if counts is None else {str(name): int(times) for name, times in dict(counts).items()}
            return StartRow(number, time_s, int(content["sequence"]), known, bool(content.get("lost", False)))
        case "event":
            return EventRow(
                number, time_s, int(content["sequence"]), str(content["kind"]), json.dumps(content["event"])
            )
        case "transaction":
            took = tuple(dict(each) for each in content["took"])
            made = tuple((str(each["kind"]), each["event"]) for each in content["made"])
            return TransactionRow(number, time_s, took, made, int(content["before"]), int(content["sequence"]))
        case other:
            raise ValueError(f"note {other!r}")


def _time_of(told: object) -> float:
    if isinstance(told, int | float) and 0 <= told < float("inf"):
        return float(told)
    raise ValueError(f"t is {repr(told)[:_SHOWN_CHARACTERS]}, expected seconds since the beginning, from 0")


def _message(number: int, time_s: float, content: dict[str, Any]) -> MessageRow:
    if content["dir"] not in DIRECTIONS:
        raise ValueError(f"dir {content['dir']!r}")
    text = content.get("text")
    payload = base64.b64decode(content["base64"], validate=True) if text is None else str(text).encode()
    return MessageRow(
        number,
        time_s,
        content["dir"],
        str(content["topic"]),
        payload,
        bool(content["retain"]),
        int(content.get("qos", 1)),
        dict(content.get("properties", {})),
        str(content.get("signed_by", "")),
        str(content.get("signature_fault", "")),
        str(content.get("verdict", "")),
        int(content.get("cut_from_bytes", 0)),
        _time_of(content.get("waited", 0.0)),
        str(content.get("sha256", "")),
    )
