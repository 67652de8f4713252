"""Plant each bug of `bugs.toml` in a copy of the tree, run the check that must find it, and print what came of it.

    python -m tests.planted                  all of them
    python -m tests.planted ack_before_commit no_dedupe
    python -m tests.planted --list

A check must first pass on a copy without a bug, or its failing would prove nothing. The tree itself is never changed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.planted.bugs import CHECKS, Bug, Finding, copy_tree, load_bugs, plant, run_check

REPORT_WIDTH: Final = 150
"""Columns where the output goes to a file [character]: a row of the table on a line."""


def main() -> int:
    """Run the command line; 1 when a bug was not found, or a check fails without one."""
    arguments = _arguments()
    bugs = load_bugs()
    if arguments.list:
        for bug in bugs:
            print(f"{bug.name:32} {bug.about}")
        return 0
    unknown = set(arguments.names) - {bug.name for bug in bugs}
    if unknown:
        print(f"error: no such bug: {', '.join(sorted(unknown))}; --list shows them", file=sys.stderr)
        return 2
    chosen = [bug for bug in bugs if not arguments.names or bug.name in arguments.names]
    console = Console(highlight=False, width=None if sys.stdout.isatty() else REPORT_WIDTH)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="entropilot-planted-") as scratch:
        sound = copy_tree(Path(scratch) / "sound")
        needed = sorted({bug.check for bug in chosen})
        console.print(f"{len(chosen)} bugs, {len(needed)} checks; first the checks without a bug")
        for check in needed:
            finding = run_check(check, sound)
            console.print(f"  {'passes' if not finding.caught else 'FAILS'} in {finding.seconds:5.1f} s  {check}")
            if finding.caught:
                console.print(finding.tail)
                return 1
        findings: list[tuple[Bug, Finding]] = []
        for bug, finding in _planted(chosen, Path(scratch), arguments.jobs):
            findings.append((bug, finding))
            mark = "caught" if finding.caught else "MISSED"
            console.print(f"  {mark} {len(findings):3}/{len(chosen)} in {finding.seconds:5.1f} s  {bug.name}")
    findings.sort(key=lambda pair: pair[0].name)
    console.print(_table(findings))
    missed = [bug.name for bug, finding in findings if not finding.caught]
    console.print(
        f"{len(findings) - len(missed)} of {len(findings)} planted bugs caught in {time.monotonic() - began:.0f} s"
        + (f"; missed: {', '.join(missed)}" if missed else "")
    )
    if arguments.json:
        summary = {"planted": len(findings), "caught": len(findings) - len(missed), "missed": missed}
        arguments.json.write_text(json.dumps(summary) + "\n")
    return 1 if missed else 0


def _planted(bugs: list[Bug], scratch: Path, jobs: int) -> Iterator[tuple[Bug, Finding]]:
    def one(bug: Bug) -> Finding:
        copy = copy_tree(scratch / bug.name)
        plant(bug, copy)
        return run_check(bug.check, copy)

    with ThreadPoolExecutor(jobs) as workers:
        waiting = {workers.submit(one, bug): bug for bug in bugs}
        for done in as_completed(waiting):
            yield waiting[done], done.result()


def _table(findings: list[tuple[Bug, Finding]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("bug", "what is wrong", "caught by", "said"):
        table.add_column(heading, overflow="fold")
    for bug, finding in findings:
        table.add_row(bug.name, bug.about, bug.check if finding.caught else "NOBODY", finding.words)
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description="Plant bugs and see them caught.")
    parser.add_argument("names", nargs="*", help="bugs to plant; by default all")
    parser.add_argument("--list", action="store_true", help="only show what there is")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    parser.add_argument("--json", type=Path, help="write a summary there")
    arguments = parser.parse_args()
    if not CHECKS:
        parser.error("there are no checks")
    return arguments


if __name__ == "__main__":
    raise SystemExit(main())
