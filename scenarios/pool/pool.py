"""The pool of a scenario as a table: for embeddings that are computed elsewhere, and for other programs."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from protocols.storage.atomic_file import atomic_write

if TYPE_CHECKING:
    from agent.pool.candidates import Candidate
    from scenarios.settings.model import Scenario
    from scenarios.world.world import World


FEATURE: Final = "feature_"
"""Before the name of a feature in the table: a property may be called as one is, as `volume_per_atom`."""


def pool_in_words(world: World) -> Iterator[str]:
    """Yield what is in a pool: candidates, features, and its families with their sizes."""
    pool = world.pool
    known = int(np.isfinite(world.values).sum())
    yield f"{len(pool):,} candidates, {len(pool.feature_names)} features, {known:,} values known"
    sizes = Counter(each.family for each in pool.candidates)
    width = max(map(len, sizes))
    for family in pool.families:
        formulas = {each.formula for each in pool.candidates if each.family == family}
        yield f"  {family:<{width}}  {sizes[family]:>6,}  of {len(formulas):,} formulas"


def write_pool(world: World, scenario: Scenario, path: Path, *, features: bool) -> None:
    """Write a pool as CSV: id, family, formula, structure or SMILES, values where they are known, and features.

    Args:
        world: What the scenario makes.
        scenario: For the name of the property.
        path: File to write.
        features: Whether features are written, too.

    Raises:
        StoreError: When the file cannot be written.
    """
    pool = world.pool
    columns = _described(pool.candidates)
    known = {scenario.campaign.property: world.values, **world.additional}
    for name, values in known.items():
        if np.isfinite(values).any():
            columns[name] = [repr(value) if np.isfinite(value) else "" for value in values.tolist()]
    if features:
        columns |= {
            f"{FEATURE}{name}": [repr(value) for value in column.tolist()]
            for name, column in zip(pool.feature_names, pool.features.T, strict=True)
        }
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())


def _described(candidates: Sequence[Candidate]) -> dict[str, list[str]]:
    """Return the columns that describe candidates, without those that would be empty."""
    structures = ["" if each.structure is None else each.structure.model_dump_json() for each in candidates]
    columns = {
        "id": [each.source_id or each.candidate_id for each in candidates],
        "family": [each.family for each in candidates],
        "formula": [each.formula for each in candidates],
        "structure": structures,
        "smiles": [each.smiles for each in candidates],
    }
    return {name: cells for name, cells in columns.items() if name == "id" or any(cells)}
