"""Reads the text of one structure, and of many in their order."""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Sequence
from typing import Any, Final

from pydantic import ValidationError

from protocols.structures.reading import ReadStructure, StructureSettings, UnreadStructure
from protocols.wire.structure import CrystalStructure

SYMMETRY_TAGS: Final = ("_symmetry", "_space_group")
"""How the items of a CIF begin that name its group or its operations."""

MAX_GROUPS_KEPT: Final = 256
"""Groups whose operations are kept: more than there are (230), each at most some hundred kilobytes."""

MAX_SAID: Final = 200
"""How much of another library's error is repeated [character]."""


def one_by_one(texts: Sequence[str], settings: StructureSettings) -> list[ReadStructure | UnreadStructure]:
    """Read texts in their order (`protocols.structures.reading.ReadStructures`)."""
    return [read_structure(text, settings) for text in texts]


def read_structure(text: str, settings: StructureSettings) -> ReadStructure | UnreadStructure:
    """Read one structure."""
    try:
        crystal = _parsed(text)
    except Exception as error:  # noqa: BLE001 - pymatgen fails in as many ways as CIF files do
        said = " ".join(str(error).split())[:MAX_SAID] or type(error).__name__
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False)[0]
            said = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".removeprefix(": ")
        return UnreadStructure(
            "a structure that cannot be used",
            f"a structure that cannot be used ({said})",
            "the text of a CIF of an ordered crystal, or a JSON with cell, symbols and scaled_positions",
        )
    return ReadStructure(
        crystal,
        "JSON" if text.startswith("{") else "CIF",
        crystal.to_pymatgen().composition.reduced_formula,
        hashlib.sha256(crystal.model_dump_json().encode()).hexdigest(),
        _system(crystal, settings) if settings.with_symmetry else "",
    )


def _parsed(text: str) -> CrystalStructure:
    """Parse one structure; only text is read, never a path."""
    if text.startswith("{"):
        return CrystalStructure.model_validate_json(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen's notes on notation; what matters raises
        (structure, *_) = _parser().from_str(text).parse_structures(primitive=False)
    if not structure.is_ordered:
        raise ValueError("sites are partially occupied")
    return CrystalStructure.from_pymatgen(structure)


@functools.cache
def _parser() -> Any:
    """Return pymatgen's reader of CIFs, which here works the operations of a group out once for all rows.

    pymatgen forgets a group with the structure that had it, and needs half a second for Fm-3m.
    """
    from pymatgen.io.cif import CifParser

    known: dict[tuple[tuple[str, str], ...], tuple[list[Any], list[str]]] = {}

    class Parser(CifParser):  # type: ignore[misc]
        """The reader; its `warnings` hold what they would hold without a memory."""

        def get_symops(self, data: Any) -> list[Any]:
            group = tuple((name, str(value)) for name, value in data.data.items() if name.startswith(SYMMETRY_TAGS))
            if group in known:
                operations, notes = known[group]
                self.warnings += notes
                return list(operations)
            noted = len(self.warnings)
            operations = super().get_symops(data)
            if len(known) < MAX_GROUPS_KEPT:
                known[group] = (list(operations), self.warnings[noted:])
            return list(operations)

    return Parser


def _system(crystal: CrystalStructure, settings: StructureSettings) -> str:
    """Return the crystal system that spglib finds, or "" when it finds none."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # spglib announces changes of its interface
            found = SpacegroupAnalyzer(crystal.to_pymatgen(), settings.symmetry_tolerance, settings.angle_tolerance)
            return str(found.get_crystal_system())
    except Exception:  # noqa: BLE001 - spglib's errors have changed their types
        return ""
