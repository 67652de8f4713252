"""Scenarios for labs with messages of their own: a table of recipes without values, and the mapping laid over."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

CANDIDATES: Final = 36
KNOWN: Final = 12
BUDGET: Final = 6

TABLE: Final = "recipes.csv"
SCENARIO: Final = "recipes.toml"

Ranges = Mapping[str, tuple[float, float]]

TEMPERATURE: Final[Ranges] = {"temperature": (900.0, 1300.0), "minutes": (5.0, 60.0)}
PRESSURE: Final[Ranges] = {"temperature": (900.0, 1300.0), "pressure": (10.0, 90.0)}
COLOUR: Final[Ranges] = {"R": (0.0, 255.0), "G": (0.0, 255.0), "B": (0.0, 255.0)}


def write_recipes(
    folder: Path, ranges: Ranges, prop: str, unit: str, *, known: int = KNOWN, **campaign: Any
) -> list[dict[str, Any]]:
    """Write a table of recipes, some measured, and a scenario on it; return the rows.

    Args:
        folder: Where.
        ranges: Column -> smallest and largest value.
        prop: Property that is wanted.
        unit: Its unit.
        known: How many are measured.
        campaign: Further settings of the campaign.
    """
    rng = np.random.default_rng(11)
    rows: list[dict[str, Any]] = []
    for number in range(CANDIDATES):
        values = {name: round(float(rng.uniform(*span)), 3) for name, span in ranges.items()}
        value = round(float(rng.normal(300.0, 20.0)), 3) if number < known else ""
        rows.append({"id": f"S {number:02d}", "family": ("a", "b", "c")[number % 3], **values, prop: value})
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    told = {"budget": BUDGET, "policy": '"random"', "parallel": 1, "request_timeout_s": 60} | campaign
    lines = [
        'name = "recipes"', "", "[pool]", f'path = "{TABLE}"', "", "[pool.columns]", 'id = "id"', 'family = "family"',
        f'property = "{prop}"', f'unit = "{unit}"', f"features = {_listed(list(ranges))}", 'on_missing = "unknown"',
        "valid_range = [-1e6, 1e6]", "", "[campaign]", *(f"{name} = {value}" for name, value in told.items()),
    ]  # fmt: skip
    (folder / SCENARIO).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rows


def _listed(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
