"""What the frames of a SQLite WAL tell: whether its tail was torn by a power cut, or damaged afterwards.

SQLite ends a WAL at the first frame whose checksum is wrong, and does not say so. Two things look alike to it:

- torn: the frames of the last transaction, never acknowledged, are half on the disk. Nothing is lost.
- damaged: a frame that was synced is not what it was. Every transaction from there on is lost.

A frame's checksum goes on from the checksum *stored* in the frame before. So behind a bad frame the later ones can
still be checked against each other. With `synchronous=FULL` no frame is written behind a commit frame before that is
synced, and no recovery cuts a synced commit off. So a good commit frame and, chained to it, the next good frame prove
that everything before them was once whole: a bad frame there is damage. Frames left over from a transaction that was
torn earlier hold no such pair. Damage in the last transaction itself looks like a tear: only somebody who remembers
its receipt can tell.

Source: "The WAL-Index File Format" and "Write-Ahead Log File Format", https://www.sqlite.org/fileformat2.html#walformat
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

WAL_HEAD: Final = struct.Struct(">8I")
FRAME_HEAD: Final = struct.Struct(">6I")
BIG_ENDIAN: Final = 0x377F0683
PAGE_SIZE: Final = 4096
"""SQLite's own since 3.12, and ours: for a head that cannot be read."""
MAGICS: Final = (0x377F0682, BIG_ENDIAN)


def is_damaged(wal: Path) -> bool:
    """Tell whether a WAL has a bad frame, or a bad head, before frames that were written when it was whole."""
    content = wal.read_bytes()
    if len(content) < WAL_HEAD.size + FRAME_HEAD.size:
        return False
    magic, _, page_size, _, *salts, head_1, head_2 = WAL_HEAD.unpack_from(content)
    order = ">" if magic == BIG_ENDIAN else "<"
    if magic not in MAGICS or checksum(content[:24], (0, 0), order) != (head_1, head_2):
        return _is_head_damaged(content)
    before = (head_1, head_2)
    bad = follows_commit = False
    for at in range(WAL_HEAD.size, len(content) - FRAME_HEAD.size - page_size + 1, FRAME_HEAD.size + page_size):
        _, pages, its_1, its_2, *sums = FRAME_HEAD.unpack_from(content, at)
        covered = _covered(content, at, page_size)
        fits = [its_1, its_2] == salts and list(checksum(covered, before, order)) == sums
        if bad and fits and follows_commit:
            return True
        bad = bad or not fits
        follows_commit = bad and fits and pages > 0
        before = (sums[0], sums[1])
    return False


def _is_head_damaged(content: bytes) -> bool:
    """Tell a damaged head from one torn when the WAL was begun again: then the frames behind it are of another."""
    *_, salt_1, salt_2, head_1, head_2 = WAL_HEAD.unpack_from(content)
    second = WAL_HEAD.size + FRAME_HEAD.size + PAGE_SIZE  # beyond the sector that a torn head takes with it
    if len(content) < second + FRAME_HEAD.size:
        return False
    if FRAME_HEAD.unpack_from(content, second)[2:4] == (salt_1, salt_2):
        return True
    first = _covered(content, WAL_HEAD.size, PAGE_SIZE)
    sums = FRAME_HEAD.unpack_from(content, WAL_HEAD.size)[4:]
    return any(checksum(first, (head_1, head_2), each) == sums for each in "<>")


def _covered(content: bytes, at: int, page_size: int) -> bytes:
    """Return what the checksum of a frame covers: eight bytes of its head, and its page."""
    return content[at : at + 8] + content[at + FRAME_HEAD.size : at + FRAME_HEAD.size + page_size]


def checksum(content: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    """Return SQLite's checksum of content, going on from another."""
    first, second = start
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
