"""Reads structures that are written as JSON objects; nothing that an object names is imported."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from protocols.structures.faults import StructureFault
from protocols.structures.formats import ASE_JSON, JARVIS_JSON, OPTIMADE_JSON, PYMATGEN_JSON, name_of
from protocols.structures.sites import (
    KNOWN,
    OXIDATION_STRIPPED,
    Sites,
    array_of,
    check_occupancy,
    element_of,
    fractional,
)

PLACE_TOLERANCE: Final = 1e-3
"""How far the two coordinates that a site may state may lie apart [Å]: what four digits cannot tell apart."""

AXES: Final = 3
"""Directions in which a crystal repeats."""

CHARGE_LEFT: Final = "the net charge of the cell is left out"
"""Note of a structure that is charged."""


def object_of(text: str) -> dict[str, Any]:
    """Return the JSON object of a text.

    Raises:
        StructureFault: When it is none, names a key twice, or has numbers that are none.
    """
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise StructureFault(
            "the JSON is damaged", f"a JSON that cannot be read ({error.msg})", "one JSON object", error.lineno
        ) from None
    except RecursionError:
        raise StructureFault("the JSON is damaged", "a JSON of too many levels", "one JSON object") from None
    if not isinstance(content, dict):
        raise StructureFault("the format is not told", "a JSON list", "one JSON object: one structure in a cell")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise StructureFault("the JSON is damaged", f"a JSON with the key {twice[:30]!r} twice", "each key once")
    return content


def _refuse_constant(constant: str) -> None:
    raise StructureFault(
        "coordinates or cell are no numbers", f"a JSON with the number {constant}", "finite numbers everywhere"
    )


def _required(content: Mapping[str, Any], key: str, kind: type[dict[Any, Any] | list[Any]], what: str) -> Any:
    """Return what stands under a key.

    Raises:
        StructureFault: When it is not there, or of another kind.
    """
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, kind):
        name = "a list" if kind is list else "an object"
        raise StructureFault(
            "a part of the JSON is missing", f"{what} whose {key!r} is not {name}", f"{key!r} as {name}"
        )
    return value


def _symbols(values: list[Any], what: str, notes: list[str]) -> tuple[str, ...]:
    """Return elements, and note oxidation states."""
    read = [element_of(value if isinstance(value, str) else repr(value), what) for value in values]
    if any(charged for _, charged in read) and OXIDATION_STRIPPED not in notes:
        notes.append(OXIDATION_STRIPPED)
    return tuple(symbol for symbol, _ in read)


def _check_periodic(pbc: Any, what: str) -> None:
    """Check that a structure repeats in all three directions.

    Raises:
        StructureFault: When it does not.
    """
    directions = np.ravel(pbc)
    if directions.size != AXES or not all(each == 1 for each in directions.tolist()):
        said = " ".join(str(each) for each in directions.tolist())[:40]
        raise StructureFault(
            "is not periodic in three directions", f"{what} with the periodic directions {said!r}", "a crystal"
        )


def read_pymatgen(content: Mapping[str, Any]) -> Sites:
    """Return the atoms of `Structure.as_dict()`.

    Raises:
        StructureFault: When it is damaged, disordered, or something else of pymatgen.
    """
    what = name_of(PYMATGEN_JSON)
    said = (content.get("@module", "pymatgen.core.structure"), content.get("@class", "Structure"))
    if said not in {("pymatgen.core.structure", "Structure"), ("pymatgen.core.structure", "IStructure")}:
        raise StructureFault(
            "is another object of pymatgen", f"a JSON of {said[0]!s:.60}.{said[1]!s:.60}", "a Structure of pymatgen"
        )
    lattice = _required(content, "lattice", dict, what)
    cell = array_of(lattice.get("matrix"), (3, 3), what, "lattice.matrix")
    _check_periodic(lattice.get("pbc", (True, True, True)), what)
    notes = [CHARGE_LEFT] if content.get("charge") else []
    symbols: list[str] = []
    for site in _required(content, "sites", list, what):
        (species,) = _only(_required(site, "species", list, what), what)
        check_occupancy(float(species.get("occu", 1.0)), what)
        symbols += _symbols([species.get("element")], what, notes)
        if species.get("oxidation_state") and OXIDATION_STRIPPED not in notes:
            notes.append(OXIDATION_STRIPPED)
    positions = array_of([site.get("abc") for site in content["sites"]], (-1, 3), what, "abc of sites")
    places = [site.get("xyz") for site in content["sites"]]
    if places and all(place is not None for place in places):
        _check_places(array_of(places, (-1, 3), what, "xyz of sites"), positions @ cell, what)
    return Sites(tuple(symbols), cell, positions, tuple(notes))


def _only(species: list[Any], what: str) -> list[Any]:
    """Return what is on a site, where that is one species.

    Raises:
        StructureFault: When it is none, or several.
    """
    if len(species) == 1:
        return species
    raise StructureFault(
        "sites are partially occupied",
        f"{what} with {len(species)} species on a site",
        "an ordered crystal: one a site",
    )


def _check_places(stated: NDArray[np.float64], made: NDArray[np.float64], what: str) -> None:
    """Check that the two coordinates of each site [Å] agree."""
    if (apart := float(np.abs(stated - made).max())) > PLACE_TOLERANCE:
        raise StructureFault(
            "coordinates contradict each other",
            f"{what} whose abc and xyz lie {apart:.3g} Å apart",
            "fractional and Cartesian coordinates of one place",
        )


def read_ase(content: Mapping[str, Any]) -> Sites:
    """Return the atoms of ASE's JSON: of an `Atoms`, or of a database of one row.

    Raises:
        StructureFault: When it is damaged, not periodic, or has several rows.
    """
    what = name_of(ASE_JSON)
    if "ids" in content:
        ids = _required(content, "ids", list, what)
        if len(ids) != 1:
            raise StructureFault(
                "several structures in one cell", f"an ASE database of {len(ids)} rows", "one structure in a cell"
            )
        content = _required(content, str(ids[0]), dict, what)
    numbers = _plain(content.get("numbers"))
    atoms = array_of(numbers, (-1,), what, "numbers").tolist()
    if any(number != int(number) or not 1 <= number <= len(KNOWN) for number in atoms):
        raise StructureFault(
            "an atom is no element",
            f"{what} whose atomic numbers are not 1 to {len(KNOWN)}",
            "elements (no dummy atom)",
        )
    from ase.data import chemical_symbols

    cell = array_of(_plain(content.get("cell")), (3, 3), what, "cell")
    places = array_of(_plain(content.get("positions")), (-1, 3), what, "positions")
    _check_periodic(_plain(content.get("pbc", ())), what)
    return Sites(tuple(chemical_symbols[int(number)] for number in atoms), cell, fractional(places, cell, what))


def _plain(value: Any) -> Any:
    """Return an array as ASE writes it as lists: `{"__ndarray__": [shape, type, numbers]}`, or a cell around it."""
    if isinstance(value, dict) and "array" in value:
        value = value["array"]
    if isinstance(value, dict) and "__ndarray__" in value:
        shape, _, numbers = value["__ndarray__"]
        return np.array(numbers).reshape(shape).tolist()
    return value


def read_jarvis(content: Mapping[str, Any]) -> Sites:
    """Return the atoms of JARVIS's `atoms`.

    Raises:
        StructureFault: When it is damaged.
    """
    what = name_of(JARVIS_JSON)
    notes: list[str] = []
    symbols = _symbols(_required(content, "elements", list, what), what, notes)
    cell = array_of(content.get("lattice_mat"), (3, 3), what, "lattice_mat")
    coordinates = array_of(content.get("coords"), (-1, 3), what, "coords")
    cartesian = content.get("cartesian")
    if not isinstance(cartesian, bool):
        raise StructureFault(
            "a part of the JSON is missing",
            f"{what} whose 'cartesian' is not true or false",
            "'cartesian', which tells Å from fractions",
        )
    positions = fractional(coordinates, cell, what) if cartesian else coordinates
    return Sites(symbols, cell, positions, tuple(notes))


def read_optimade(content: Mapping[str, Any]) -> Sites:
    """Return the atoms of an OPTIMADE structure (specification 1.2, section 7.2).

    Raises:
        StructureFault: When it is damaged, disordered, not periodic, or has atoms without a place.
    """
    what = name_of(OPTIMADE_JSON)
    inner = content.get("attributes")
    entry = inner if isinstance(inner, dict) else content
    if hidden := sorted(
        set(entry.get("structure_features") or ()) & {"disorder", "implicit_atoms", "site_attachments"}
    ):
        raise StructureFault(
            "sites are partially occupied" if hidden == ["disorder"] else "atoms have no site",
            f"{what} with the structure_features {', '.join(hidden)}",
            "an ordered crystal all of whose atoms have sites",
        )
    _check_periodic(entry.get("dimension_types") or (1, 1, 1), what)
    element_by_name = {}
    for species in _required(entry, "species", list, what):
        (element,) = _only(_required(species, "chemical_symbols", list, what), what)
        (share,) = _only(species.get("concentration", [1.0]), what)
        check_occupancy(float(share), what)
        if species.get("attached"):
            raise StructureFault("atoms have no site", f"{what} with attached atoms", "all atoms as sites")
        element_by_name[species.get("name")] = element
    names = _required(entry, "species_at_sites", list, what)
    if unknown := [name for name in names if name not in element_by_name]:
        raise StructureFault(
            "an atom is no element", f"{what} with the species {unknown[0]!r:.30}", "a name of species"
        )
    notes: list[str] = []
    symbols = _symbols([element_by_name[name] for name in names], what, notes)
    _check_said(entry, symbols, what)
    cell = array_of(entry.get("lattice_vectors"), (3, 3), what, "lattice_vectors")
    places = array_of(entry.get("cartesian_site_positions"), (-1, 3), what, "cartesian_site_positions")
    return Sites(symbols, cell, fractional(places, cell, what), tuple(notes))


def _check_said(entry: Mapping[str, Any], symbols: tuple[str, ...], what: str) -> None:
    """Check what an entry says of its atoms besides: how many, and of which elements."""
    said = entry.get("nsites") or len(symbols)
    elements = entry.get("elements") or sorted(set(symbols))
    if said != len(symbols) or set(elements) != set(symbols):
        raise StructureFault(
            "the sites contradict what is said of them",
            f"{what} of {said} sites and elements {', '.join(map(str, elements))[:40]}, but {len(symbols)} sites of "
            f"{', '.join(sorted(set(symbols)))[:40]}",
            "nsites and elements of the sites",
        )


OBJECT_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Sites]]] = {
    PYMATGEN_JSON: read_pymatgen,
    ASE_JSON: read_ase,
    JARVIS_JSON: read_jarvis,
    OPTIMADE_JSON: read_optimade,
}
"""Format -> its reader."""
