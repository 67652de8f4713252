"""Flips single bits in the files of a campaign that was killed, and starts it again.

    python -m tests.crash.flipped_bytes                  every head of a page or frame, and 400 places at random
    python -m tests.crash.flipped_bytes --sample N       at most N places in each file
    … --only FILE                                        this file, and others that are named so
    python -m tests.crash.flipped_bytes --only FILE --point BIT     one bit (what a failure prints)

| disposition | what it means |
|---|---|
| refused | the start, or a later read, ended with a named reason |
| unharmed | the campaign ended as its twin; the bit was in unused space, or in what SQLite rebuilds |
| healed | committed rows were gone (SQLite drops a WAL from its first bad frame on); they came again |
| view | decisions and journal are right, a view is not: `entropilot verify` finds it |
| silent | something is wrong and no start said so |
| fault | a fault of ours instead of a reason |

SQLite has no checksums in its main file; ours are the digests of the journal. So "silent" cannot be zero, and this
program says where it is not.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocols.storage.wal_check import is_damaged
from tests.crash.forks import in_child, shared_out
from tests.crash.golden import SIMULATOR, play
from tests.crash.judgement import JournalFold, judge, story_of
from tests.crash.kill_points import RAM, eventful_kill

SEED: Final = 20_260_102
PAGE: Final = 4096
WAL_HEAD: Final = 32
FRAME_HEAD: Final = 24
RANDOM_PLACES: Final = 400
HANGS_AFTER_S: Final = 60
DISPOSITIONS: Final = ("refused", "unharmed", "healed", "view", "silent", "fault")

Place = tuple[str, int]
"""File, and number of the bit in it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one flipped bit."""

    disposition: str
    told: str
    lost_rows: int
    """Journal rows that were committed and not there at the start."""
    wal_says: bool
    """Whether a look at the WAL's frames can tell that it is damaged, not torn."""


def checkpointed(folder: Path) -> None:
    """Move everything from the WALs into the main files, as the end of a process in order does."""
    for name in ("campaign.db", f"{SIMULATOR}.db"):
        connection = sqlite3.connect(folder / "run" / name)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


def places(folder: Path, names: Sequence[str], sample: int | None) -> list[Place]:
    """Return the bits to flip: one in each byte of every page's or frame's head, and others at random."""
    chance = random.Random(SEED)
    found: list[Place] = []
    for name in names:
        size = (folder / "run" / name).stat().st_size
        if name.endswith("-wal"):
            frames = range(WAL_HEAD, size, PAGE + FRAME_HEAD)
            heads = [*range(WAL_HEAD), *(frame + byte for frame in frames for byte in range(0, FRAME_HEAD, 2))]
        else:
            heads = [*range(100), *(page + byte for page in range(0, size, PAGE) for byte in range(12))]
        bytes_ = sorted({*heads, *(chance.randrange(size) for _ in range(RANDOM_PLACES))})
        if sample is not None and len(bytes_) > sample:
            bytes_ = sorted(chance.sample(bytes_, sample))
        found += [(name, 8 * byte + chance.randrange(8)) for byte in bytes_]
    return found


def flip(path: Path, bit: int) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def tried(base: Path, where: Place, twin: JournalFold, rows: int, place: Path) -> Seen:
    """Flip a bit in a copy, start the campaign there, and judge."""
    folder = Path(tempfile.mkdtemp(dir=place))
    name, bit = where
    try:
        shutil.copytree(base, folder, dirs_exist_ok=True)
        flip(folder / "run" / name, bit)
        wal_says = is_damaged(folder / "run" / name) if name.endswith("-wal") else False
        lost = max(0, rows - _rows_at_start(folder, place)) if name.startswith("campaign") else 0

        def life() -> list[str]:
            signal.alarm(HANGS_AFTER_S)
            play(folder)
            return judge(folder, twin)

        ended = in_child(life)
        if ended.ours:
            return Seen("refused", ended.why, lost, wal_says)
        if not ended.ok:
            return Seen("fault", ended.why or f"signal {ended.signal}", lost, wal_says)
        problems: list[str] = ended.value
        if not problems:
            return Seen("healed" if lost else "unharmed", "", lost, wal_says)
        only_views = all(problem.startswith("I4") for problem in problems)
        return Seen("view" if only_views else "silent", problems[0], lost, wal_says)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rows_at_start(folder: Path, place: Path) -> int:
    """Count the journal rows that SQLite still finds, in a copy of the run folder."""
    copy = Path(tempfile.mkdtemp(dir=place))
    try:
        shutil.copytree(folder / "run", copy, dirs_exist_ok=True)
        connection = sqlite3.connect(copy / "campaign.db")
        try:
            return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])
        except (sqlite3.Error, OverflowError, UnicodeDecodeError):
            return 0
        finally:
            connection.close()
    finally:
        shutil.rmtree(copy)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return 1 when something is silent or a fault where it must not be."""
    options = _options(arguments)
    place = Path(tempfile.mkdtemp(prefix="flipped-bytes-", dir=RAM))
    began = time.perf_counter()
    try:
        play(place / "twin")
        twin = story_of(place / "twin")
        killed = eventful_kill(place)
        settled = place / "settled"
        shutil.copytree(killed, settled)
        checkpointed(settled)
        rows = _rows_at_start(killed, place)
        bases = {
            "campaign.db": settled,
            f"{SIMULATOR}.db": settled,
            "campaign.db-wal": killed,
            f"{SIMULATOR}.db-wal": killed,
        }
        wanted = [
            found
            for name, base in bases.items()
            if name in (options.only or bases)
            for found in (
                [(name, options.point)] if options.point is not None else places(base, [name], options.sample)
            )
        ]
        dispositions: dict[str, Counter[str]] = {}
        told: dict[str, Counter[str]] = {}
        seen_by_wal: Counter[str] = Counter()
        violations: list[str] = []
        for where, seen in shared_out(
            wanted, lambda where: tried(bases[where[0]], where, twin, rows, place), jobs=options.jobs
        ):
            name, bit = where
            dispositions.setdefault(name, Counter())[seen.disposition] += 1
            told.setdefault(f"{name}: {seen.disposition}", Counter())[_short(seen.told)] += 1
            seen_by_wal[f"{seen.disposition}, the WAL {'tells' if seen.wal_says else 'does not tell'}"] += (
                name.endswith("-wal")
            )
            if seen.disposition == "fault":
                again = f"python -m tests.crash.flipped_bytes --only {name} --point {bit}"
                violations.append(f"{name} bit {bit}: {seen.disposition}: {seen.told}; again: {again}")
        _print_table(dispositions, told, seen_by_wal, violations)
        figures = {
            "what": "flipped bits",
            "places": len(wanted),
            "dispositions": {name: dict(counts) for name, counts in dispositions.items()},
            "wal": {name: count for name, count in seen_by_wal.items() if count},
            "violations": len(violations),
            "seconds": round(time.perf_counter() - began, 1),
        }
        print(json.dumps(figures))
        if options.json:
            options.json.write_text(json.dumps(figures))
        return 1 if violations else 0
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _print_table(
    dispositions: dict[str, Counter[str]], told: dict[str, Counter[str]], by_wal: Counter[str], violations: list[str]
) -> None:
    print(f"{'file':<24}" + "".join(f"{disposition:>10}" for disposition in DISPOSITIONS))
    for name, counts in dispositions.items():
        print(f"{name:<24}" + "".join(f"{counts[disposition]:>10}" for disposition in DISPOSITIONS))
    for name, count in by_wal.items():
        if count:
            print(f"  WAL: {name}: {count}")
    for name, reasons in told.items():
        for reason, count in reasons.most_common(6):
            if reason:
                print(f"  {name} ({count}): {reason}")
    for violation in violations[:20]:
        print("VIOLATION", violation)


def _short(told: str) -> str:
    return "".join("#" if message.isdigit() else message for message in told)[:150]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="so many places in each file")
    parser.add_argument("--only", action="append", help="this file; may be repeated")
    parser.add_argument("--point", type=int, help="one bit of it")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
