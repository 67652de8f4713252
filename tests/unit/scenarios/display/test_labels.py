"""How figures are written."""

from __future__ import annotations

import math

import pytest

from scenarios.display.labels import figure_text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (30.0, "", "30"),
        (1.0, "", "1.000"),
        (0.25, "", "0.250"),
        (2.0, "nat", "2.000"),
        (-1.5, "nat", "−1.500"),
        (None, "", "–"),
        (math.nan, "", "–"),
    ],
)
def test_a_count_has_no_decimals_and_everything_else_has_three(value: float | None, unit: str, text: str) -> None:
    assert figure_text(value, unit) == text
