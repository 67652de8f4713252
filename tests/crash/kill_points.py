"""Kills the golden campaign at every executed line of loop, store and outbox, and resumes it.

    python -m tests.crash.kill_points              SIGKILL before the first and the last execution of every line
    python -m tests.crash.kill_points --every      every executed line: the files as they are at that moment
    python -m tests.crash.kill_points --every --nth N    of these files, every N-th that differ from those before
    python -m tests.crash.kill_points --sample N   SIGKILL at N executed lines, evenly spread
    python -m tests.crash.kill_points --point K    SIGKILL at the K-th executed line (what a failure prints)
    … --alone agent|simulator                      that side dies alone; bus and other side live on
    … --recovery                                   the same with a restart after a kill: it is killed as well

What SIGKILL leaves of a process is what it had handed to the system: its files. So `--every` copies the folder before
every line, and restarts once from each content that differs; `tests/crash/test_kill_points.py` shows that a real
SIGKILL leaves the same content. Everything else here kills a real process, and restarts in another.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import logging
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from tests.crash.forks import in_child, shared_out
from tests.crash.golden import SIDE, SIMULATOR, Death, World, play
from tests.crash.judgement import JournalFold, judge, lost_at_death, story_of
from tests.crash.lines import Line, each_line, executable_lines, shown

RAM: Final = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
SIDES: Final = ("agent", "simulator")


@dataclass(frozen=True, slots=True)
class Golden:
    """The undisturbed run."""

    fold: JournalFold
    lines: list[Line]
    """Executed lines, in order."""
    sides: list[str]
    """Whose each of them was."""
    start: Path | None = None
    """The files that it began with: none, or those that a kill has left."""


@dataclass(slots=True)
class Tally:
    """What a run of this program found."""

    points: int = 0
    kills: int = 0
    contents: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)


def undisturbed(folder: Path, start: Path | None = None) -> Golden:
    """Play the golden campaign and note every line."""
    begin_with(folder, start)
    lines: list[Line] = []
    sides: list[str] = []

    def note(frame: FrameType) -> None:
        lines.append((frame.f_code.co_filename, frame.f_lineno))
        sides.append(SIDE.get())

    with each_line(note):
        play(folder)
    return Golden(story_of(folder), lines, sides, start)


def begin_with(folder: Path, start: Path | None) -> None:
    """Put the files into a folder that a run of the campaign begins with."""
    if start is not None:
        shutil.copytree(start, folder, dirs_exist_ok=True)


def killed_at(folder: Path, point: int) -> bool:
    """Play the golden campaign in a child that kills itself before its `point`-th line; return whether it did."""

    def life() -> None:
        left = itertools.count(point, -1)

        def kill(frame: FrameType) -> None:
            if next(left) == 1:
                os.kill(os.getpid(), signal.SIGKILL)

        with each_line(kill):
            play(folder)

    return in_child(life).signal == signal.SIGKILL


def resumed(folder: Path, twin: JournalFold) -> list[str]:
    """Restart in a child what a kill has left, finish it there, and judge."""

    def life() -> list[str]:
        lost = lost_at_death(folder)
        play(folder)
        return lost + judge(folder, twin)

    ended = in_child(life)
    return ended.value if ended.ok else [f"the restart failed: {ended.why}"]


def killed_for_good(folder: Path, point: int, twin: JournalFold) -> list[str]:
    """Kill a real process at a line, restart it in another, and judge."""
    if not killed_at(folder, point):
        return ["the campaign ended before this line"]
    return resumed(folder, twin)


def dead_alone(folder: Path, point: int, twin: JournalFold, side: str) -> list[str]:
    """Let one side die before its `point`-th line and live again in the same world; judge."""

    def life() -> list[str]:
        logging.disable()  # a driver complains when its connection is taken away
        left = itertools.count(point, -1)
        worlds: list[World] = []

        def die(frame: FrameType) -> None:
            if SIDE.get() == side and next(left) == 1:
                sys.settrace(None)
                worlds[0].fences[side].raise_it()
                raise Death

        with each_line(die):
            play(folder, worlds.append)
        return judge(folder, twin)

    ended = in_child(life)
    return ended.value if ended.ok else [f"it did not live again: {ended.why}"]


def contents_of_every_line(folder: Path, images: Path, start: Path | None = None) -> tuple[list[int], list[Path]]:
    """Play the golden campaign; copy its folder before every line where it differs from all copies so far.

    Returns:
        Which copy each line has, and the copies.
    """
    begin_with(folder, start)
    images.mkdir()
    at_line: list[int] = []
    known: dict[bytes, int] = {}
    before: dict[str, bytes] = {}
    reader = _Reader()

    def look(frame: FrameType) -> None:
        nonlocal before
        files = reader.below(str(folder))
        if at_line and files == before:  # nearly always: to compare is quicker than to digest
            at_line.append(at_line[-1])
            return
        before, digest = files, _digest(files)
        if digest not in known:
            known[digest] = len(known)
            shutil.copytree(folder, images / str(known[digest]))
        at_line.append(known[digest])

    with contextlib.closing(reader), each_line(look):
        play(folder)
    return at_line, [images / str(number) for number in known.values()]


def eventful_kill(place: Path) -> Path:
    """Return the files of the kill that leaves the most to be recovered: attempts at every stage of the simulator."""
    _, copies = contents_of_every_line(place / "eventful", place / "eventful-images")

    def stages(copy: Path) -> int:
        database = copy / "run" / f"{SIMULATOR}.db"
        if not database.exists():
            return 0
        shutil.copytree(copy, place / "looked-at", dirs_exist_ok=True)  # to open it changes it
        connection = sqlite3.connect(place / "looked-at" / "run" / database.name)
        try:
            return int(connection.execute("SELECT count(DISTINCT progress) FROM attempt").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # killed before there was a table
        finally:
            connection.close()
            shutil.rmtree(place / "looked-at")

    return max(copies, key=stages)


def first_and_last(lines: Sequence[Any]) -> list[int]:
    """Return the numbers (from 1) of the first and the last execution of every distinct line."""
    first: dict[Any, int] = {}
    last: dict[Any, int] = {}
    for number, line in enumerate(lines, 1):
        first.setdefault(line, number)
        last[line] = number
    return sorted({*first.values(), *last.values()})


def firsts(lines: Sequence[Any]) -> list[int]:
    """Return the numbers (from 1) of the first execution of every distinct line."""
    first: dict[Any, int] = {}
    for number, line in enumerate(lines, 1):
        first.setdefault(line, number)
    return sorted(first.values())


def evenly(total: int, count: int) -> list[int]:
    """Return about `count` numbers of 1 … total, evenly spread."""
    step = max(1.0, total / count)
    return sorted({min(total, 1 + round(i * step)) for i in range(min(count, total))})


def kill_at_points(points: Iterable[int], golden: Golden, *, alone: str | None, jobs: int, place: Path) -> Tally:
    """Disturb a campaign of its own at each point, several processes at once."""
    tally = Tally()

    def one(point: int) -> list[str]:
        folder = Path(tempfile.mkdtemp(dir=place))
        try:
            begin_with(folder, golden.start)
            if alone is None:
                return killed_for_good(folder, point, golden.fold)
            return dead_alone(folder, point, golden.fold, alone)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    began = time.perf_counter()
    mine = [n for n, side in enumerate(golden.sides) if side == alone] if alone else range(len(golden.lines))
    repeat = _command(golden) + (f" --alone {alone}" if alone else "")
    for point, found in shared_out(list(points), one, jobs=jobs):
        tally.points += 1
        where = shown(golden.lines[mine[point - 1]])
        tally.violations += [f"line {point} ({where}): {problem}; again: {repeat} --point {point}" for problem in found]
    tally.kills = tally.points
    tally.seconds = time.perf_counter() - began
    return tally


def restart_every_content(golden: Golden, *, jobs: int, place: Path, nth: int = 1) -> Tally:
    """Restart from the files of every executed line; of files that differ, from every `nth`."""
    began = time.perf_counter()
    images = place / "images"
    at_line, copies = contents_of_every_line(place / "every", images, golden.start)
    restarted = range(0, len(copies), nth)
    tally = Tally(points=len(at_line), contents=len(restarted))
    if len(at_line) != len(golden.lines):
        tally.violations.append(
            f"{len(at_line)} lines, the golden run had {len(golden.lines)}: not the same every time"
        )
    for number, found in shared_out(restarted, lambda i: resumed(copies[i], golden.fold), jobs=jobs):
        point = at_line.index(number) + 1
        where = shown(golden.lines[point - 1])
        tally.violations += [
            f"line {point} ({where}): {problem}; again: {_command(golden)} --point {point}" for problem in found
        ]
    tally.seconds = time.perf_counter() - began
    return tally


def report(golden: Golden, tally: Tally, what: str) -> dict[str, Any]:
    """Print the figures and return them."""
    could = executable_lines()
    reached = set(golden.lines) & could
    print(f"lines executed                  {len(golden.lines):8,}")
    print(f"distinct lines                  {len(reached):8,} of {len(could):,} executable")
    print(f"{what:<31} {tally.points:8,}")
    if tally.contents:
        print(f"different contents restarted    {tally.contents:8,}")
    print(f"violations                      {len(tally.violations):8,}")
    print(f"seconds                         {tally.seconds:8.1f}")
    return {
        "what": what,
        "lines_executed": len(golden.lines),
        "distinct_lines": len(reached),
        "executable_lines": len(could),
        "points": tally.points,
        "contents": tally.contents,
        "violations": tally.violations,
        "seconds": round(tally.seconds, 1),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return 1 on any violation."""
    options = _options(arguments)
    if os.environ.get("PYTHONHASHSEED") != "0":  # the K-th line is the same line in every process
        environment = os.environ | {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
        os.execve(sys.executable, [sys.executable, "-m", "tests.crash.kill_points", *sys.argv[1:]], environment)
    place = Path(tempfile.mkdtemp(prefix="kill-points-", dir=RAM))
    try:
        golden = undisturbed(place / "golden", eventful_kill(place) if options.recovery else None)
        alone: str | None = options.alone
        lines = [line for line, side in zip(golden.lines, golden.sides, strict=True) if alone in {None, side}]
        if options.every and alone is None:
            tally = restart_every_content(golden, jobs=options.jobs, place=place, nth=options.nth)
            what = "kill points (every line)"
        else:
            points, what = _points(options, lines), f"kill points ({alone or 'both'} SIGKILLed)"
            if alone:
                what = f"deaths ({alone} alone)"
            tally = kill_at_points(points, golden, alone=alone, jobs=options.jobs, place=place)
        figures = report(golden, tally, what)
        if options.missed:
            missed = sorted(executable_lines() - set(golden.lines))
            print("\nnever executed by the golden campaign:", *(shown(line) for line in missed), sep="\n  ")
        for violation in tally.violations[:20]:
            print("VIOLATION", violation)
        print(json.dumps(figures | {"violations": len(tally.violations)}))
        if options.json:
            options.json.write_text(json.dumps(figures))
        return 1 if tally.violations else 0
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _points(options: argparse.Namespace, lines: Sequence[Line]) -> list[int]:
    if options.point:
        return [options.point]
    if options.every:
        return list(range(1, len(lines) + 1))
    if options.sample:
        return evenly(len(lines), options.sample)
    return firsts(lines) if options.firsts else first_and_last(lines)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", action="store_true", help="every executed line")
    parser.add_argument("--nth", type=int, default=1, help="with --every: restart from every N-th content")
    parser.add_argument("--firsts", action="store_true", help="only the first execution of every line")
    parser.add_argument("--sample", type=int, help="so many executed lines")
    parser.add_argument("--point", type=int, help="one executed line, by its number")
    parser.add_argument("--alone", choices=SIDES, help="only this side dies")
    parser.add_argument("--recovery", action="store_true", help="kill the restart after a kill")
    parser.add_argument("--missed", action="store_true", help="list the lines that the golden campaign never executes")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args(arguments)


def _command(golden: Golden) -> str:
    return "python -m tests.crash.kill_points" + (" --recovery" if golden.start else "")


class _Reader:
    """Reads all files of a folder before every line; so it keeps them open, for as long as they are the same files.

    Only what a restart can see: the first that opens a database empties the memory that its users share (`-shm`).
    """

    def __init__(self) -> None:
        self._open: dict[str, tuple[int, int]] = {}
        """Path -> inode, which nobody else can get while the file is open, and descriptor."""

    def below(self, folder: str) -> dict[str, bytes]:
        """Return path and content of every file."""
        found: dict[str, bytes] = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    found |= self.below(entry.path)
                elif not entry.name.endswith("-shm"):
                    descriptor = self._descriptor(entry.path, entry.inode())
                    found[entry.path] = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        return found

    def close(self) -> None:
        """Close all files."""
        for _, descriptor in self._open.values():
            os.close(descriptor)

    def _descriptor(self, path: str, inode: int) -> int:
        known, descriptor = self._open.get(path, (0, -1))
        if known != inode:
            if known:
                os.close(descriptor)
            descriptor = os.open(path, os.O_RDONLY)
            self._open[path] = (inode, descriptor)
        return descriptor


def _digest(files: Mapping[str, bytes]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for path, content in sorted(files.items()):
        digest.update(f"{path}|{len(content)}|".encode())
        digest.update(content)
    return digest.digest()


if __name__ == "__main__":
    raise SystemExit(main())
