"""A table may answer by its nearest row, within a tolerance, and says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from protocols.tables.table import PropertyValues
from protocols.wire.messages import CandidateRequest, FailureReason, Quantity
from protocols.wire.parameters import ParameterColumns, Parameters
from simulators.evaluator import EvaluationFailed, Evaluator, Measurement
from simulators.oracle.nearest_misses import NearestMisses
from simulators.oracle_table import OracleTable
from tests.support import sample_messages as messages

KNOWN = PropertyValues(
    ("near", "far", "empty"),
    {"energy": np.array([1.0, 2.0, np.nan]), "gap": np.array([np.nan, 5.0, 6.0])},
    {"energy": "eV", "gap": "eV"},
    {"energy": np.array([0.1, np.nan, np.nan])},
    features=np.array([[0.0], [10.0], [5.0]]),
    feature_names=("x",),
)


def asked(candidate_id: str = "new", x: float | None = 1.0, **fields: Any) -> CandidateRequest:
    features = () if x is None else (Quantity(name="x", value=x, unit=""), Quantity(name="y", value=0.0, unit=""))
    return messages.request(candidate_id=candidate_id, features=features, structure=None, **fields)


def oracle(known: PropertyValues = KNOWN, tolerance: float = 0.5) -> NearestMisses:
    return NearestMisses(OracleTable(known, miss="nearest"), tolerance)


def failed(request: CandidateRequest, known: PropertyValues = KNOWN, tolerance: float = 0.5) -> EvaluationFailed:
    with pytest.raises(EvaluationFailed) as caught:
        oracle(known, tolerance).evaluate(request)
    return caught.value


def answered(request: CandidateRequest, tolerance: float = 0.5, known: PropertyValues = KNOWN) -> Measurement:
    found = oracle(known, tolerance).evaluate(request)
    assert isinstance(found, Measurement)
    return found


def test_what_the_table_has_is_answered_as_ever_and_not_marked() -> None:
    assert isinstance(oracle(), Evaluator)
    found = oracle().evaluate(asked("near", x=10.0))
    assert found == (Quantity(name="energy", value=1.0, unit="eV", standard_deviation=0.1),)


def test_what_it_lacks_is_answered_by_the_nearest_row_that_has_it_and_marked() -> None:
    found = answered(asked(x=1.0))
    assert found.quantities == (Quantity(name="energy", value=1.0, unit="eV", standard_deviation=0.1),)
    assert found.remarks == {
        "answered_by": "the nearest row: the oracle's table has no other",
        "nearest_id": "near",
        "nearest_distance": pytest.approx(1.0 / np.std([0.0, 10.0, 5.0])),
    }
    # The row "empty" is nearer to 6, and has no energy.
    assert answered(asked(x=6.0), tolerance=2.0).remarks["nearest_id"] == "far"


def test_a_row_without_the_value_is_answered_by_its_neighbour_too() -> None:
    assert answered(asked("empty", x=5.0), tolerance=2.0).quantities[0].value == 1.0
    assert "no 'energy' for candidate 'empty'; the nearest row, 'near'" in failed(asked("empty", x=5.0)).detail


def test_what_is_too_far_fails_and_says_how_far_it_is() -> None:
    failure = failed(asked(x=4.0))
    assert failure.reason is FailureReason.UNKNOWN_CANDIDATE
    assert "the nearest row, 'near', is 0.98 away, expected at most 0.5" in failure.detail


def test_a_request_without_features_is_told_what_it_needs() -> None:
    assert "no 'x' to tell the nearest row by; campaign.send_features sends them" in failed(asked(x=None)).detail


COLUMNS = ParameterColumns(("temperature",), ("K",), ("solvent",))
RECIPES = PropertyValues(
    ("r0", "r1"),
    {"energy": np.array([1.0, 2.0])},
    {"energy": "eV"},
    parameters=(Parameters(COLUMNS, (300.0,), ("water",)), Parameters(COLUMNS, (350.0,), ("water",))),
)


def recipe(temperature: float, solvent: str = "water", unit: str = "K") -> CandidateRequest:
    parameters = (Quantity(name="temperature", value=temperature, unit=unit),)
    return asked(x=None, parameters=parameters, labels={"solvent": solvent})


def test_recipes_are_compared_by_what_is_to_be_set() -> None:
    found = answered(recipe(345.0), known=RECIPES)
    assert (found.quantities[0].value, found.remarks["nearest_id"]) == (2.0, "r1")
    assert found.remarks["nearest_distance"] == pytest.approx(5.0 / 25.0 / 1**0.5)


def test_another_solvent_is_never_near_and_another_unit_is_refused() -> None:
    assert "no row is like it" in failed(recipe(300.0, "acetone"), RECIPES).detail
    failure = failed(recipe(300.0, unit="°C"), RECIPES)
    assert (failure.reason, "in 'K', the request in '°C'" in failure.detail) == (FailureReason.INVALID_REQUEST, True)
