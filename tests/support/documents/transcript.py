"""Whether a command printed what a document shows, where figures differ from machine to machine and run to run.

A line `…` stands for any lines, also none; `…` within a line for any text of it. Digits that follow the machine (times,
rates, measured figures with a decimal point, digests, ports, dates) are not compared, nor is the width of blanks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

ANY: Final = "…"
"""What stands for anything."""

_MASKS: Final = (
    (re.compile(r"\x1b\[[\d;]*m"), ""),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "<digest>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"#token=[\w-]+"), "#token=<token>"),
    (re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=localhost:)\d+"), "<port>"),
    (re.compile(r"[+\-−]?\d+\.\d+(e[+-]?\d+)?"), "<figure>"),
    (re.compile(r"(?<=→ )\d+|(?<=observation )\d+"), "<number>"),
    (re.compile(r"\b\d+ (?=s\b|ms\b|results/s)"), "<figure> "),
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r"[─━]+"), "─"),
)


PROGRESS: Final = re.compile(r".+ [\d,]+/[\d,]+, <figure> s")
"""A line of progress, which a command writes where it takes longer than two seconds: on another machine it does not."""


def masked(line: str) -> str:
    """Return a line without what differs from machine to machine and from run to run."""
    for pattern, instead in _MASKS:
        line = pattern.sub(instead, line)
    return line.strip()


def difference(shown: Sequence[str], printed: Sequence[str]) -> str:
    """Say which line that a document shows was not printed; nothing when all were, in their order.

    Args:
        shown: The lines of the document.
        printed: The lines that were printed.
    """
    wanted = [line for line in map(masked, shown) if line]
    found = [line for line in map(masked, printed) if line and not PROGRESS.fullmatch(line)]
    if _fits(wanted, found):
        return ""
    for number in range(1, len(wanted) + 1):
        if not _fits([*wanted[:number], ANY], found):
            return f"{wanted[number - 1]!r} was not printed there"
    return "more was printed than is shown"


def _fits(wanted: Sequence[str], found: Sequence[str]) -> bool:
    reached = {0}  # how many of the printed lines may be accounted for
    for line in wanted:
        if line == ANY:
            reached = set(range(min(reached), len(found) + 1)) if reached else set()
        else:
            pattern = re.compile(".*".join(map(re.escape, line.split(ANY))))
            reached = {each + 1 for each in reached if each < len(found) and pattern.fullmatch(found[each])}
    return len(found) in reached
