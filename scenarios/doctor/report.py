"""What `entropilot doctor` shows: a line a check while it looks, and all of them at the end."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.display.console import status_line
from scenarios.doctor.checks import SEVERITY, Check, Verdict, worst

STYLES: Final = {Verdict.PASS: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


@contextmanager
def looking(*, quiet: bool) -> Iterator[Callable[[Check], None]]:
    """Show in place what was looked at last, as long as a person watches."""
    with status_line("looking", quiet=quiet) as show:

        def on_check(check: Check) -> None:
            show(Text(f"looked at {check.name} {check.subject}".rstrip()))

        yield on_check


def doctor_table(checks: tuple[Check, ...]) -> RenderableType:
    """Return what was found, a row a check, with what to do below it."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column("verdict")
    table.add_column("check", style="bold", no_wrap=True)
    table.add_column("found", ratio=1, overflow="fold")
    for check in checks:
        said = Text(f"{check.subject}: " if check.subject else "", style="dim")
        said.append(check.found, style="default")
        if check.action and check.verdict is not Verdict.PASS:
            said.append(f"\nwhat to do: {check.action}", style="default italic")
        table.add_row(Text(check.verdict.value, style=STYLES[check.verdict]), Text(check.name), said)
    return Group(table, Text(in_short(checks), style=STYLES[worst(checks)]))


def in_short(checks: tuple[Check, ...]) -> str:
    """Return how many checks came to what."""
    counts = {each: sum(check.verdict is each for check in checks) for each in reversed(SEVERITY)}
    return ", ".join(f"{number} {verdict.value}" for verdict, number in counts.items())


def doctor_json(checks: tuple[Check, ...], broker: str) -> str:
    """Return the same as JSON."""
    content = {
        "broker": broker,
        "verdict": worst(checks),
        "checks": [dataclasses.asdict(check) for check in checks],
    }
    return json.dumps(content, indent=2)
