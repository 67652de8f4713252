"""Packed files: one stream of bytes, never more than a table may have."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, TextIO, cast

from protocols.errors import TableError
from protocols.extras import EXTRA_OF
from protocols.tables.formats.errors import not_utf8, too_large
from protocols.tables.formats.limits import MAX_TABLE_BYTES

PIECE_BYTES: Final = 1 << 18
"""How much is unpacked at once [byte]: enough that the count between costs nothing."""

PACKED_PIECE_BYTES: Final = 1 << 12
"""How much of a Zstandard file is given to its library at once [byte]: it unpacks all of it, and four bytes can become
128 KiB (RFC 8878, 3.1.1.2), so that no more than 128 MiB come at once."""

ZIP_ENCRYPTED: Final = 0x1
"""The flag of a member that asks for a password (APPNOTE 4.4.4)."""

LONGEST_CHARACTER: Final = 4
"""In any encoding [byte]; UTF-16 and UTF-32 have a zero among as many bytes at the start, and UTF-8 has none."""

IGNORED_MEMBERS: Final = ("__MACOSX/",)
"""What macOS adds to every archive, and nobody means."""


class _Bounded(io.RawIOBase):
    """Bytes of a stream, up to the most that a table may have."""

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        self._path = path
        self._stream = stream
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(min(len(buffer), PIECE_BYTES))
        self._count += len(piece)
        if self._count > MAX_TABLE_BYTES:
            raise too_large(self._path)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Zstandard(io.RawIOBase):
    """The frames of a Zstandard file; unlike the library's own reader it tells of a file that is cut short."""

    def __init__(self, path: Path) -> None:
        self._library = _zstandard(path)
        self._file = path.open("rb")
        self._frame: Any = None
        self._rest = b""
        self._ready = memoryview(b"")

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            packed = self._rest or self._file.read(PACKED_PIECE_BYTES)
            self._rest = b""
            if not packed:
                if self._frame is not None:
                    raise EOFError("the last frame is cut short")
                return 0
            if self._frame is None:
                self._frame = self._library.ZstdDecompressor().decompressobj()
            try:
                self._ready = memoryview(self._frame.decompress(packed))
            except self._library.ZstdError as error:
                raise ValueError(str(error)) from error
            if self._frame.eof:
                self._rest, self._frame = self._frame.unused_data, None
        piece, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


def _zstandard(path: Path) -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise TableError(
            f"{path} is packed with Zstandard, and zstandard is not installed",
            action=f"pip install 'entropilot[{EXTRA_OF['zstandard']}]', or unpack it",
        ) from error
    return zstandard


def _zip(path: Path) -> IO[bytes]:
    with zipfile.ZipFile(path) as archive:
        members = [
            each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith(IGNORED_MEMBERS)
        ]
        if len(members) != 1:
            named = ", ".join(repr(each.filename) for each in members[:3]) + (", …" if len(members) > 3 else "")  # noqa: PLR2004
            raise TableError(
                f"{path} has {len(members)} files" + (f" ({named})" if members else ""),
                expected="a single one, the table",
                action="unpack it and name the table, or pack the table alone",
            )
        if members[0].flag_bits & ZIP_ENCRYPTED:
            raise TableError(f"{path} asks for a password", expected="an open archive", action="unpack it")
        return archive.open(members[0])


PACKINGS: Final[dict[str, Callable[[Path], Any]]] = {
    ".gz": gzip.open,
    ".xz": lzma.open,
    ".zst": _Zstandard,
    ".bz2": bz2.open,
    ".zip": _zip,
}
"""What opens a packed file for its bytes, by the last part of its name."""


def open_bytes(path: Path) -> BinaryIO:
    """Open a file, unpacked where its name says that it is packed.

    Raises:
        TableError: When what unpacks it is not installed, or it is no single table; while it is read, when it has more
            bytes than a table may have.
    """
    unpack = PACKINGS.get(path.suffix.lower())
    if unpack is None:
        return path.open("rb")
    return io.BufferedReader(_Bounded(path, unpack(path)), PIECE_BYTES)


def open_text(path: Path) -> TextIO:
    """Open a text in UTF-8, without its byte-order mark and with its line ends.

    Raises:
        TableError: As `open_bytes`, and when it begins as another encoding does.
    """
    file = open_bytes(path)
    try:
        start = cast("Any", file).peek(LONGEST_CHARACTER)[:LONGEST_CHARACTER]
    except BaseException:
        file.close()
        raise
    if b"\x00" in start:
        file.close()
        raise not_utf8(path)
    return io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
