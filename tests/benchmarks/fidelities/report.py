"""The comparison in figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from scipy.stats import t as student

from agent.acquisition.base import FloatArray
from tests.benchmarks.fidelities.campaigns import HALF, WHOLE, Course

HEADER: Final = (
    "| table | arm | mean gap [nat] | less dear alone at 1,200, paired [nat] | starts that reach it: ever, at the end"
    " | cheap, dear |"
)

Courses = Mapping[str, Sequence[Mapping[str, Course]]]
"""Table -> arms of every seed."""


def report(courses: Courses) -> str:
    """Return a table in Markdown: mean gap at half the cost, and how far it is from the dear method's at the whole."""
    lines = [
        HEADER,
        "|---|---|---|---|---|---|",
    ]
    for table, seeds in courses.items():
        whole = np.array([arms["dear alone"].at(WHOLE) for arms in seeds])
        lines.append(f"| {table} | dear alone, {WHOLE:,} | {whole.mean():.3f} | | | 0, {WHOLE // 20} |")
        for arm in seeds[0]:
            ends = np.array([arms[arm].at(HALF) for arms in seeds])
            counts = _counts(seeds, arm)
            reached = f"{_reached(seeds, arm, whole)}, {np.count_nonzero(ends <= whole)} of {len(seeds)}"
            lines.append(
                f"| {table} | {arm}, {HALF} | {ends.mean():.3f} | {_interval(ends - whole)} | {reached} | {counts} |"
            )
    return "\n".join(lines) + "\n"


def _interval(differences: FloatArray) -> str:
    """Return mean and 95 % interval of Student's."""
    n = len(differences)
    half = float(student.ppf(0.975, n - 1)) * float(differences.std(ddof=1)) / n**0.5 if n > 1 else float("nan")
    return f"{differences.mean():+.3f} ± {half:.3f}"


def _reached(seeds: Sequence[Mapping[str, Course]], arm: str, whole: FloatArray) -> int:
    """Count the seeds in which the arm has reached the level at some cost up to the half."""
    reached = 0
    for arms, level in zip(seeds, whole, strict=True):
        course = arms[arm]
        within = [gap for cost, gap in zip(course.costs, course.gaps, strict=True) if cost <= HALF]
        reached += min(within) <= level
    return reached


def _counts(seeds: Sequence[Mapping[str, Course]], arm: str) -> str:
    if arm == "dear alone":
        return f"0, {HALF // 20}"
    cheap = np.mean([len(arms[arm].asked) - arms[arm].dear for arms in seeds])
    return f"{cheap:.0f}, {np.mean([arms[arm].dear for arms in seeds]):.0f}"
