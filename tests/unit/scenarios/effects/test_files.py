"""The table of effects."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from agent.metrics import Effect
from scenarios.effects.effects import Effects
from scenarios.effects.files import write_effects


def test_the_file_has_the_ends_of_every_interval_and_the_truth_where_it_is_known(tmp_path: Path) -> None:
    effects = Effects((Effect("a", -3.1, 0.2), Effect("b", -2.0, 0.5)), "D", {"a": -3.0})
    write_effects(tmp_path / "effects.csv", effects)
    with (tmp_path / "effects.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert [float(first[name]) for name in ("mean", "low", "high", "truth")] == pytest.approx([-3.1, -3.3, -2.9, -3.0])
    assert second["truth"] == ""
