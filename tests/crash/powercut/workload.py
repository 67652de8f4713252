"""A bare SQLite workload with published answers, to test the tester: which settings lose rows, which corrupt.

    python -m tests.crash.powercut.workload FOLDER JOURNAL_MODE SYNCHRONOUS COMMITS

Each row counts as acknowledged once its COMMIT has returned. SQLite documents what a power cut may then do: WAL with
NORMAL loses the last commits and corrupts nothing, OFF corrupts, WAL with FULL keeps all; a rollback journal needs
EXTRA, because only that syncs the folder after the journal's name is gone.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.crash.powercut.disk import MARK, Disk, Image, dispositions, read_recording
from tests.crash.powercut.promises import Broken, open_image
from tests.crash.powercut.recorder import record

CHECKPOINT_PAGES: Final = 12
"""Several checkpoints in a few dozen commits."""


@dataclass(slots=True)
class Toll:
    """What power cuts did to a workload."""

    images: int = 0
    corrupt: int = 0
    losing: int = 0
    """Images that lost an acknowledged row."""
    most_lost: int = 0


def cut_workload(
    library: Path, folder: Path, journal_mode: str, synchronous: str, *, commits: int, states: int, seed: int = 0
) -> Toll:
    """Record the workload and open every image of it."""
    root, recording = folder / "root", folder / "recording"
    root.mkdir(parents=True)
    arguments = ["-m", "tests.crash.powercut.workload", str(root.resolve()), journal_mode, synchronous, str(commits)]
    assert record(library, root, recording, *arguments) == 0
    rng = random.Random(seed)
    toll, disk, acknowledged = Toll(), Disk(), 0
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for change in read_recording(recording, root.resolve()):
            disk.play(change)
            if change.kind == MARK:
                acknowledged = int(change.content)
            for left in dispositions(disk.pending, rng, states):
                _judge(toll, disk.safe.with_changes(left), acknowledged, Path(scratch))
    return toll


def _judge(toll: Toll, image: Image, acknowledged: int, scratch: Path) -> None:
    toll.images += 1
    for path in scratch.iterdir():
        path.unlink()
    image.write_to(scratch, frozenset())
    try:
        connection = open_image(scratch / "lab.db")
    except Broken:
        toll.corrupt += 1
        return
    try:
        there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'result'").fetchone()
        rows = connection.execute("SELECT count(*) FROM result").fetchone()[0] if there else 0
    except sqlite3.DatabaseError:
        toll.corrupt += 1
        return
    finally:
        connection.close()
    lost = max(0, acknowledged - rows)
    toll.losing += lost > 0
    toll.most_lost = max(toll.most_lost, lost)


def main() -> None:
    """Write rows, and say so after each commit; runs under the recorder."""
    folder, journal_mode, synchronous, commits = sys.argv[1:]
    marks = os.open(os.environ["POWERCUT_MARKS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    connection = sqlite3.connect(Path(folder) / "lab.db", isolation_level=None)
    connection.execute(f"PRAGMA journal_mode={journal_mode}")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.execute("CREATE TABLE result (id INTEGER PRIMARY KEY, content TEXT NOT NULL)")
    for number in range(1, int(commits) + 1):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO result VALUES (?, ?)", (number, f"{number} " * 300))
        connection.execute("COMMIT")
        os.write(marks, f"{number}\n".encode())


if __name__ == "__main__":
    main()
