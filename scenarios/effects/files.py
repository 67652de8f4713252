"""Effects as a table: what is believed of each, and the truth where it is known."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from protocols.storage.csv_file import write_csv
from scenarios.effects.effects import Effects

COLUMNS: Final = ("effect", "mean", "low", "high", "truth")
"""Of the file: what is believed, the ends of its 90 % interval, and what is true; empty where nobody knows."""


def write_effects(path: Path, effects: Effects) -> None:
    """Write the effects as CSV.

    Raises:
        StoreError: When the file cannot be written.
    """
    rows = (
        (
            each.name,
            each.mean,
            each.mean - each.half_width,
            each.mean + each.half_width,
            effects.truth.get(each.name, ""),
        )
        for each in effects.effects
    )
    write_csv(path, COLUMNS, rows)
