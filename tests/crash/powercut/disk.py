"""What a disk may hold after a power cut, rebuilt from a recording of every write and sync (`powercut.c`).

The model. A write, a truncation, a new name or a removed one is *pending* until a sync covers it; bytes are covered by
a sync of their file, names by a sync of their folder (POSIX promises no more; ext4, XFS and btrfs promise more, and we
do not lean on it). After a cut each pending change has a disposition of its own, in any combination and order:

| change | dispositions |
|---|---|
| write | written; skipped; torn (a beginning, up to a sector's edge); garbage (torn, and one sector of noise) |
| truncation, new name, removed name, renaming | done; not done |

A sector is 512 bytes; bytes outside of a write are not harmed by it, which SQLite supposes as well ("powersafe
overwrite"). A file is its inode: unlinked and made again it is another file. A disk that lies about syncs is not
modelled.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

SECTOR_BYTES: Final = 512

_HEAD: Final = struct.Struct("<BxHHxxQqQ")
"""`struct record` of powercut.c."""

CREATE, MAKE_DIR, WRITE, TRUNCATE, SYNC, UNLINK, RENAME, MARK = map(ord, "cdwtsurm")
NAMES: Final = frozenset({CREATE, MAKE_DIR, UNLINK, RENAME})
"""Changes of a folder."""


@dataclass(frozen=True, slots=True)
class Change:
    """One recorded call, or what a power cut left of it."""

    kind: int
    path: str
    """Relative to the recorded folder."""
    second: str
    """The new path of a renaming."""
    file: int
    """The file's identity: unlike an inode number it is never used again."""
    offset: int
    content: bytes


def read_recording(recording: Path, root: Path) -> list[Change]:
    """Return the recorded calls in order, with every file's own identity.

    Raises:
        ValueError: When a file was moved to another folder: whose sync makes that last is not modelled.
    """
    log = recording.read_bytes()
    base = f"{root}/"
    identity: dict[int, int] = {}
    changes: list[Change] = []
    at, fresh = 0, 0
    while at < len(log):
        kind, path_length, second_length, inode, offset, length = _HEAD.unpack_from(log, at)
        at += _HEAD.size
        path = log[at : at + path_length].decode()
        second = log[at + path_length : at + path_length + second_length].decode()
        at += path_length + second_length
        if kind in {CREATE, MAKE_DIR} or inode not in identity:
            identity[inode] = fresh
            fresh += 1
        content = log[at : at + length]
        at += length
        if kind != MARK:
            path, second = f"{path}/".removeprefix(base).rstrip("/"), second.removeprefix(base)
        if kind == RENAME and _parent(path) != _parent(second):
            message = f"{path} was moved to {second}: not modelled"
            raise ValueError(message)
        changes.append(Change(kind, path, second, identity[inode], offset, content))
    return changes


class Image:
    """Names and contents of a disk."""

    def __init__(self, names: dict[str, int] | None = None, contents: dict[int, bytearray] | None = None) -> None:
        self.names = names or {}
        self.contents = contents or {}

    def apply(self, change: Change) -> None:
        """Let one change happen, whatever else has happened or not."""
        kind = change.kind
        if kind in {CREATE, MAKE_DIR}:
            self.names[change.path] = change.file
        elif kind in {UNLINK, RENAME}:
            if self.names.get(change.path) == change.file:
                del self.names[change.path]
            if kind == RENAME:
                self.names[change.second] = change.file
        elif kind == WRITE:
            content = self._content(change.file)
            content.extend(bytes(max(0, change.offset - len(content))))
            content[change.offset : change.offset + len(change.content)] = change.content
        elif kind == TRUNCATE:
            content = self._content(change.file)
            del content[change.offset :]
            content.extend(bytes(max(0, change.offset - len(content))))

    def with_changes(self, changes: list[Change]) -> Image:
        """Return the image after some changes; this one stays as it is."""
        touched = {change.file for change in changes if change.kind not in NAMES}
        contents = {file: bytearray(held) if file in touched else held for file, held in self.contents.items()}
        image = Image(dict(self.names), contents)
        for change in changes:
            image.apply(change)
        return image

    def files(self) -> Iterator[tuple[str, int]]:
        """Return path and identity of what can be reached from the folder, folders before what is in them."""
        reached = {""}
        for path in sorted(self.names):
            if _parent(path) in reached:
                reached.add(path)
                yield path, self.names[path]

    def write_to(self, folder: Path, folders: frozenset[int], keep: Callable[[str], bool] = lambda _path: True) -> None:
        """Write the image into an empty folder.

        Args:
            folder: Where to.
            folders: Identities that are folders.
            keep: Which paths.
        """
        for path, file in self.files():
            if file in folders:
                (folder / path).mkdir()
            elif keep(path):
                (folder / path).write_bytes(self.contents.get(file, b""))

    def _content(self, file: int) -> bytearray:
        return self.contents.setdefault(file, bytearray())


class Disk:
    """A disk while a recording is played: what is safe on it, and what is pending.

    Args:
        left_out: Paths whose changes are not looked at (lock files: nobody reads what is in them).
    """

    def __init__(self, left_out: Callable[[str], bool] = lambda _path: False) -> None:
        self.safe = Image()
        self.pending: list[Change] = []
        self.folders: set[int] = set()
        self.version: dict[int, int] = {}
        """File -> how often its safe content has changed: for those who remember a digest of it."""
        self._folder_paths = {""}
        self._left_out = left_out

    def play(self, change: Change) -> None:
        """Take the next recorded call."""
        if change.kind == MARK or self._left_out(change.path):
            return
        if change.kind == MAKE_DIR:
            self.folders.add(change.file)
            self._folder_paths.add(change.path)
        if change.kind != SYNC:
            self.pending.append(change)
            return
        still: list[Change] = []
        for waiting in self.pending:
            if self._covers(change, waiting):
                self.safe.apply(waiting)
                self.version[waiting.file] = self.version.get(waiting.file, 0) + 1
            else:
                still.append(waiting)
        self.pending = still

    def _covers(self, sync: Change, waiting: Change) -> bool:
        if waiting.kind in NAMES:
            return sync.path in self._folder_paths and sync.path == _parent(waiting.path)
        return sync.file == waiting.file


def dispositions(pending: list[Change], rng: random.Random, count: int) -> Iterator[list[Change]]:
    """Return what may be left of pending changes: nothing, everything, and `count` combinations by chance.

    Half of the combinations keep an order (a beginning of the changes, the last of them torn), half keep none.
    """
    yield []
    if not pending:
        return
    yield list(pending)
    seen = {(), tuple(map(id, pending))}
    for _ in range(count):
        left = _in_order(pending, rng) if rng.random() < 0.5 else _in_disorder(pending, rng)
        which = tuple(map(id, left))  # a harmed change is a new one, always another
        if which not in seen:
            seen.add(which)
            yield left


def _in_order(pending: list[Change], rng: random.Random) -> list[Change]:
    upto = rng.randrange(len(pending))
    return [*pending[:upto], *_harmed(pending[upto], rng)]


def _in_disorder(pending: list[Change], rng: random.Random) -> list[Change]:
    share = rng.choice((0.15, 0.5, 0.85))
    left: list[Change] = []
    for change in pending:
        if rng.random() < 0.1:
            left.extend(_harmed(change, rng))
        elif rng.random() < share:
            left.append(change)
    return left


def _harmed(change: Change, rng: random.Random) -> list[Change]:
    """Return a write torn at a sector's edge, with a sector of noise after it half of the time; or nothing of it."""
    if change.kind != WRITE:
        return []
    size = len(change.content)
    first = SECTOR_BYTES - change.offset % SECTOR_BYTES
    edges = [0, *range(first, size, SECTOR_BYTES)]
    edge = rng.choice(edges)
    kept = change.content[:edge]
    if rng.random() < 0.5:
        following = next((each for each in (*edges, size) if each > edge), size)
        kept += rng.randbytes(following - edge)
    return [replace(change, content=kept)] if kept else []


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
