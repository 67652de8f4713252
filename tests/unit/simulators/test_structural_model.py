"""A linear structural model as a lab: its equations hold, interventions cut them, and it answers alike everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from protocols.wire.messages import FailureReason
from simulators.evaluator import EvaluationFailed
from simulators.structural_model import StructuralModel, StructuralModelLab, StructuralModelSettings
from tests.support.sample_messages import request

CHAIN: dict[str, Any] = {
    "variables": ("a", "b", "y"),
    "target": "y",
    "edges": (("a", "b", 2.0), ("b", "y", -1.5), ("a", "y", 0.5)),
    "repeats": 400,
    "passive_rows": 5_000,
}


def model_of(**changes: Any) -> StructuralModel:
    return StructuralModel(StructuralModelSettings(**(CHAIN | changes)))


def arm(model: StructuralModel, variable: str, sign: float) -> tuple[float, np.ndarray[Any, Any]]:
    """The value that a variable is set to with this sign, and all rows of it."""
    j = model.settings.variables.index(variable)
    numbers = [n for n, (_, k, v) in enumerate(model.interventions) if k == j and np.sign(v) == sign]
    return model.interventions[numbers[0]][2], np.array([model.measured(n) for n in numbers])


def test_total_effects_are_sums_over_paths() -> None:
    assert model_of().total_effects == pytest.approx([2.0 * -1.5 + 0.5, -1.5, 1.0])


def test_an_intervention_moves_the_target_by_its_total_effect_and_its_causes_not_at_all() -> None:
    model = model_of()
    high, above = arm(model, "b", 1.0)
    low, below = arm(model, "b", -1.0)
    assert (above[:, 1] == high).all()
    assert (below[:, 1] == low).all()
    slope = (above[:, 2].mean() - below[:, 2].mean()) / (high - low)
    assert slope == pytest.approx(-1.5, abs=0.05)
    assert abs(above[:, 0].mean()) < 0.15


def test_a_hidden_confounder_bends_passive_rows_and_no_intervention() -> None:
    """Passive regression of y on b alone would say −1.5 + the way over a and over the confounder; do(b) says −1.5."""
    model = model_of(hidden={"b": 1.5, "y": 2.0}, edges=(("b", "y", -1.5),))
    passive = model.passive
    slope = np.polyfit(passive[:, 1], passive[:, 2], 1)[0]
    assert slope > -0.9
    (high, above), (low, below) = arm(model, "b", 1.0), arm(model, "b", -1.0)
    assert (above[:, 2].mean() - below[:, 2].mean()) / (high - low) == pytest.approx(-1.5, abs=0.1)


def test_disturbances_have_the_deviation_that_is_asked_for_and_are_not_normal() -> None:
    passive = model_of(edges=(), disturbance={"a": 0.5}).passive
    assert passive.std(axis=0) == pytest.approx([0.5, 1.0, 1.0], rel=0.03)
    assert np.abs(passive[:, 1]).max() <= np.sqrt(3)


def test_the_lab_answers_the_same_in_every_process() -> None:
    first, second = (StructuralModelLab(StructuralModelSettings(**(CHAIN | {"repeats": 2}))) for _ in range(2))
    asked = request(candidate_id="do-01-minus-0001", properties=("y", "b"))
    assert first.evaluate(asked) == second.evaluate(asked)
    assert [quantity.name for quantity in first.evaluate(asked)] == ["y", "b"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"candidate_id": "do-09-plus-0000"}, FailureReason.UNKNOWN_CANDIDATE),
        ({"candidate_id": "do-00-plus-0000", "properties": ("z",)}, FailureReason.UNSUPPORTED),
    ],
)
def test_what_it_does_not_know_it_says(changes: dict[str, Any], reason: FailureReason) -> None:
    lab = StructuralModelLab(StructuralModelSettings(**(CHAIN | {"repeats": 1})))
    with pytest.raises(EvaluationFailed) as caught:
        lab.evaluate(request(**changes))
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"edges": (("a", "b", 1.0), ("b", "a", 1.0))}, "edges have a cycle"),
        ({"edges": (("a", "b", 1.0), ("a", "b", 2.0))}, "edges names one twice"),
        ({"edges": (("a", "z", 1.0),)}, "'z' is none of the variables"),
        ({"target": "q"}, "'q' is none of the variables"),
        ({"hidden": {"q": 1.0}}, "'q' is none of the variables"),
        ({"variables": ("a", "a", "y")}, "names one twice"),
    ],
)
def test_equations_that_make_no_sense_are_refused(changes: dict[str, Any], found: str) -> None:
    with pytest.raises(ValueError, match=found):
        StructuralModelSettings(**(CHAIN | changes))
