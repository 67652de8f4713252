"""Effects as a table: what is believed of each, and the truth where it is known."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

from protocols.storage.atomic_file import atomic_write
from scenarios.effects.effects import Effects

COLUMNS: Final = ("effect", "mean", "low", "high", "truth")
"""Of the file: what is believed, the ends of its 90 % interval, and what is true; empty where nobody knows."""


def write_effects(path: Path, effects: Effects) -> None:
    """Write the effects as CSV.

    Raises:
        StoreError: When the file cannot be written.
    """
    with atomic_write(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for each in effects.effects:
            ends = (each.mean - each.half_width, each.mean + each.half_width)
            writer.writerow((each.name, each.mean, *ends, effects.truth.get(each.name, "")))
        text.detach()  # flushes, and leaves the file open to be synced and put in place
