"""A trim that is worse than the whole table, or than random ones, is said so before anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.entropy.bias import measure_bias
from agent.entropy.measure import EntropyMeasure
from scenarios.trim.report import WrittenTrim, trim_json
from scenarios.trim.source import TrimSource
from scenarios.trim.trim import TrimResult, trim
from scenarios.trim.verdict import THAN_RANDOM, THAN_WHOLE, Verdict, verdict_on

MEASURE = EntropyMeasure("m_spacing", 1e-3)


def source_of(sizes: dict[str, int], spread: dict[str, float]) -> TrimSource:
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(len(sizes)), list(sizes.values()))
    values = np.concatenate([spread[name] * rng.normal(size=size) for name, size in sizes.items()])
    return TrimSource(Path("t.csv"), "y", "", tuple(sizes), codes, values, np.arange(len(codes)), len(codes))


def kept(source: TrimSource, rows: np.ndarray, random: list[np.ndarray] | None = None) -> TrimResult:
    """A trim that kept these rows, beside random ones."""

    def point(of: np.ndarray) -> object:
        return measure_bias(source.families, source.codes[of], source.values[of], MEASURE)

    points = [point(of) for of in (np.arange(len(source.values)), rows, *(random or []))]
    return TrimResult(source, MEASURE, rows, 0.0, points[0], points[1], tuple(points[2:]))  # type: ignore[arg-type]


SOURCE = source_of({"a": 100, "b": 100}, {"a": 1.0, "b": 1.0})
WIDE_AND_NARROW = np.sort(
    np.concatenate(
        [
            np.flatnonzero(SOURCE.codes == 0),
            np.flatnonzero(SOURCE.codes == 1)[np.argsort(np.abs(SOURCE.values[SOURCE.codes == 1]))[:40]],
        ]
    )
)
"""All of one family, and of the other the values that crowd together: worse than anything."""


def test_kept_rows_that_are_worse_than_the_whole_table_are_said_so_first() -> None:
    done = kept(SOURCE, WIDE_AND_NARROW)
    first = done.notes()[0]
    assert first.startswith(
        "The kept rows are worse than the whole table in 3 of 3 figures of bias: range of entropy 0."
    )
    assert "mean gap to the richest" in first
    assert "Keep more rows (--keep), or leave out or join" in first
    assert "'b' (" in first
    assert first in trim_json(done, WrittenTrim((), tuple(done.notes())))
    assert done.verdict() == Verdict(THAN_WHOLE, first)


def test_kept_rows_that_are_worse_than_random_ones_are_said_so() -> None:
    source = source_of({"wide": 100, "narrow": 100}, {"wide": 5.0, "narrow": 0.5})
    size = np.abs(source.values)
    better, best = (np.flatnonzero((source.codes == 1) | (size < most)) for most in (4.0, 1.0))
    assert kept(source, better).verdict() is None
    done = kept(source, better, [best, best])
    assert done.notes()[0].startswith("Random trims of the same size are better on average: range of entropy")
    assert done.verdict() == Verdict(THAN_RANDOM, done.notes()[0])


def test_a_trim_that_gains_says_nothing_of_it() -> None:
    source = source_of({"a": 300, "b": 60, "c": 40}, {"a": 1.0, "b": 0.5, "c": 2.0})
    assert trim(source, 90, MEASURE, 3).verdict() is None


def test_figures_that_cannot_be_told_of_the_kept_rows_are_worse() -> None:
    published = EntropyMeasure("published", 1e-3)
    done = trim(source_of({"a": 30, "b": 30}, {"a": 1.0, "b": 1.0}), 2, published, 0)
    assert "cannot be told, because families have too few rows ('a' has 1)" in done.notes()[0]


@pytest.mark.parametrize("difference", [0.0, 4e-4])
def test_what_nobody_sees_is_not_worse(difference: float) -> None:
    done = kept(SOURCE, np.arange(200))
    figures = done.table_figures()
    moved = [
        type(each)(each.quantity, each.label, each.family, each.unit, each.full, (each.trimmed or 0) + difference, ())
        for each in figures
    ]
    assert verdict_on(moved, SOURCE.families, done.trimmed) is None
