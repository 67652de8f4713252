"""Values of molecules that somebody else measured: a table of SMILES and numbers, read as canonical molecules.

What can be no candidate, and rows without a value, are left out and counted. A molecule that stands there twice has the
value of its first row where both agree; where they do not, nobody can say which one holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from protocols.errors import TableError
from protocols.molecules.identity import EXPECTED, identity_of, parsed
from protocols.molecules.smiles import SmilesError, read_smiles
from protocols.tables.cells import numbers_of, shown, texts_of
from protocols.tables.columns import require_column
from protocols.tables.files import column_names, read_file

SAME_VALUE: Final = 0.01
"""How far two values of one molecule may be apart [deviation of all values]: another conformer or optimiser, and less
than any effect that is asked for. In QM9, 87 molecules stand twice, at most 0.002 apart."""

REPORT_EVERY: Final = 1_000
"""Rows between two calls of `progress`."""


@dataclass(frozen=True, slots=True)
class KnownValues:
    """Values by molecule.

    Attributes:
        values: Canonical SMILES -> value, in the order of the file [unit of the column].
        without_value: Rows that have none.
        no_candidates: Rows whose SMILES can be no candidate.
        first_complaint: Why the first of these is none; empty where there is none.
        repeated: Rows of a molecule that was there before.
    """

    values: Mapping[str, float]
    without_value: int
    no_candidates: int
    first_complaint: str
    repeated: int

    @property
    def words(self) -> str:
        """What was read, for people."""
        left_out = [
            f"{count:,} {what}"
            for count, what in (
                (self.without_value, "rows without a value"),
                (self.no_candidates, f"that can be no candidate (the first: {self.first_complaint})"),
                (self.repeated, "rows of a molecule that was there before, with the same value"),
            )
            if count
        ]
        return f"{len(self.values):,} molecules with a value" + f"; left out: {', '.join(left_out)}" * bool(left_out)


def read_known_values(
    path: Path, smiles: str, value: str, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> KnownValues:
    """Read a table of molecules and values.

    Args:
        path: A table of a kind that is read.
        smiles: Column with the molecules.
        value: Column with the values.
        progress: Called with (rows done, all rows) now and then.

    Raises:
        ExtraMissingError: Without RDKit.
        TableError: With the file and what is wrong in it: a column that is not there, a cell that is no number, a
            molecule with two values, no molecule at all.
    """
    names = column_names(path)
    for name in (smiles, value):
        require_column(path, name, names)
    file = read_file(path, names, numeric=(value,), texts=(smiles,))
    texts, numbers = texts_of(file, smiles), numbers_of(file, value)
    known = np.flatnonzero(np.isfinite(numbers)).tolist()
    tolerance = SAME_VALUE * float(numbers[known].std()) if known else 0.0
    first: dict[str, int] = {}
    complaints: list[str] = []
    for done, row in enumerate(known):
        if done % REPORT_EVERY == 0:
            progress(done, len(known))
        try:
            molecule = _canonical(texts[row])
        except SmilesError as error:
            complaints.append(f"{shown(texts[row])} in {file.place(row)}, {error}" if not complaints else "")
            continue
        before = first.setdefault(molecule, row)
        if abs(numbers[before] - numbers[row]) > tolerance:
            raise TableError(
                f"The molecule {molecule!r} has {value!r} = {numbers[before]:g} in {file.place(before)} and "
                f"{numbers[row]:g} in {file.place(row)}",
                expected=f"one value of a molecule, however its SMILES is written (or two within {tolerance:.3g})",
                action="drop one of the rows",
            )
    progress(len(known), len(known))
    found = KnownValues(
        values={molecule: float(numbers[row]) for molecule, row in first.items()},
        without_value=len(texts) - len(known),
        no_candidates=len(complaints),
        first_complaint=next(iter(complaints), ""),
        repeated=len(known) - len(complaints) - len(first),
    )
    if not first:
        raise TableError(
            f"{path} has {found.words}", expected=f"{EXPECTED} in {smiles!r}, and a number beside it in {value!r}"
        )
    return found


def _canonical(text: str) -> str:
    """Return the canonical SMILES of a candidate.

    Raises:
        SmilesError: When it can be none.
    """
    read_smiles(text)
    return identity_of(parsed(text)).smiles
