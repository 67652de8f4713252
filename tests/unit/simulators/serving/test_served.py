"""What a simulator is told to announce is checked when its settings are read."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from simulators.serving.served import RangeSettings, ServedSettings


def test_a_range_without_a_value_is_refused() -> None:
    with pytest.raises(ValidationError, match="low = 2 is above high = 1"):
        RangeSettings(low=2.0, high=1.0)


def test_nothing_is_said_that_is_not_told_but_that_it_only_calculates() -> None:
    assert ServedSettings().model_dump() == {
        "elements": (), "fidelities": None, "parameters": {}, "expected_s": None, "simulated": True,
    }  # fmt: skip
