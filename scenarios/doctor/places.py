"""Where runs are kept: whether it can be written, how much room there is, and whether a commit there is one."""

from __future__ import annotations

import contextlib
import ctypes
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from protocols.storage.disk_floor import FLOOR_MB, LARGEST_SHARE, MB, free_and_total
from scenarios.doctor.checks import Check, failed, passed, warned
from scenarios.doctor.file_systems import IN_MEMORY, NETWORK, Mount, mount_of, mounts_in

ENOUGH_MB: Final = 1_000
"""Free space below which a warning is due [MB]: a campaign of some hundred thousand results, with its recording."""

SLOW_COMMIT_S: Final = 0.1
"""A commit that takes longer makes the loop wait for the disk [s]: there are several for each result."""

COMMITS: Final = 5
"""How often a commit is tried; the middle one counts."""

MOUNTS: Final = Path("/proc/self/mountinfo")

TIME_ERROR: Final = 5
"""What Linux says of a clock that no time server keeps (adjtimex(2))."""

TIMEX_BYTES: Final = 512
"""More than the largest `struct timex` has; all zero it asks and changes nothing."""


def look_at_place(folder: Path) -> list[Check]:
    """Look at the folder where runs go; where it is not there yet, at the one in which it will be made.

    Args:
        folder: Where run folders go.
    """
    there = _existing(folder.absolute())
    try:
        free, total = free_and_total(there)
        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=there) as made:
            commits = _committed(Path(made) / "trial.db")
    except (OSError, sqlite3.Error) as error:
        said = getattr(error, "strerror", None) or error
        action = "name another folder with --runs, or correct its permissions"
        return [failed("disk", f"cannot be written: {said}", action, subject=str(there))]
    return [
        judge_room(str(there), free, total),
        judge_file_system(str(there), mount_of(str(there.resolve()), _mounts())),
        judge_commits(str(there), *commits),
    ]


def judge_room(folder: str, free: int, total: int) -> Check:
    """Return whether a disk has room.

    Args:
        folder: What lies on it.
        free: How much of it we may still write [byte].
        total: How large it is [byte].
    """
    floor = min(FLOOR_MB * MB, LARGEST_SHARE * total)
    words = f"{free / MB:,.0f} MB free"
    if free < floor:
        found = f"{words}; a campaign waits while there are less than {floor / MB:,.0f}"
        return failed("disk", found, "free space there, or name another folder with --runs", subject=folder)
    if free < ENOUGH_MB * MB:
        return warned("disk", words, "see to it that it does not fill up meanwhile", subject=folder)
    return passed("disk", words, subject=folder)


def judge_file_system(folder: str, mount: Mount | None) -> Check:
    """Return whether a journal is safe on a file system; None stands for one that the system does not tell."""
    if mount is None:
        return passed("file_system", "this system does not tell of which kind it is", subject=folder)
    if mount.kind in NETWORK:
        return failed(
            "file_system",
            f"{mount.kind} from {mount.source}, which other machines may share: SQLite's journal can be damaged there",
            "name a folder on a disk of this machine with --runs, or keep the journal on PostgreSQL (--database)",
            subject=folder,
        )
    if mount.kind in IN_MEMORY:
        found = f"{mount.kind}: all of it is gone when the machine is switched off"
        return warned("file_system", found, "name a folder on a disk with --runs", subject=folder)
    return passed("file_system", mount.kind, subject=folder)


def judge_commits(folder: str, mode: str, seconds: float) -> Check:
    """Return whether a database commits as the journal needs it.

    Args:
        folder: Where.
        mode: How SQLite keeps its journal there, having been asked for a WAL.
        seconds: How long a commit takes that survives a power cut [s].
    """
    if mode != "wal":
        found = f"SQLite keeps no WAL there, but a journal of mode {mode!r}"
        return failed("commits", found, "name a folder on a disk of this machine with --runs", subject=folder)
    words = f"a commit takes {seconds * 1000:,.1f} ms"
    if seconds > SLOW_COMMIT_S:
        return warned(
            "commits", words, "use a faster disk: the agent waits for several commits a result", subject=folder
        )
    return passed("commits", words, subject=folder)


def look_at_clock(ask: Callable[[], int | None] | None = None) -> Check:
    """Look whether a time server keeps this machine's clock.

    Args:
        ask: Returns what adjtimex(2) says; None where the system has no such call. By default the system is asked.
    """
    said = (ask or _adjtimex)()
    if said == TIME_ERROR:
        return warned(
            "clock",
            "no time server keeps this machine's clock",
            "let one do so (systemd-timesyncd, chrony): certificates and orders are judged by it",
        )
    return passed("clock", "this system does not tell who keeps it" if said is None else "kept by a time server")


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def _mounts() -> list[Mount]:
    try:
        return mounts_in(MOUNTS.read_text(encoding="utf-8", errors="replace"))
    except OSError:  # another system, or none of its files
        return []


def _committed(file: Path) -> tuple[str, float]:
    """Return how SQLite keeps its journal in a file, and how long a commit takes there [s].

    Raises:
        sqlite3.Error: When it cannot work there.
    """
    took = []
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        mode = str(database.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE trial (number INTEGER)")
        for number in range(COMMITS):
            began = time.perf_counter()
            database.execute("INSERT INTO trial VALUES (?)", (number,))
            took.append(time.perf_counter() - began)
    return mode, statistics.median(took)


def _adjtimex() -> int | None:
    if not sys.platform.startswith("linux"):
        return None
    with contextlib.suppress(OSError, AttributeError):
        said: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
        return None if said < 0 else said
    return None
