"""Measurements as rows of a pool: their ids, and that no index of a candidate changes."""

from __future__ import annotations

import numpy as np
import pytest

from agent.pool.measurements import MAX_ROWS, Measurement, Methods, measured
from tests.support.campaigns import small_pool, with_source_ids

METHODS = Methods(("cheap", "dear"), (1, 5), 2)


@pytest.mark.parametrize("fidelity", ["cheap", "dear"])
@pytest.mark.parametrize("replicate", [0, 1])
def test_the_id_of_a_row_says_what_it_measures(fidelity: str, replicate: int) -> None:
    measurement = Measurement("c-1", fidelity, replicate)
    assert METHODS.measurement_of(METHODS.id_of(measurement)) == measurement


@pytest.mark.parametrize("name", ["c-1", "c-1--r1", "c-1--other", "c-1--cheap--r2", "c-1--dear"])
def test_what_is_no_id_of_a_row_is_a_candidate(name: str) -> None:
    found = METHODS.measurement_of(name)
    assert found.replicate == 0
    assert (found.candidate_id == name) is not METHODS.is_row_id(name)
    assert METHODS.is_row_id(name) is False


def test_the_usual_method_is_the_target() -> None:
    assert METHODS.id_of(Measurement("c-1", None)) == "c-1"
    assert METHODS.id_of(Measurement("c-1", None, 1)) == "c-1--dear--r1"
    assert (METHODS.cost_of("c-1"), METHODS.cost_of("c-1--cheap--r1")) == (5, 1)


def test_the_candidates_come_first_and_the_rows_have_their_features() -> None:
    pool = with_source_ids(small_pool(6))
    whole = measured(pool, METHODS)
    known = whole.fidelities
    assert known is not None
    assert whole.candidate_ids[:6] == pool.candidate_ids
    assert np.array_equal(whole.features, pool.features[known.candidate])
    assert [whole.family_codes[row] for row in known.rows_of(2, known.target)] == [pool.family_codes[2]] * 2
    assert whole.of_source_id == pool.of_source_id
    assert Methods.of(known) == METHODS


def test_too_many_measurements_are_told() -> None:
    many = Methods(("cheap", "dear"), (1, 5), MAX_ROWS)
    assert "expected at most" in next(many.breaches(small_pool(6)))
