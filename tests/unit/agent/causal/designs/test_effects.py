"""The query matrix: effects against brute force, in full closures and in ones with holes."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.designs.effects import effect_queries
from tests.support.samples.closures import Bed, benzenes, made_up_bed, rows_of


def brute_force(bed: Bed) -> dict[str, float]:
    """Mean over the rest of what changing the level alone does, by looking up every pair of designs."""
    designs = bed.pool.designs
    assert designs is not None
    value = {
        tuple(row): bed.truth[candidate]
        for row, candidate in zip(designs.codes.tolist(), designs.candidate, strict=True)
    }
    effects = {}
    for level, name in enumerate(designs.groups):
        differences = [
            known - value[(designs.reference, *rest)]
            for (x, *rest), known in value.items()
            if x == level and (designs.reference, *rest) in value
        ]
        effects[name] = float(np.mean(differences))
    del effects[designs.groups[designs.reference]]
    return effects


@pytest.mark.parametrize(
    "bed",
    [
        made_up_bed(),
        made_up_bed(reference="q"),
        made_up_bed(
            [row for row in rows_of() if row not in {("k", "m", "far"), ("-", "q", "near"), ("s", "s", "far")}]
        ),
    ],
    ids=["full", "another reference", "with holes"],
)
def test_effects_are_those_of_changing_one_factor_alone(bed: Bed) -> None:
    designs = bed.pool.designs
    assert designs is not None
    W, names = effect_queries(designs, len(bed.truth))
    expected = brute_force(bed)
    assert set(names) == set(expected)
    np.testing.assert_allclose(W @ bed.truth, [expected[name] for name in names])
    np.testing.assert_allclose(W.sum(axis=1), 0.0, atol=1e-12)


def test_the_effects_of_the_benzenes_are_those_of_the_notes() -> None:
    bed = benzenes()
    assert bed.pool.designs is not None
    W, names = effect_queries(bed.pool.designs, len(bed.truth))
    effects = dict(zip(names, W @ bed.truth, strict=True))
    noted = {"F": 0.438, "Cl": 0.307, "OH": -0.017, "CN": 1.796, "NO2": 2.945, "NMe2": 1.088}
    for name, effect in noted.items():
        assert effects[name] == pytest.approx(effect, abs=6e-4)
