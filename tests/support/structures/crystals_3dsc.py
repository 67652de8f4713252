"""The 4,704 crystals of the Materials Project (CC BY 4.0) beside the repository, with their known systems."""

from __future__ import annotations

import csv
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[3].parent / "shared" / "data" / "mp3dsc"
TABLE: Final = FOLDER / "mp_3dsc_4704.csv"
CIFS: Final = FOLDER / "cifs.tar.gz"


@dataclass(frozen=True, slots=True)
class KnownCrystal:
    """One row of the table.

    Attributes:
        cif: The text of its CIF.
        crystal_system: As the Materials Project has it.
        row: All cells, as text.
    """

    cif: str
    crystal_system: str
    row: dict[str, str]


def known_crystals() -> list[KnownCrystal]:
    """Return all of them, in the order of the table."""
    with tarfile.open(CIFS) as archive:
        cifs = {
            Path(member.name).stem: file.read().decode()
            for member in archive
            if member.isfile() and (file := archive.extractfile(member)) is not None
        }
    with TABLE.open(newline="") as lines:
        return [KnownCrystal(cifs[row["material_id"]], row["crystal_system"], row) for row in csv.DictReader(lines)]
