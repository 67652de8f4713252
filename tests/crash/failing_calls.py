"""Lets the n-th system call of the golden campaign fail, for every n, and takes the campaign up again.

    python -m tests.crash.failing_calls                  every call of every kind
    python -m tests.crash.failing_calls --sample N       at most N calls of every kind and way to fail
    python -m tests.crash.failing_calls --only write/eio-once --point N

A process whose file system refuses something must go on correctly, or end with an error that a person can act on;
never with a fault of ours. Started again on a healthy file system, the campaign must end as its undisturbed twin.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scenarios.display.console import OUR_FAULT, _report
from tests.crash.forks import in_child, shared_out
from tests.crash.golden import play
from tests.crash.judgement import JournalFold, judge, lost_at_death, story_of
from tests.crash.kill_points import RAM, evenly

SOURCE: Final = Path(__file__).with_suffix(".c")
KINDS: Final = ("write", "sync", "truncate", "open", "remove", "read")
WAYS: Final = (
    "eio-once",
    "enospc-once",
    "short",
    "eintr-once",
    "eio-always",
    "enospc-always",
    "kill-before",
    "kill-within",
)
"""In the order of the library."""

TRIED: Final[dict[str, tuple[str, ...]]] = {
    "write": WAYS,
    "sync": ("eio-once", "eio-always", "kill-before"),
    "truncate": ("eio-once", "eio-always", "kill-before"),
    "open": ("eio-once", "enospc-once", "enospc-always", "kill-before"),
    "remove": ("eio-once", "kill-before"),
    "read": ("eio-once", "eintr-once", "eio-always"),
}
"""What can happen to a call of each kind."""

HARMLESS: Final = frozenset({"short", "eintr-once"})
"""What a caller has to put up with (POSIX): the campaign must go on."""

Case = tuple[str, str, int]
"""Kind, way, number of the call."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one case."""

    disposition: str
    """went on | ended clearly | killed | fault"""
    file: str
    problems: list[str]


def build(folder: Path) -> Path:
    """Compile the library."""
    library = folder / "failing_calls.so"
    compiler = shutil.which("cc") or "cc"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def calls_of(kind: str, place: Path) -> int:
    """Count the calls of a kind in an undisturbed campaign."""
    folder = place / f"count-{kind}"

    def life() -> int:
        with failing(folder, kind, "eio-once", 0) as library:
            play(folder)
            return int(library.fail_seen())

    return int(in_child(life).value)


@contextlib.contextmanager
def failing(folder: Path, kind: str, way: str, number: int) -> Iterator[Any]:
    """Arm the library for this process, while the block runs; it counts only files in the run folder."""
    library: Any = ctypes.CDLL(None)
    library.fail_seen.restype = ctypes.c_long
    library.fail_hit.restype = ctypes.c_char_p
    library.fail_arm.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    library.fail_arm(f"{folder / 'run'}/".encode(), KINDS.index(kind), WAYS.index(way), number)
    try:
        yield library
    finally:
        library.fail_arm(b"", -1, 0, 0)


def disturbed(folder: Path, case: Case) -> tuple[str, str, str]:
    """Play the campaign in a child with one failing call; return how it ended, the file, and what it said."""
    kind, way, number = case

    def life() -> tuple[str, str, str]:
        disposition, said = "went on", io.StringIO()
        with failing(folder, kind, way, number) as library:
            try:
                play(folder)
            except BaseException as error:  # noqa: BLE001 - judged by what a user would see
                with contextlib.redirect_stderr(said):
                    code = _report(error, debug=False)
                disposition = "fault" if code == OUR_FAULT else "ended clearly"
            file = Path(library.fail_hit().decode()).name
        return disposition, file, said.getvalue()

    ended = in_child(life)
    if ended.signal == signal.SIGKILL and way.startswith("kill"):
        return "killed", "", ""
    return ended.value if ended.ok else ("fault", "", f"{ended.why}, signal {ended.signal}")


def tried(case: Case, twin: JournalFold, place: Path) -> Seen:
    """Disturb a campaign, resume it again, judge both."""
    folder = Path(tempfile.mkdtemp(dir=place))

    def restart() -> list[str]:
        lost = lost_at_death(folder)
        play(folder)
        return lost + judge(folder, twin)

    try:
        disposition, file, said = disturbed(folder, case)
        problems = [f"a fault of ours: {said.strip()[:400]}"] if disposition == "fault" else []
        if case[1] in HARMLESS and disposition != "went on":
            problems.append(f"it did not go on: {said.strip()[:400]}")
        again = in_child(restart)
        problems += again.value if again.ok else [f"the restart failed: {again.why}"]
        return Seen(disposition, file, problems)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cases(place: Path, only: str | None, sample: int | None, point: int | None) -> list[Case]:
    """Return what is to be tried, each kind's calls counted in an undisturbed campaign."""
    found: list[Case] = []
    for kind, ways in TRIED.items():
        total = 0
        for way in ways:
            if only not in {None, kind, f"{kind}/{way}"}:
                continue
            total = total or calls_of(kind, place)
            numbers = range(1, total + 1) if sample is None else evenly(total, sample)
            found += [(kind, way, number) for number in ([point] if point else numbers)]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return 1 on any violation."""
    options = _options(arguments)
    place = Path(tempfile.mkdtemp(prefix="failing-calls-", dir=RAM))
    try:
        if "ENTROPILOT_FAILING_CALLS" not in os.environ:
            environment = os.environ | {
                "LD_PRELOAD": str(build(place)),
                "ENTROPILOT_FAILING_CALLS": "1",
                "PYTHONHASHSEED": "0",
                "OPENBLAS_NUM_THREADS": "1",
            }
            command = [sys.executable, "-m", "tests.crash.failing_calls", *(arguments or sys.argv[1:])]
            return subprocess.run(command, env=environment, check=False).returncode
        return _run(options, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _run(options: argparse.Namespace, place: Path) -> int:
    began = time.perf_counter()
    play(place / "twin")
    twin = story_of(place / "twin")
    dispositions: dict[str, Counter[str]] = {}
    violations: list[str] = []
    wanted = cases(place, options.only, options.sample, options.point)
    for case, seen in shared_out(wanted, lambda case: tried(case, twin, place), jobs=options.jobs):
        kind, way, number = case
        dispositions.setdefault(f"{kind}/{way}", Counter())[seen.disposition] += 1
        again = f"python -m tests.crash.failing_calls --only {kind}/{way} --point {number}"
        violations += [f"{kind}/{way} {number} ({seen.file}): {problem}; again: {again}" for problem in seen.problems]
    print(f"{'call / failure':<24}{'cases':>7}{'went on':>9}{'ended clearly':>15}{'killed':>8}{'faults':>8}")
    for name, counts in dispositions.items():
        columns = [counts[disposition] for disposition in ("went on", "ended clearly", "killed", "fault")]
        print(f"{name:<24}{counts.total():>7}{columns[0]:>9}{columns[1]:>15}{columns[2]:>8}{columns[3]:>8}")
    for violation in violations[: options.show]:
        print("VIOLATION", violation)
    figures = {
        "what": "failing system calls",
        "cases": len(wanted),
        "dispositions": {name: dict(counts) for name, counts in dispositions.items()},
        "violations": len(violations),
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(json.dumps(figures))
    if options.json:
        options.json.write_text(json.dumps(figures))
    return 1 if violations else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="so many calls of every kind and way")
    parser.add_argument("--only", help="a kind (write), or a kind and a way to fail (write/short)")
    parser.add_argument("--point", type=int, help="only this call")
    parser.add_argument("--show", type=int, default=20, help="violations printed")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
