"""The seal of a compressed recording: without it, a byte of the compression could change and no line would.

gzip checks the text with a CRC, but neither its own header's time and flags nor the bits that fill up a last byte. So a
second, empty member of the same file carries the SHA-256 of all before it as its comment; every program that knows gzip
reads over it.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO, Final

from protocols.recording.parts import open_parts
from protocols.storage.atomic_file import atomic_write

GZIP_MAGIC: Final = b"\x1f\x8b"

_SEAL_WORDS: Final = b"entropilot sha256 "

_EMPTY_MEMBER_HEADER: Final = GZIP_MAGIC + b"\x08\x10\x00\x00\x00\x00\x02\xff"
"""Deflate, with a comment, no time, best compression, no particular system (RFC 1952)."""

_EMPTY_DEFLATE: Final = b"\x03\x00"
"""One empty block with fixed codes."""

_EMPTY_TRAILER: Final = bytes(8)
"""CRC-32 and length of nothing."""

_SEAL_START: Final = _EMPTY_MEMBER_HEADER + _SEAL_WORDS

_SEAL_BYTES: Final = len(_SEAL_START) + 2 * hashlib.sha256().digest_size + 1 + len(_EMPTY_DEFLATE + _EMPTY_TRAILER)

_CHUNK_BYTES: Final = 1 << 20

_MOST_CHANGED_BYTES: Final = 3
"""Bytes of a seal's frame that may differ before it is taken for something else; the frame has 39."""

COMPRESSION_LEVEL: Final = 9
"""A recording is compressed once and read often."""


def compress_recording(source: Path, target: Path) -> None:
    """Write a recording compressed and sealed, whole or not at all; the same lines give the same bytes.

    Raises:
        StoreError: When a file cannot be read or written.
    """
    with atomic_write(target) as out:
        with (
            open_parts(source) as lines,
            gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=COMPRESSION_LEVEL, mtime=0) as member,
        ):
            shutil.copyfileobj(lines, member, _CHUNK_BYTES)
        out.flush()
        with Path(out.name).open("rb") as body:
            out.write(_seal(hashlib.file_digest(body, "sha256").digest()))


def seal_problem(path: Path) -> tuple[str, str]:
    """Return what is wrong with the seal of a file, and what a person should know; both empty for a plain one.

    Raises:
        OSError: When it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
            return "", ""
        size = file.seek(0, os.SEEK_END)
        if added := size - _end_of_first_seal(file, size):
            return f"after its seal stand {added:,} bytes that were added", ""
        body = max(0, size - _SEAL_BYTES)
        file.seek(body)
        found = file.read()
        if not _looks_like_a_seal(found):
            return "", "compressed without a seal: a changed byte that changes no line is not found"
        file.seek(0)
        digest = hashlib.sha256()
        for start in range(0, body, _CHUNK_BYTES):
            digest.update(file.read(min(_CHUNK_BYTES, body - start)))
    if found != _seal(digest.digest()):
        return "a byte of the compressed file was changed that changes no line", ""
    return "", ""


def _seal(digest: bytes) -> bytes:
    return _SEAL_START + digest.hex().encode() + b"\0" + _EMPTY_DEFLATE + _EMPTY_TRAILER


def _end_of_first_seal(file: BinaryIO, size: int) -> int:
    """Return where the first seal ends, or the file where there is none.

    A seal cannot stand in the body by chance: deflate keeps bytes as they are only of the text, which is ASCII.
    """
    file.seek(0)
    at, window = 0, b""
    while chunk := file.read(_CHUNK_BYTES):
        window = window[-len(_SEAL_START) :] + chunk
        at += len(chunk)
        found = window.find(_SEAL_START)
        if found >= 0:
            return min(size, at - len(window) + found + _SEAL_BYTES)
    return size


def _looks_like_a_seal(found: bytes) -> bool:
    """Tell whether bytes are a seal, perhaps a changed one, whatever its digest."""
    frame, digest_at = _seal(bytes(32)), len(_SEAL_START)
    beside = [at for at in range(len(frame)) if not digest_at <= at < digest_at + 64]
    return len(found) == len(frame) and sum(found[at] != frame[at] for at in beside) <= _MOST_CHANGED_BYTES
