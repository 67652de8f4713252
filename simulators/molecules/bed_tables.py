"""The two tables of a bed of molecules: its designs with what was measured, and features that cost no measurement.

Both are plain CSV with the columns of `substituted_benzenes`. A table that is there already can be measured again, in
part, to see that this machine and its versions agree with it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocols.errors import TableError
from protocols.molecules.features import FEATURE_NAMES, molecule_features
from protocols.storage.atomic_file import atomic_write
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.molecules.batch import Outcome
from simulators.molecules.benzenes import BenzeneDesign
from simulators.molecules.molecule_properties import DIPOLE, ENERGY, GAP

TABLE: Final = "table.csv"
FEATURES: Final = "features.csv"

TABLE_COLUMNS: Final = ("smiles", "x", "y", "position", "dipole", "energy", "gap", "conformers", "steps", "seed")
"""Columns of the table of designs [-, -, -, -, D, eV, eV, -, -, -]. What was measured is empty where that failed."""

DIPOLE_TOLERANCE: Final = 0.05
"""How far a dipole moment may be from a table's when it is measured again [D]: other versions, another processor. All
210 substituted benzenes agreed within 0.002 D."""

OTHER_CONFORMER_TOLERANCE: Final = 0.3
"""The same of few molecules, whose two lowest conformers may change places [D]."""

FEW: Final = 1 / 6
"""How many those few may be, of those that are measured again."""


def write_table(path: Path, designs: Iterable[BenzeneDesign], outcomes: Mapping[str, Outcome]) -> None:
    """Write the table of designs, a row for each.

    Raises:
        StoreError: When it cannot be written.
    """
    rows = ((each.smiles, each.x, each.y, each.position, *_measured(outcomes[each.smiles])) for each in designs)
    _write(path, TABLE_COLUMNS, rows)


def write_features(path: Path, smiles: Iterable[str]) -> None:
    """Write the table of features, a row for each molecule.

    Raises:
        TableError: When a molecule has none.
        StoreError: When it cannot be written.
    """
    ordered = sorted(smiles)
    values = molecule_features(ordered).tolist()
    _write(path, ("smiles", *FEATURE_NAMES), ((each, *row) for each, row in zip(ordered, values, strict=True)))


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A molecule of a table, measured again.

    Attributes:
        smiles: The molecule.
        told: Its dipole moment in the table [D].
        outcome: What came of it now.
    """

    smiles: str
    told: float
    outcome: Outcome

    @property
    def difference(self) -> float:
        """How far the dipole moment is from the table's [D]; infinite where it could not be measured."""
        if isinstance(self.outcome, EvaluationFailed):
            return float("inf")
        return abs(_values(self.outcome)[DIPOLE] - self.told)


def some_of(path: Path, count: int) -> dict[str, float]:
    """Return so many molecules of a table of designs, spread over it, with their dipole moments [D].

    Raises:
        TableError: When the file is no table of designs.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            told = {row["smiles"]: float(row["dipole"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError) as error:
        raise TableError(
            f"{path} cannot be used ({type(error).__name__}: {error})",
            expected="a table of designs with the columns smiles and dipole",
        ) from error
    names = sorted(told)
    chosen = names[:: max(1, len(names) // max(1, count))][:count]
    return {name: told[name] for name in chosen}


def agrees(recomputed: Sequence[Recomputed]) -> bool:
    """Whether molecules that were measured again are those of the table: within tolerance, but for a few."""
    beyond = sum(each.difference > DIPOLE_TOLERANCE for each in recomputed)
    return beyond <= FEW * len(recomputed) and all(each.difference <= OTHER_CONFORMER_TOLERANCE for each in recomputed)


def _measured(outcome: Outcome) -> tuple[object, ...]:
    if isinstance(outcome, EvaluationFailed):
        return ("",) * 6
    values, told = _values(outcome), outcome.provenance
    steps = sum(map(int, str(told["steps"]).split()))
    return (values[DIPOLE], values[ENERGY], values[GAP], int(told["conformers"]), steps, int(told["seed_kept"]))


def _values(measured: Measurement) -> dict[str, float]:
    return {quantity.name: quantity.value for quantity in measured.quantities}


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())
