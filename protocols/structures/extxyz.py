"""Reads the text of one frame of extended xyz: `Lattice`, `Properties` and `pbc` in its second line."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from protocols.structures.faults import StructureFault
from protocols.structures.formats import EXTXYZ, name_of
from protocols.structures.sites import OXIDATION_STRIPPED, Sites, array_of, element_of, fractional

WHAT: Final = name_of(EXTXYZ)
"""What faults call it."""

USUAL_COLUMNS: Final = "species:S:1:pos:R:3"
"""Columns of a frame that does not state them, as in plain xyz."""

PERIODIC_BY_RULE: Final = "pbc is not stated: periodic, as the format has it where there is a Lattice"
"""Note of a frame without `pbc`."""

_PAIR: Final = re.compile(r"""([A-Za-z_][\w-]*)\s*=\s*("[^"]*"|'[^']*'|\{[^}]*\}|\[[^\]]*\]|\S+)""")


def read_extxyz(text: str) -> Sites:
    """Return the atoms of a frame.

    Raises:
        StructureFault: When it is damaged, not periodic, or there are several frames.
    """
    lines = text.rstrip().split("\n")
    count = int(lines[0])
    said = {key.lower(): value.strip("\"'{}[]") for key, value in _PAIR.findall(lines[1])}
    if len(lines) - 2 != count:
        raise _fault(
            "atoms and coordinates differ in number",
            f"of {count} atoms and {len(lines) - 2} lines of them",
            "one frame, with a line for each atom",
            1,
        )
    notes = [] if "pbc" in said else [PERIODIC_BY_RULE]
    if any(word not in {"T", "True", "true", "1"} for word in said.get("pbc", "T T T").replace(",", " ").split()):
        raise _fault(
            "is not periodic in three directions", f"with pbc={said['pbc'][:20]!r}", "a crystal: pbc='T T T'", 2
        )
    cell = array_of(_floats(said["lattice"].replace(",", " ").split(), 2), (9,), WHAT, "Lattice").reshape(3, 3)
    name_at, place_at, width = _columns(said.get("properties", USUAL_COLUMNS))
    symbols, places = [], []
    for line, content in enumerate(lines[2:], start=3):
        words = content.split()
        if len(words) < width:
            raise _fault("coordinates are missing", f"with {content.strip()[:40]!r}", f"{width} columns", line)
        symbol, charged = element_of(words[name_at], WHAT, line)
        symbols.append(symbol)
        if charged and OXIDATION_STRIPPED not in notes:
            notes.append(OXIDATION_STRIPPED)
        places.append(_floats(words[place_at : place_at + 3], line))
    positions = fractional(array_of(places, (-1, 3), WHAT, "pos"), cell, WHAT) if places else np.zeros((0, 3))
    return Sites(tuple(symbols), cell, positions, tuple(notes), tuple(range(3, 3 + len(symbols))))


def _columns(properties: str) -> tuple[int, int, int]:
    """Return in which columns element and place begin, and how many there are."""
    fields = properties.split(":")
    starts: dict[str, int] = {}
    width = 0
    for name, amount in zip(fields[::3], fields[2::3], strict=False):
        starts[name.lower()] = width
        width += int(amount) if amount.isdecimal() else 0
    if "species" not in starts or "pos" not in starts:
        raise _fault("columns are not told", f"with the columns {properties[:60]!r}", USUAL_COLUMNS, 2)
    return starts["species"], starts["pos"], width


def _floats(words: list[str], line: int) -> list[float]:
    """Return words as numbers."""
    try:
        return [float(word) for word in words]
    except ValueError:
        found = f"with {' '.join(words)[:40]!r}"
        raise _fault("coordinates or cell are no numbers", found, "numbers", line) from None


def _fault(reason: str, found: str, expected: str, line: int) -> StructureFault:
    return StructureFault(reason, f"{WHAT} {found}", expected, line)
