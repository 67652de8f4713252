"""Noise is as wide as it says, and drawn for each measurement by itself unless the settings say for each candidate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from protocols.wire.messages import Quantity
from simulators.instrument.noise import Noise, NoiseSettings
from tests.support import sample_messages as messages

ENERGY = Quantity(name="energy", value=2.0, unit="eV")
COUNT = 4000


def noise(instrument: str = "xrd", **settings: Any) -> Noise:
    return Noise(NoiseSettings(**settings), instrument)


def errors(each: Noise, quantity: Quantity = ENERGY, count: int = COUNT, **fields: Any) -> np.ndarray:
    asked = (messages.request(candidate_id=f"c-{number}", **fields) for number in range(count))
    return np.array([each.of(quantity, request).error for request in asked])


@pytest.mark.parametrize(
    ("settings", "known", "expected"),
    [
        ({"standard_deviation": 0.5}, None, 0.5),
        ({"relative": 0.1}, None, 0.2),
        ({"standard_deviation": 0.3, "relative": 0.2}, None, 0.5),
        ({"from_table": True}, 0.25, 0.25),
        ({"from_table": True, "standard_deviation": 0.3}, 0.4, 0.5),
        ({"standard_deviation": {"energy": 0.5, "gap": 9.0}, "relative": {"gap": 9.0}}, None, 0.5),
    ],
)
def test_noise_is_normal_with_the_deviation_it_states(
    settings: dict[str, Any], known: float | None, expected: float
) -> None:
    quantity = ENERGY.model_copy(update={"standard_deviation": known})
    drawn = errors(noise(**settings), quantity)
    # Four standard errors of a mean and of a deviation of 4,000 draws.
    assert drawn.mean() == pytest.approx(0.0, abs=4 * expected / COUNT**0.5)
    assert drawn.std() == pytest.approx(expected, abs=4 * expected / (2 * COUNT) ** 0.5)
    # 68.3 % of a normal lie within one deviation; four standard errors of that share.
    assert (abs(drawn) < expected).mean() == pytest.approx(0.683, abs=0.03)


def test_relative_noise_grows_with_the_magnitude_of_the_value_and_vanishes_at_zero() -> None:
    each = noise(relative=0.1)
    small, large, none = (each.deviation(ENERGY.model_copy(update={"value": value})) for value in (-1.0, 5.0, 0.0))
    assert (small, large, none) == (0.1, 0.5, 0.0)


@pytest.mark.parametrize(
    "other", [{"replicate": 1}, {"attempt": 2}, {"fidelity": "gfn2"}, {"candidate_id": "someone-else"}]
)
def test_another_repetition_attempt_method_or_candidate_has_another_error_and_the_same_one_the_same(
    other: dict[str, Any],
) -> None:
    each = noise(standard_deviation=0.5)
    first, again, changed = (each.of(ENERGY, messages.request("a-1", **fields)) for fields in ({}, {}, other))
    assert first == again == each.of(ENERGY, messages.request("another-run-s-id"))
    assert changed.error != first.error


def test_repetitions_and_instruments_err_independently() -> None:
    first = errors(noise(standard_deviation=1.0))
    others = [
        errors(noise(standard_deviation=1.0), replicate=1),
        errors(noise(standard_deviation=1.0), attempt=2),
        errors(noise(standard_deviation=1.0), fidelity="b3lyp"),
        errors(noise("afm", standard_deviation=1.0)),
        errors(noise(standard_deviation=1.0, seed=1)),
        errors(noise(standard_deviation=1.0), ENERGY.model_copy(update={"name": "gap"})),
    ]
    for other in others:
        # The correlation of 4,000 independent pairs has a standard error of 0.016.
        assert abs(np.corrcoef(first, other)[0, 1]) < 4 / COUNT**0.5
    assert np.std(first - others[0]) == pytest.approx(2**0.5, rel=0.06), "the mean of n of them errs by 1/√n"


def test_noise_per_candidate_is_one_error_whoever_measures_however_often() -> None:
    each, other = (noise(name, standard_deviation=0.5, per="candidate") for name in ("xrd", "afm"))
    first = each.of(ENERGY, messages.request())
    assert first == other.of(ENERGY, messages.request(attempt=3, replicate=2, fidelity="gfn2"))
    assert first != each.of(ENERGY, messages.request(candidate_id="al-2"))


@pytest.mark.parametrize(
    ("settings", "known", "told"),
    [
        ({"standard_deviation": 0.3}, None, 0.3),
        ({"standard_deviation": 0.3}, 0.4, 0.5),
        ({"standard_deviation": 0.6, "reported": 0.5}, 0.4, 0.5),
        ({"standard_deviation": 0.3, "reported": 0.0}, None, None),
        ({"standard_deviation": 0.3, "reported": 0.0}, 0.4, 0.4),
        ({"from_table": True, "reported": 0.5}, 0.4, 0.2),
        ({"standard_deviation": {"gap": 0.3}}, 0.4, 0.4),
        ({"standard_deviation": {"gap": 0.3}}, None, None),
    ],
)
def test_what_is_reported_is_what_the_instrument_believes(
    settings: dict[str, Any], known: float | None, told: float | None
) -> None:
    quantity = ENERGY.model_copy(update={"standard_deviation": known})
    assert noise(**settings).of(quantity, messages.request()).reported == (
        None if told is None else pytest.approx(told)
    )


@pytest.mark.parametrize(
    "fields", [{"standard_deviation": -0.1}, {"per": "day"}, {"reported": -1.0}, {"sd": 1.0}, {"seed": 1}]
)
def test_noise_settings_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NoiseSettings(**fields)
