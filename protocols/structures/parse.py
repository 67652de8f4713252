"""Reads the text of a structure, whatever it is written in: never a path, and nothing in it is carried out.

What cannot be used is an outcome here, not an error: a table has many rows, and says in the end which were left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from pydantic import ValidationError

from protocols.structures.checks import check_cell, check_distances
from protocols.structures.cif.read import read_cif
from protocols.structures.extxyz import read_extxyz
from protocols.structures.faults import StructureFault
from protocols.structures.formats import (
    CIF,
    EXTXYZ,
    MAX_TEXT,
    OWN_JSON,
    POSCAR,
    format_of_object,
    format_of_text,
    name_of,
)
from protocols.structures.identity import content_of, formula_of
from protocols.structures.neighbours import neighbours_of
from protocols.structures.objects import OBJECT_READERS, object_of
from protocols.structures.poscar import read_poscar
from protocols.structures.reading import MAX_SAID, Outcome, ReadStructure, StructureSettings, UnreadStructure, said_by
from protocols.structures.sites import Sites, check_count, element_of
from protocols.structures.symmetry import crystal_system_of
from protocols.wire.structure import CrystalStructure

DECIMALS: Final = 8
"""Decimal places that are kept [Å and cell fraction], as `CrystalStructure.from_pymatgen` keeps them."""

TEXT_READERS: Final[Mapping[str, Callable[[str], Sites]]] = {CIF: read_cif, POSCAR: read_poscar, EXTXYZ: read_extxyz}
"""Format that is no JSON -> its reader."""


def read_structure(text: str, settings: StructureSettings) -> Outcome:
    """Read a structure, and check it.

    Args:
        text: What stands in the cell.
        settings: How crystal systems are found.

    Returns:
        The structure, or why it cannot be used; a fault of the text never raises.
    """
    try:
        return _read(text, settings)
    except StructureFault as fault:
        return fault.unread
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError) as error:
        return UnreadStructure(
            "cannot be read", f"a structure that cannot be read ({said_by(error)})", "one of the formats"
        )


def one_by_one(texts: Sequence[str], settings: StructureSettings) -> list[Outcome]:
    """Read structures one after the other: the plain `ReadStructures`."""
    return [read_structure(text, settings) for text in texts]


def _read(text: str, settings: StructureSettings) -> ReadStructure:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_TEXT:
        raise StructureFault("is too long", f"a text of {len(text)} characters", f"at most {MAX_TEXT}")
    kind, sites, crystal = _sites(text)
    what = name_of(kind)
    check_count(sites.symbols, sites.positions, what)
    volume = check_cell(sites, what)
    neighbours = neighbours_of(sites, volume)
    check_distances(sites, neighbours, what)
    crystal = crystal or _crystal(sites)
    system = None
    if settings.with_symmetry:
        system = crystal_system_of(crystal, settings.symmetry_tolerance, settings.angle_tolerance)
        if system is None:
            raise StructureFault(
                "the crystal system cannot be found",
                f"{what} whose crystal system cannot be found",
                f"a crystal with a symmetry within {settings.symmetry_tolerance:g} Å (symmetry_tolerance)",
            )
    return ReadStructure(
        crystal=crystal,
        format=kind,
        formula=formula_of(sites.symbols),
        content=content_of(sites, volume, neighbours),
        crystal_system=system or "",
        converted=sites.notes,
    )


def _sites(text: str) -> tuple[str, Sites, CrystalStructure | None]:
    """Return the format and the atoms; of our own format also the crystal as it stands."""
    if not text.lstrip().startswith(("{", "[")):
        kind = format_of_text(text)
        return kind, TEXT_READERS[kind](text), None
    content = object_of(text)
    kind = format_of_object(content)
    if kind != OWN_JSON:
        return kind, OBJECT_READERS[kind](content), None
    try:
        crystal = CrystalStructure.model_validate_json(text)
    except ValidationError as error:
        raise _own_fault(error) from None
    for symbol in crystal.symbols:
        element_of(symbol, name_of(kind))
    return kind, Sites(crystal.symbols, np.array(crystal.cell), np.array(crystal.scaled_positions)), crystal


def _own_fault(error: ValidationError) -> StructureFault:
    first = error.errors(include_url=False)[0]
    said = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".removeprefix(": ")
    return StructureFault(
        "the JSON is no crystal",
        f"a JSON that is no crystal ({said[:MAX_SAID]})",
        "cell (3 by 3, in Å), symbols, and scaled_positions between -1 and 2",
    )


def _crystal(sites: Sites) -> CrystalStructure:
    """Return the crystal that requests carry, rounded so that the same crystal gives the same bytes."""
    cell = tuple(tuple(round(x, DECIMALS) + 0.0 for x in row) for row in sites.cell.tolist())
    positions = tuple(tuple(round(x % 1.0, DECIMALS) % 1.0 + 0.0 for x in row) for row in sites.positions.tolist())
    return CrystalStructure.model_validate({"cell": cell, "symbols": sites.symbols, "scaled_positions": positions})
