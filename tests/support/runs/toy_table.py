"""A table of ninety rows with two properties, and scenarios on it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scenarios.settings.derived import scenario_of
from scenarios.settings.model import Scenario


def scenario_on(
    table: Path,
    evaluation: Mapping[str, object] | None = None,
    campaign: Mapping[str, object] | None = None,
    **columns: object,
) -> Scenario:
    return scenario_of(
        {
            "name": "toy",
            "pool": {
                "source": "table",
                "path": str(table),
                "columns": {
                    "id": "id", "family": "family", "property": "energy", "unit": "eV", "features": ["x", "y"],
                } | columns,
            },
            "start": {} if "on_missing" in columns else {"size": 24, "halves": {"a": "stable"}},
            "campaign": {"budget": 15, **(campaign or {})},
            "evaluation": dict(evaluation or {}),
        }
    )  # fmt: skip


def write_toy_table(path: Path) -> Path:
    """Write the table; every fifth row has no modulus."""
    rng = np.random.default_rng(5)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "family", "energy", "x", "y", "modulus"))
        for number in range(90):
            x, y = rng.normal(size=2)
            modulus = "" if number % 5 == 0 else 100 + 10 * x + 2 * y
            writer.writerow((f"m{number}", "abc"[number % 3], x + 0.3 * y * y, x, y, modulus))
    return path
