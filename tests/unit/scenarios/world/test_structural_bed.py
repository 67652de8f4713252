"""The pool of a structural model: what it sets, what it would show, and what both are worth to whoever reads them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenarios.world.structural_bed import make_structural_bed
from simulators.structural_model import StructuralModelLab, StructuralModelSettings
from tests.support.sample_messages import request

SETTINGS = StructuralModelSettings(
    variables=("a", "b", "y"), target="y", edges=(("a", "b", 2.0), ("b", "y", -1.5)), repeats=3, passive_rows=50
)


def test_every_candidate_stands_with_what_the_lab_says_of_it() -> None:
    pool, values = make_structural_bed(SETTINGS)
    lab = StructuralModelLab(SETTINGS)
    assert len(pool) == 2 * 2 * 3
    for index, candidate in enumerate(pool.candidates):
        said = lab.evaluate(request(candidate_id=candidate.candidate_id, properties=("y", "a", "b")))
        assert {each.name: each.value for each in said} == {name: values[name][index] for name in ("y", "a", "b")}


def test_what_a_candidate_sets_is_what_its_variable_shows() -> None:
    pool, values = make_structural_bed(SETTINGS)
    bed = pool.interventions
    assert bed is not None
    for index, (variable, value) in enumerate(zip(bed.variable, bed.value, strict=True)):
        assert values[bed.variables[variable]][index] == value
        assert pool.features[index, variable] == value
        assert np.count_nonzero(pool.features[index]) == 1
    assert bed.passive.shape == (50, 3)


def test_the_digest_of_the_pool_is_of_its_interventions_and_passive_rows_too() -> None:
    pool, _ = make_structural_bed(SETTINGS)
    bed = pool.interventions
    assert bed is not None
    assert pool.digest == make_structural_bed(SETTINGS)[0].digest
    other_rows = replace(pool, interventions=replace(bed, passive=bed.passive + 1e-3))
    other_target = replace(pool, interventions=replace(bed, target=0))
    assert len({pool.digest, other_rows.digest, other_target.digest, replace(pool, interventions=None).digest}) == 4
