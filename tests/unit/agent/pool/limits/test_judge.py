"""Every candidate is judged by every rule, and the rule is told; limits that cannot be meant are found at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.pool.candidates import Candidate, Pool, make_pool
from agent.pool.growth import NewCandidate, grown
from agent.pool.limits.judge import JudgedPool, require_fitting
from agent.pool.limits.settings import AskingLimits
from protocols.errors import SettingsError
from protocols.wire.structure import CrystalStructure

IRON = CrystalStructure(
    cell=((3.0, 0.0, 0.0), (0.0, 3.0, 0.0), (0.0, 0.0, 3.0)), symbols=("Fe",), scaled_positions=((0.0, 0.0, 0.0),)
)
ROWS = (
    (Candidate("a", "oxide", "Fe2O3"), 20.0, 1.0),
    (Candidate("b", "halide", "PbI2"), 50.0, 2.0),
    (Candidate("c", "halide", "NaCl"), 99.0, 3.0),
    (Candidate("d", "oxide", ""), 30.0, 4.0),
    (Candidate("e", "oxide", "La0.7Sr0.3MnO3 or so"), 30.0, 5.0),
    (Candidate("f", "metal", "", IRON), 30.0, 6.0),
)
POOL: Pool = make_pool([row[0] for row in ROWS], np.array([row[1:] for row in ROWS]), ("temperature", "price"))


def barred(**limits: Any) -> dict[str, str]:
    judged = JudgedPool(AskingLimits.model_validate(limits))
    judged.follow(POOL)
    assert judged.allowed.tolist() == [not reason for reason in judged.reasons]
    return {which: reason for which, reason in zip(POOL.candidate_ids, judged.reasons, strict=True) if reason}


UNKNOWN = dict.fromkeys(
    "de", "nobody says of which elements it is (limits.elements, forbidden_elements, forbidden_pairs)"
)


def test_only_named_elements_may_be_asked_for_and_what_nobody_knows_may_not() -> None:
    assert barred(elements=["Fe", "O", "Na", "Cl"]) == UNKNOWN | {"b": "it holds I, which is none of limits.elements"}
    assert barred(forbidden_elements=["Fe"]) == UNKNOWN | dict.fromkeys("af", "it holds Fe (limits.forbidden_elements)")


def test_ranges_hold_at_their_ends() -> None:
    reason = "its temperature is not within 30 to 50 (limits.parameters)"
    assert barred(parameters={"temperature": [30, 50]}) == dict.fromkeys("ac", reason)


def test_a_pair_bars_only_where_both_meet() -> None:
    assert barred(forbidden_pairs=[["Pb", "I"]]) == UNKNOWN | {"b": "Pb meets I (limits.forbidden_pairs)"}
    both = "family = halide meets temperature > 95 (limits.forbidden_pairs)"
    assert barred(forbidden_pairs=[["family = halide", "temperature > 95"]]) == {"c": both}


def test_a_request_takes_a_constant_and_what_a_column_says() -> None:
    stock = {"tips": {"available": 9, "per_request": 2}, "Pd": {"available": 9, "column": "price", "per_request": 0.5}}
    judged = JudgedPool(AskingLimits.model_validate({"stock": stock}))
    judged.follow(POOL)
    assert judged.takes.tolist() == [[2.0, each + 0.5] for each in range(1, 7)]


def test_what_joins_the_pool_is_judged_as_well() -> None:
    judged = JudgedPool(AskingLimits(forbidden_elements=("Pb",), parameters={"temperature": (0, 60)}))
    judged.follow(POOL)
    before = list(judged.reasons)
    new = [NewCandidate("x", "oxide", (10.0, 1.0), "PbO"), NewCandidate("y", "oxide", (10.0, 1.0), "FeO")]
    judged.follow(grown(POOL, new))
    assert judged.reasons == [*before, "it holds Pb (limits.forbidden_elements)", ""]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"parameters": {"temprature": [0, 1]}}, r"limits\.parameters speaks of 'temprature'.*temperature"),
        ({"parameters": {"family": [0, 1]}}, "limits.parameters speaks of 'family'"),
        ({"forbidden_pairs": [["family > 3", "Pb"]]}, "limits.forbidden_pairs speaks of 'family'"),
        ({"forbidden_pairs": [["temperature = warm", "Pb"]]}, "limits.forbidden_pairs speaks of 'temperature'"),
        ({"cost": {"available": 1, "column": "prize"}}, r"limits\.cost\.column speaks of 'prize'.*price"),
        ({"stock": {"Pd": {"available": 1, "column": "pd"}}}, r"limits\.stock\.Pd\.column speaks of 'pd'"),
        ({"parameters": {"temperature": [1e3, 2e3]}}, r"None of the 6 candidates may be asked for.*temperature"),
    ],
)
def test_limits_that_do_not_fit_the_pool_are_refused_with_what_was_meant(limits: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        require_fitting(AskingLimits.model_validate(limits), POOL)


def test_a_column_that_gives_back_is_refused_with_the_candidate() -> None:
    features = POOL.features.copy()
    features[2, 1] = -3.0
    odd = make_pool([row[0] for row in ROWS], features, POOL.feature_names)
    with pytest.raises(SettingsError, match=r"limits\.cost\.column.*'c' take -3 EUR"):
        require_fitting(AskingLimits.model_validate({"cost": {"available": 9, "column": "price", "unit": "EUR"}}), odd)


def test_limits_that_fit_are_taken() -> None:
    require_fitting(
        AskingLimits.model_validate({"parameters": {"price": [0, 3]}, "forbidden_pairs": [["Pb", "I"]]}), POOL
    )
    require_fitting(AskingLimits(), POOL)
