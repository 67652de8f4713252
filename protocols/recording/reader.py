"""Reading a recording, plain or compressed with gzip: row by row, in constant memory, checking the chain on the way."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from protocols.errors import StoreError
from protocols.recording.lines import (
    HEADER_MARK,
    MAX_LINE_BYTES,
    AnyRow,
    Chain,
    EventRow,
    Header,
    MessageRow,
    StartRow,
    TransactionRow,
    WrongLine,
)
from protocols.recording.parts import open_parts
from protocols.recording.seal import GZIP_MAGIC, seal_problem
from protocols.storage.regular_file import require_regular_file

_HEADER_START: Final = f'{{"{HEADER_MARK}":'.encode()

_SHOWN_BYTES: Final = 16
"""How much of a foreign file's beginning an error shows [byte]."""


@dataclass(slots=True)
class Recording:
    """An opened recording.

    Attributes:
        path: The file.
        header: Its first line.
        note: What a person should know that is no fault; filled when the rows were read to the end.
    """

    path: Path
    header: Header
    note: str = field(default="", init=False)
    _file: BinaryIO
    _raw: BinaryIO
    _chain: Chain

    @property
    def messages(self) -> int:
        """Messages read so far."""
        return self._chain.messages

    @property
    def digest(self) -> str:
        """Of the line that was read last."""
        return self._chain.digest

    @property
    def line(self) -> int:
        """Number of the line that is read next."""
        return self._chain.lines + 1

    @property
    def bytes_read(self) -> int:
        """How much of the file was read, for a progress bar."""
        return self._raw.tell()

    def rows(self) -> Iterator[AnyRow]:
        """Yield the rows in order; a torn last line, as a kill leaves it, ends them.

        Raises:
            StoreError: At the first line that is not what was written, with its number; when it cannot be read.
        """
        try:
            yield from self._rows()
        except WrongLine as error:
            raise _wrong(self.path, f"line {self.line}: {error}") from None
        except OSError as error:
            raise _unreadable(self.path, error) from None

    def _rows(self) -> Iterator[AnyRow]:
        while (read := _next_line(self._file)) is not None:
            raw, is_whole = read
            if not is_whole:
                self.note = self._torn(raw)
                return
            yield self._chain.row(raw)

    def _torn(self, raw: bytes) -> str:
        try:
            replace(self._chain).row(raw[:-1])
        except WrongLine:
            return f"line {self.line} is torn, as after a kill: not counted"
        raise WrongLine("its line feed was changed")


@dataclass(frozen=True, slots=True)
class RecordingCheck:
    """What `check_recording` found.

    Attributes:
        messages: How many whole ones.
        problem: The first line that is wrong.
        note: What was passed over.
        version: Of the format.
        pool_digest: Of the pool that the decisions depend on, as the header says.
        before: Where the journal stood for certain by the last note: before its transaction, which may not be
            committed.
        sequence: Where it stood after that; 0 when no note says it.
    """

    messages: int
    problem: str = ""
    note: str = ""
    version: int = 0
    pool_digest: str = ""
    before: int = 0
    sequence: int = 0


@contextmanager
def open_recording(path: Path) -> Iterator[Recording]:
    """Open a recording and read its header.

    Raises:
        StoreError: When there is none, or it is something else.
    """
    require_regular_file(path, "recording")
    with ExitStack() as opened:
        try:
            raw = opened.enter_context(open_parts(path))
            file, chain = lines_of(raw), Chain()
            header = _header(path, file, chain)
        except OSError as error:
            raise _unreadable(path, error) from None
        yield Recording(path, header, file, raw, chain)  # an OSError of the consumer's is not ours to explain


def lines_of(raw: BinaryIO) -> BinaryIO:
    """Return the lines of an opened recording, unpacked where it is compressed."""
    start = cast("io.BufferedReader", raw).peek(len(GZIP_MAGIC))
    return cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if start.startswith(GZIP_MAGIC) else raw


def read_header(path: Path) -> Header:
    """Return the header of a recording.

    Raises:
        StoreError: When there is none, or it is something else.
    """
    with open_recording(path) as recording:
        return recording.header


def check_recording(path: Path) -> RecordingCheck:
    """Check numbers, times and digests of a recording, line by line, and the seal of a compressed one.

    A changed, missing or added line is found by its number, as any changed byte is; what was cut off at the end is
    not, for a recording may end anywhere.

    Raises:
        StoreError: When there is no such file.
    """
    require_regular_file(path, "recording")
    try:
        with open_recording(path) as recording:
            check = _checked(recording)
    except StoreError as error:
        return RecordingCheck(0, error.found.removeprefix(f"{path}, "))
    if check.problem:
        return check
    problem, note = seal_problem(path)
    return replace(check, problem=problem, note="; ".join(filter(None, (check.note, note))))


def check_lines(name: Path, file: BinaryIO) -> RecordingCheck:
    """Check a recording that is open and plain, such as that of a pack; `name` is for the words."""
    chain = Chain()
    try:
        recording = Recording(name, _header(name, file, chain), file, file, chain)
    except StoreError as error:
        return RecordingCheck(0, error.found.removeprefix(f"{name}, "))
    return _checked(recording)


def _checked(recording: Recording) -> RecordingCheck:
    before = sequence = 0
    try:
        for row in recording.rows():
            match row:
                case StartRow() | EventRow():
                    before = sequence = row.sequence
                case TransactionRow():
                    before, sequence = row.before, row.sequence
                case MessageRow():
                    pass
    except StoreError as error:
        return RecordingCheck(recording.messages, error.found.removeprefix(f"{recording.path}, "))
    header = recording.header
    return RecordingCheck(recording.messages, "", recording.note, header.version, header.pool_digest, before, sequence)


def _header(path: Path, file: BinaryIO, chain: Chain) -> Header:
    raw, is_whole = b"", True
    try:
        if (read := _next_line(file)) is not None:
            raw, is_whole = read
            return chain.header(raw)
        reason = "the file is empty: it has no header"
    except WrongLine as error:
        reason = str(error)
    if raw.startswith(_HEADER_START):
        reason = reason if is_whole else "the header is torn: the recording ended before it began"
    elif raw:
        reason += f" (the file begins with {raw[:_SHOWN_BYTES]!r})"
    raise _wrong(path, f"line 1: {reason}")


def _next_line(file: BinaryIO) -> tuple[bytes, bool] | None:
    """Return the next line and whether it is whole, without its line feed then; None at the end."""
    try:
        raw = file.readline(MAX_LINE_BYTES + 1)
    except EOFError:
        return b"", False
    except (zlib.error, gzip.BadGzipFile) as error:
        raise WrongLine(f"the compressed file was changed here or a little later ({error})") from None
    if not raw:
        return None
    if len(raw) > MAX_LINE_BYTES:
        raise WrongLine(f"it is longer than {MAX_LINE_BYTES >> 20} MiB")
    return (raw[:-1], True) if raw.endswith(b"\n") else (raw, False)


def _unreadable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} cannot be read ({error.strerror or error})", expected="a recording that you may read")


def _wrong(path: Path, found: str) -> StoreError:
    return StoreError(
        f"{path}, {found}",
        expected="a recording as Entropilot wrote it",
        action="restore it from a copy; `entropilot verify` tells whether a copy is sound",
    )
