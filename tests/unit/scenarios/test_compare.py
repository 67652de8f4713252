"""A comparison gives every policy the same start for a seed, and says when it cannot be made."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from protocols.errors import SettingsError, TableError
from scenarios.compare import compare_policies
from scenarios.settings import Scenario


def scenario_on(table: Path, **columns: object) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "toy",
            "pool": {
                "source": "table",
                "path": str(table),
                "columns": {
                    "id": "id", "family": "family", "property": "energy", "unit": "eV", "features": ["x", "y"],
                } | columns,
            },
            "start": {} if columns else {"size": 24, "halves": {"a": "stable"}},
            "campaign": {"budget": 15},
        }
    )  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    path = tmp_path / "toy.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "family", "energy", "x", "y"))
        for number in range(90):
            x, y = rng.normal(size=2)
            writer.writerow((f"m{number}", "abc"[number % 3], x + 0.3 * y * y, x, y))
    return path


def test_every_policy_begins_with_the_same_start_and_seeds_differ(table: Path, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    comparison = compare_policies(scenario_on(table), ["etal", "random"], range(2), lambda *told: calls.append(told))
    starts = {policy: [run.points[0][1] for run in runs] for policy, runs in comparison.runs.items()}
    assert starts["etal"] == starts["random"]
    assert starts["etal"][0] != starts["etal"][1]
    assert all(len(run.points) == 16 for runs in comparison.runs.values() for run in runs)
    assert calls[-1] == ("campaigns", 4, 4)
    figure, rows = comparison.write(tmp_path / "out")
    assert figure.read_bytes().startswith(b"\x89PNG")
    with rows.open() as file:
        assert len(list(csv.DictReader(file))) == 2 * 2 * 16
    final = json.loads(comparison.json())["final"]["etal"]["entropy_range"]
    assert final == comparison.final("etal", "entropy_range")


def test_an_unknown_policy_is_refused_before_anything_runs(table: Path) -> None:
    with pytest.raises(SettingsError, match="nobody"):
        compare_policies(scenario_on(table), ["random", "nobody"], range(1))


def test_no_policy_at_all_is_refused(table: Path) -> None:
    with pytest.raises(SettingsError, match="No policies"):
        compare_policies(scenario_on(table), [], range(1))


def test_a_table_with_unknown_values_cannot_tell_what_another_choice_would_have_given(table: Path) -> None:
    text = table.read_text().splitlines()
    identity, family, _, x, y = text[1].split(",")
    table.write_text("\n".join([text[0], f"{identity},{family},,{x},{y}", *text[2:]]) + "\n")
    with pytest.raises(TableError, match="no known value"):
        compare_policies(scenario_on(table, on_missing="unknown"), ["random"], range(1))
