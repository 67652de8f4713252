"""The two tables of a bed of molecules: its designs with what was measured, and features that cost no measurement.

Both are plain CSV. The first has the molecule of each design, its factors, and what was measured or is known; a table
that is there already can be measured again, in part, to see that this machine and its versions agree with it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Protocol

from protocols.errors import SettingsError, TableError
from protocols.molecules.features import FEATURE_NAMES
from protocols.storage.csv_file import write_csv
from simulators.evaluator import EvaluationFailed, Measurement
from simulators.molecules.batch import Outcome
from simulators.molecules.molecule_properties import DIPOLE, ENERGY, GAP

TABLE: Final = "table.csv"
FEATURES: Final = "features.csv"

SMILES: Final = "smiles"
"""Column of the molecules."""

MEASURED: Final = ("dipole", "energy", "gap", "conformers", "steps", "seed")
"""Columns of what was measured [D, eV, eV, -, -, -], after molecule and factors; empty where that failed."""

DIPOLE_TOLERANCE: Final = 0.05
"""How far a dipole moment may be from a table's when it is measured again [D]: other versions, another processor. All
210 substituted benzenes agreed within 0.002 D."""

OTHER_CONFORMER_TOLERANCE: Final = 0.3
"""The same of few molecules, whose two lowest conformers may change places [D]."""

FEW: Final = 1 / 6
"""How many those few may be, of those that are measured again."""


class BedDesign(Protocol):
    """A row of a bed."""

    factors: ClassVar[tuple[str, ...]]
    """Names of its factors."""

    @property
    def smiles(self) -> str:
        """Canonical SMILES of the molecule that it makes."""
        ...

    @property
    def levels(self) -> tuple[str, ...]:
        """Of its factors, in their order."""
        ...


def write_table(path: Path, designs: Sequence[BedDesign], outcomes: Mapping[str, Outcome]) -> None:
    """Write the table of designs that were measured, a row for each.

    Raises:
        StoreError: When it cannot be written.
    """
    rows = ((each.smiles, *each.levels, *_measured(outcomes[each.smiles])) for each in designs)
    write_csv(path, (SMILES, *designs[0].factors, *MEASURED), rows)


def write_known_table(path: Path, designs: Sequence[BedDesign], values: Mapping[str, float], name: str) -> None:
    """Write the table of designs whose values are known, a row for each.

    Args:
        path: Where to.
        designs: At least one.
        values: Of their molecules.
        name: Column of the values.

    Raises:
        SettingsError: When a factor has the name of the values.
        StoreError: When it cannot be written.
    """
    others = (SMILES, *designs[0].factors)
    if name in others:
        raise SettingsError(
            f"The values are called {name!r}, as a column of the bed is",
            expected=f"another name than {', '.join(others)}",
            action="rename the column of your table",
        )
    rows = ((each.smiles, *each.levels, values[each.smiles]) for each in designs)
    write_csv(path, (*others, name), rows)


def write_features(path: Path, features: Mapping[str, Sequence[float]]) -> None:
    """Write the table of features, a row for each molecule, in the order of their SMILES.

    Args:
        path: Where to.
        features: Of each molecule, in the order of `FEATURE_NAMES`.

    Raises:
        StoreError: When it cannot be written.
    """
    write_csv(path, (SMILES, *FEATURE_NAMES), ((smiles, *features[smiles]) for smiles in sorted(features)))


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
