"""What a structure may be written in, and how it is told: by what the text holds, never by a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from protocols.structures.faults import StructureFault

CIF: Final = "CIF"
POSCAR: Final = "POSCAR"
EXTXYZ: Final = "extended xyz"
OWN_JSON: Final = "JSON of cell, symbols and scaled_positions"
PYMATGEN_JSON: Final = "pymatgen JSON"
ASE_JSON: Final = "ASE JSON"
JARVIS_JSON: Final = "JARVIS atoms"
OPTIMADE_JSON: Final = "OPTIMADE structure"

STRUCTURE_FORMATS: Final[Mapping[str, str]] = {
    CIF: "a line begins with `data_`; where the text may be a POSCAR, items (`_name` or `loop_`) as well",
    POSCAR: "one or three numbers in the second line, three numbers in each of the three after it (VASP 5 and later)",
    EXTXYZ: "a whole number alone in the first line, `Lattice=` in the second",
    OWN_JSON: "an object with `cell`, `symbols` and `scaled_positions`",
    PYMATGEN_JSON: "an object with `lattice` and `sites` (`Structure.as_dict`)",
    ASE_JSON: "an object with `numbers`, `positions` and `cell` (`ase.io.jsonio`), or with `ids` and one row",
    JARVIS_JSON: "an object with `lattice_mat`, `coords` and `elements`",
    OPTIMADE_JSON: "an object with `lattice_vectors`, `cartesian_site_positions` and `species_at_sites`, or with these "
    "in its `attributes`",
}
"""Name of a format, as `ReadStructure.format` has it -> how it is told. A text that fits none, or two, is refused."""

MAX_TEXT: Final = 4 * 1024 * 1024
"""Longest text of a structure [character]: a hundred times what `MAX_ATOMS` atoms take in the wordiest format."""

_KEYS: Final[Mapping[str, frozenset[str]]] = {
    OWN_JSON: frozenset({"cell", "symbols", "scaled_positions"}),
    PYMATGEN_JSON: frozenset({"lattice", "sites"}),
    ASE_JSON: frozenset({"numbers", "positions", "cell"}),
    JARVIS_JSON: frozenset({"lattice_mat", "coords", "elements"}),
    OPTIMADE_JSON: frozenset({"lattice_vectors", "cartesian_site_positions", "species_at_sites"}),
}
"""Format -> the keys by which an object is told."""

_LINES_THAT_TELL: Final = 5
"""Lines of a POSCAR until the end of its cell."""

_DATA_BLOCK: Final = re.compile(r"^\s*data_", re.IGNORECASE | re.MULTILINE)
_ITEM: Final = re.compile(r"(?<!\S)(?:_\S|loop_)", re.IGNORECASE)
"""What every CIF holds, and no POSCAR but in its comment."""

_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?"
_SCALE: Final = re.compile(rf"\s*{_NUMBER}(?:\s+{_NUMBER}\s+{_NUMBER})?\s*")
_VECTOR: Final = re.compile(rf"\s*{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}(?:\s.*)?")


def name_of(kind: str) -> str:
    """Return what a fault calls a structure of a format, with its article."""
    return {CIF: "a CIF", POSCAR: "a POSCAR", EXTXYZ: "an extended xyz"}.get(kind, f"a structure ({kind})")


def format_of_text(text: str) -> str:
    """Return the format of a text that is no JSON.

    Raises:
        StructureFault: When it fits none, or two.
    """
    lines = text.split("\n", _LINES_THAT_TELL)[:_LINES_THAT_TELL]
    found = []
    if len(lines) == _LINES_THAT_TELL and _SCALE.fullmatch(lines[1]) and all(map(_VECTOR.fullmatch, lines[2:])):
        found.append(POSCAR)
    if _DATA_BLOCK.search(text) and (not found or _ITEM.search(text)):  # the comment of a POSCAR may be `data_x`
        found.insert(0, CIF)
    if len(lines) > 1 and lines[0].strip().isdecimal() and re.search(r"\bLattice\s*=", lines[1], re.IGNORECASE):
        found.append(EXTXYZ)
    return _only(found, f"a text that begins with {text.strip()[:30]!r}")


def format_of_object(content: Mapping[str, Any]) -> str:
    """Return the format of a JSON object.

    Raises:
        StructureFault: When it fits none, or two.
    """
    inner = content.get("attributes")
    keys = content.keys() | (inner.keys() if isinstance(inner, dict) else set())
    found = [name for name, needed in _KEYS.items() if needed <= keys]
    if ASE_JSON not in found and {"ids", "nextid"} <= keys:
        found.append(ASE_JSON)
    return _only(found, f"a JSON with the keys {', '.join(sorted(content)[:6])[:80] or '(none)'}")


def _only(found: list[str], what: str) -> str:
    if len(found) == 1:
        return found[0]
    raise StructureFault(
        "the format is not told" if not found else "the format can be two",
        what if not found else f"{what}, which may be {' or '.join(found)}",
        f"one of: {', '.join(STRUCTURE_FORMATS)}",
    )
