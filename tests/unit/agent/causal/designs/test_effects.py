"""Queries of a closure: each is the difference of two means over everything else."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.designs.effects import effect_queries
from tests.support.samples.closures import benzenes, made_up_bed, rows_of, text_of


def test_a_query_is_the_difference_of_means_over_all_designs_of_two_levels() -> None:
    bed = made_up_bed()
    assert bed.pool.designs is not None
    queries, names = effect_queries(bed.pool.designs, len(bed.truth))
    texts = sorted({text_of(*row) for row in rows_of()})
    value = dict(zip(texts, bed.truth.tolist(), strict=True))

    def mean(group: str) -> float:
        return float(np.mean([value[text_of(*row)] for row in rows_of() if row[0] == group]))

    assert sorted(names) == ["k", "m", "p", "q", "s"]
    for row, name in zip(queries, names, strict=True):
        assert row @ bed.truth == pytest.approx(mean(name) - mean("-"))
    assert queries.sum(axis=1) == pytest.approx(0.0)


def test_where_cells_are_missing_only_what_differs_in_the_level_alone_is_compared() -> None:
    rows = [row for row in rows_of() if row[:2] != ("q", "q") or row[2] == "near"]
    bed = made_up_bed(rows)
    assert bed.pool.designs is not None
    queries, names = effect_queries(bed.pool.designs, len(bed.truth))
    value = dict(zip(sorted({text_of(*row) for row in rows}), bed.truth.tolist(), strict=True))
    pairs = [
        value[text_of("q", y, place)] - value[text_of("-", y, place)]
        for x, y, place in rows
        if x == "q" and ("-", y, place) in rows
    ]
    assert queries[names.index("q")] @ bed.truth == pytest.approx(np.mean(pairs))


def test_the_effects_of_the_benzenes_are_those_that_were_published_with_them() -> None:
    """GFN2-xTB, all five conformers relaxed, lowest kept: nitro 2.945 D, cyano 1.796 D, methyl 0.078 D."""
    bed = benzenes()
    assert bed.pool.designs is not None
    queries, names = effect_queries(bed.pool.designs, len(bed.truth))
    effects = dict(zip(names, queries @ bed.truth, strict=True))
    assert [effects[name] for name in ("NO2", "CN", "CH3")] == pytest.approx([2.945, 1.796, 0.078], abs=1e-3)
