"""Reads the crystals that others are made of: from a table, a file of one structure, or a folder of such files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocols.errors import TableError
from protocols.structures.reading import ReadStructure, StructureSettings
from protocols.tables.cells import text_cells
from protocols.tables.columns import require_column
from protocols.tables.files import column_names, read_file
from protocols.tables.formats.limits import MAX_STRUCTURE_BYTES
from protocols.tables.formats.registry import FILE_FORMATS, NOT_BESIDE_STRUCTURES
from protocols.wire.structure import CrystalStructure
from scenarios.display.progress import ProgressCall
from scenarios.settings.crystals import SubstitutionSettings
from scenarios.world.structures import structure_reader

MAX_PARENTS: Final = 10_000
"""Most crystals that others are made of."""

ONE_STRUCTURE: Final = frozenset({"JSON"})
"""Kinds of files that are tables of many, and may be of one structure as well."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A crystal that others are made of, and what it is called."""

    name: str
    crystal: CrystalStructure


def read_parents(settings: SubstitutionSettings, progress: ProgressCall) -> tuple[Parent, ...]:
    """Return the parents, in the order of the table, or of the names of the files.

    Raises:
        TableError: When there is no such file, or a structure in it cannot be used; with where it stands.
    """
    path = Path(settings.path)
    texts = _texts(settings, path)
    if not texts:
        raise TableError(
            f"{path} holds no structure (pool.crystals.substitutions.path)",
            expected="POSCAR, CIF, extended xyz or JSON of one structure each, or a table with a column of them",
        )
    if len(texts) > MAX_PARENTS:
        raise TableError(f"{path} holds {len(texts)} structures", expected=f"at most {MAX_PARENTS} to make others of")
    outcomes = structure_reader(path.name, progress)([text for _, text in texts], StructureSettings())
    parents = []
    for (place, _), outcome in zip(texts, outcomes, strict=True):
        if not isinstance(outcome, ReadStructure):
            after = f", line {outcome.line}" if outcome.line else ""
            raise TableError(
                f"A parent of substitutions cannot be used: {place}{after} is {outcome.found}",
                expected=outcome.expected or "a structure in one of the formats that are read",
                action="correct or remove it",
            )
        parents.append(Parent(outcome.formula, outcome.crystal))
    return tuple(parents)


def _texts(settings: SubstitutionSettings, path: Path) -> Sequence[tuple[str, str]]:
    """Return where each structure stands, and its text."""
    if path.is_dir() and not any(_is_table(each, NOT_BESIDE_STRUCTURES) for each in path.iterdir()):
        files = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
        return [(str(each), _text(each)) for each in files[: MAX_PARENTS + 1]]
    if not path.exists():
        raise TableError(
            f"There is no {path} (pool.crystals.substitutions.path)",
            expected="a table, a file of one structure, or a folder of such files, beside the scenario file",
        )
    if path.is_dir() or _is_table(path, ONE_STRUCTURE):
        names = column_names(path, settings)
        require_column(path, settings.structure, names)
        file = read_file(path, names, numeric=(), texts=(settings.structure,), format=settings)
        cells = text_cells(file, settings.structure, settings, records=True)
        return [(file.place(row), text) for row, text in enumerate(cells.texts)]
    return [(str(path), _text(path))]


def _is_table(path: Path, others: frozenset[str]) -> bool:
    """Whether a file is a table by its name, of no kind of `others`."""
    unpacked = path.name.lower().removesuffix(".gz")
    return any(kind.name not in others for kind in FILE_FORMATS if kind.endings and unpacked.endswith(kind.endings))


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_STRUCTURE_BYTES:
        raise TableError(f"{path} is larger than {MAX_STRUCTURE_BYTES >> 20} MB", expected="a file of one structure")
    return path.read_text(encoding="utf-8", errors="replace")
