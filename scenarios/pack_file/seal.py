"""The end of a pack: the ZIP file's last record, and in its comment a seal over all bytes before.

ZIP checks the content of a member with a CRC, but neither its own headers nor the bits that fill up a last byte of
deflate. The seal, SHA-256 of the whole file but for its own 64 digits, finds every changed byte.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from typing import BinaryIO, Final

from scenarios.pack_file.manifest import MAX_MEMBERS, MAX_PACK_BYTES, WrongPack
from scenarios.pack_file.mark import ZIP_MAGIC

_SEAL_WORDS: Final = b"entropilot pack, sha256 "

_DIGITS: Final = 64
"""Hexadecimal digits of a SHA-256."""

UNSEALED: Final = _SEAL_WORDS + b"0" * _DIGITS
"""Comment of a ZIP file that is to be sealed."""

_END: Final = struct.Struct("<4s4H2LH")
"""A ZIP file's last record: mark, two disks, entries twice, size and place of the directory, length of the comment."""

_END_MARK: Final = b"PK\x05\x06"
_ZIP64_MARK: Final = b"PK\x06\x07"
_ZIP64_BYTES: Final = 20
"""Size of what stands before the last record of a ZIP64 file [byte]; it may say other figures than that."""

MAX_DIRECTORY_BYTES: Final = MAX_MEMBERS * 1024
"""Largest directory [byte]: a name of 107 characters and 46 more for each member, and room."""

_CHUNK_BYTES: Final = 1 << 20

_FOREIGN: Final = (
    (b"\x1f\x8b", "it is compressed with gzip"),
    (b"\x28\xb5\x2f\xfd", "it is compressed with Zstandard"),
    (b'{"entropilot_recording"', "it is a recording"),
    (b"SQLite format 3", "it is a database"),
)
"""What people hand over instead of a pack, by its beginning."""

_TAR_MARK: Final = slice(257, 262)

_SHOWN_BYTES: Final = 16
"""How much of a foreign file's beginning an error shows [byte]."""


def seal(file: BinaryIO) -> None:
    """Put the digest into a ZIP file that ends with `UNSEALED`; the file is open for reading and writing."""
    size = file.seek(0, os.SEEK_END) - _DIGITS
    file.seek(0)
    digest = hashlib.sha256()
    _feed(digest.update, file, size)
    file.seek(size)
    file.write(digest.hexdigest().encode())


def require_end(file: BinaryIO) -> None:
    """Check that a file begins and ends as a pack does, so that no directory of any size is read.

    Raises:
        WrongPack: When it does not.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(_TAR_MARK.stop)
    if not start.startswith(ZIP_MAGIC):
        raise WrongPack("", _foreign(start), expected="a pack as `entropilot pack` makes it")
    if size > MAX_PACK_BYTES:
        raise WrongPack("", f"it has {size:,} bytes", expected=f"at most {MAX_PACK_BYTES:,}")
    length = _ZIP64_BYTES + _END.size + len(UNSEALED)
    file.seek(max(0, size - length))
    end = file.read(length)
    before, last = end[:_ZIP64_BYTES], end[_ZIP64_BYTES:]
    if len(end) < length or not last.startswith(_END_MARK) or last[_END.size : -_DIGITS] != _SEAL_WORDS:
        raise WrongPack(
            "",
            "its end is not that of a pack",
            expected="a seal, as `entropilot pack` writes it",
            action="it was cut off or changed, or another program made it: copy it again, or pack again",
        )
    _, _, _, _, entries, directory_bytes, _, comment = _END.unpack(last[: _END.size])
    if before.startswith(_ZIP64_MARK) or comment != len(UNSEALED):
        raise WrongPack("", "its last record is not that of a pack")
    if entries > MAX_MEMBERS or directory_bytes > MAX_DIRECTORY_BYTES:
        raise WrongPack("", f"it has {entries} members", expected=f"at most {MAX_MEMBERS}")


def sealed_digest(file: BinaryIO) -> tuple[str, bool]:
    """Return the SHA-256 of a file, and whether its seal is that of the bytes before."""
    size = file.seek(0, os.SEEK_END) - _DIGITS
    file.seek(0)
    digest = hashlib.sha256()
    _feed(digest.update, file, size)
    written = file.read(_DIGITS)
    is_right = written == digest.hexdigest().encode()
    digest.update(written)
    return digest.hexdigest(), is_right


def _feed(update: Callable[[bytes], None], file: BinaryIO, size: int) -> None:
    while size > 0 and (chunk := file.read(min(_CHUNK_BYTES, size))):
        update(chunk)
        size -= len(chunk)


def _foreign(start: bytes) -> str:
    if not start:
        return "it is empty"
    if start[_TAR_MARK] == b"ustar":
        return "it is a tar file"
    for magic, words in _FOREIGN:
        if start.startswith(magic):
            return words
    return f"it is no ZIP file: it begins with {start[:_SHOWN_BYTES]!r}"
