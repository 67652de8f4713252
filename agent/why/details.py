"""Names and units for the figures that policies note with their decisions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from agent.why.explanation import Detail, Prediction

PREDICTED_MEAN: Final = "predicted_mean"
PREDICTED_STD: Final = "predicted_std"
NOISE_STD: Final = "noise_std"

_OF_THE_PROPERTY: Final = "\0"
"""Stands for the unit of the campaign's property."""

_KNOWN: Final[Mapping[str, tuple[str, str]]] = {
    PREDICTED_MEAN: ("predicted mean", _OF_THE_PROPERTY),
    PREDICTED_STD: ("deviation of the surrogate, without noise", _OF_THE_PROPERTY),
    NOISE_STD: ("deviation of its noise", _OF_THE_PROPERTY),
    "signal_std": ("signal deviation of the surrogate", _OF_THE_PROPERTY),
    "lengthscale": ("length scale of the surrogate", "standardised features"),
    "n_labelled": ("labelled rows of the surrogate", ""),
    "n_in_flight": ("requests in flight of the family", ""),
    "entropy_before": ("entropy before, requests in flight included", "nat"),
    "expected_entropy_after": ("expected entropy after", "nat"),
    "expected_gain": ("expected gain", "nat"),
}
"""Key -> label and unit. A key that is not here is shown as it is, without a unit."""


def told_details(details: Mapping[str, float], unit: str) -> tuple[Detail, ...]:
    """Return the figures of a decision: those with a name first, in the order above, then the others as they came.

    Args:
        details: As journalled.
        unit: Of the campaign's property.
    """
    order = [key for key in _KNOWN if key in details] + [key for key in details if key not in _KNOWN]
    return tuple(_told(key, details[key], unit) for key in order)


def prediction_in(details: Mapping[str, float]) -> Prediction:
    """Return what was expected of the value: the surrogate's mean, and its deviation together with its noise."""
    std = details.get(PREDICTED_STD)
    of_value = None if std is None else math.hypot(std, details.get(NOISE_STD, 0.0))
    return Prediction(details.get(PREDICTED_MEAN), of_value)


def _told(key: str, value: float, unit: str) -> Detail:
    label, of = _KNOWN.get(key, (key, ""))
    return Detail(key, label, value, unit if of == _OF_THE_PROPERTY else of)
