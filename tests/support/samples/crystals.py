"""Crystals of all seven systems, made of their groups, and the texts that people write crystals in."""

from __future__ import annotations

import functools
import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.io.jsonio import encode
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

from protocols.structures.cif.groups import operations_of_setting, settings_of_symbol
from protocols.structures.symmetry import crystal_system_of
from protocols.wire.structure import CrystalStructure

GROUPS: Mapping[str, tuple[str, ...]] = {
    "triclinic": ("P 1", "P -1"),
    "monoclinic": ("P 21/c", "C 2/m", "P m", "P 1 21/n 1"),
    "orthorhombic": ("P n m a", "C m c m", "P 2 2 2", "F d d 2"),
    "tetragonal": ("P 42/m n m", "I 4/m c m", "P -4"),
    "trigonal": ("R -3 m:H", "P 3 m 1", "P -3"),
    "hexagonal": ("P 63/m m c", "P -6", "P 6 2 2"),
    "cubic": ("P a -3", "F -4 3 m", "I m -3 m", "F m -3 m"),
}
"""Crystal system -> groups that crystals are made of."""

ELEMENTS = ("O", "Ti", "Al", "Na", "Cl", "Fe", "S", "K", "Mg", "Si", "Y", "Bi")
SPECIAL = (0.0, 0.5, 0.25, 1.0 / 3.0, 2.0 / 3.0)
LEAST_DISTANCE = 2.1
"""Least distance of two atoms [Å]: above what is refused of any of the elements."""

MOST_ATOMS = 64
FAVOURED = 6
"""Images of a site that are favoured among those that are drawn."""

EXACT = 1e-4
"""Distance within which a writer may symmetrise [Å]: the crystals are exact, and must stay what they are."""


@dataclass(frozen=True, slots=True)
class Crystal:
    """A crystal with the system that it was made in."""

    system: str
    structure: Any


@functools.cache
def crystals_of_all_systems(count: int, seed: int = 13) -> tuple[Crystal, ...]:
    """Make crystals of the seven systems in turn; those with a higher symmetry than their group's are left out."""
    rng = np.random.default_rng(seed)
    systems = list(GROUPS)
    made: list[Crystal] = []
    while len(made) < count:
        system = systems[len(made) % len(systems)]
        groups = GROUPS[system]
        structure = _crystal(system, groups[(len(made) // len(systems)) % len(groups)], rng)
        if structure is not None:
            made.append(Crystal(system, structure))
    return tuple(made)


def _crystal(system: str, group: str, rng: np.random.Generator) -> Any:
    (setting,) = settings_of_symbol(group)
    rotations, translations = operations_of_setting(setting)
    cell = _cell(system, rng)
    symbols: list[str] = []
    places = np.zeros((0, 3))
    for element in rng.choice(ELEMENTS, rng.integers(1, 4), replace=False):
        images = _images(rotations, translations, rng)
        symbols += [str(element)] * len(images)
        places = np.concatenate([places, images])
    apart = cell.get_all_distances(places, places)[~np.eye(len(places), dtype=bool)]
    if not 1 < len(symbols) <= MOST_ATOMS or apart.min() < LEAST_DISTANCE:
        return None
    structure = Structure(cell, symbols, places)
    return structure if crystal_system_of(CrystalStructure.from_pymatgen(structure), 0.01, -1.0) == system else None


def _images(
    rotations: NDArray[np.int64], translations: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the images of the site of fewest among some, so that few crystals are crowded."""
    orbits = []
    for share in (0.3, 0.6, 0.9):
        site = np.where(rng.uniform(size=3) < share, rng.choice(SPECIAL, 3), rng.uniform(size=3))
        images = (rotations @ site + translations) % 1.0
        same = np.abs((images[:, None] - images + 0.5) % 1.0 - 0.5).max(axis=2) < 1e-6
        orbits.append(images[np.argmax(same, axis=1) == np.arange(len(images))])
    return min(orbits, key=lambda orbit: abs(len(orbit) - FAVOURED))


def _cell(system: str, rng: np.random.Generator) -> Any:
    from pymatgen.core import Lattice

    a, b, c = (float(edge) for edge in rng.uniform(6.5, 12.0, 3))
    alpha, beta, gamma = (float(angle) for angle in rng.uniform(75.0, 105.0, 3))
    return {
        "triclinic": lambda: Lattice.from_parameters(a, b, c, alpha, beta, gamma),
        "monoclinic": lambda: Lattice.monoclinic(a, b, c, beta + 16.0),
        "orthorhombic": lambda: Lattice.orthorhombic(a, b, c),
        "tetragonal": lambda: Lattice.tetragonal(a, c),
        "trigonal": lambda: Lattice.hexagonal(a, c),
        "hexagonal": lambda: Lattice.hexagonal(a, c),
        "cubic": lambda: Lattice.cubic(a),
    }[system]()


def writings_of(structure: Any) -> dict[str, str]:
    """Return the text of one crystal in every format, and of other cells and origins of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spglib announces changes of its interface
        return _by_pymatgen(structure) | _by_ase(_atoms(structure)) | _by_hand(structure) | _otherwise(structure)


def symmetrised(structure: Any) -> str:
    """Return a CIF of the usual cell with its group, its operations and few sites."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spglib announces changes of its interface
        return str(CifWriter(structure, symprec=EXACT, angle_tolerance=-1.0))


def _by_pymatgen(structure: Any) -> dict[str, str]:
    charged = structure.copy()
    charged.add_oxidation_state_by_element({element.symbol: 1 for element in structure.composition})
    return {
        "pymatgen CIF": structure.to(fmt="cif"),
        "pymatgen CIF, symmetrised": symmetrised(structure),
        "pymatgen CIF, its own cell": str(
            CifWriter(structure, symprec=EXACT, angle_tolerance=-1.0, refine_struct=False)
        ),
        "pymatgen POSCAR": structure.to(fmt="poscar"),
        "pymatgen POSCAR, Cartesian": Poscar(structure.copy()).get_str(direct=False),
        "pymatgen JSON": structure.to(fmt="json"),
        "pymatgen JSON, oxidation states": charged.to(fmt="json"),
    }


def _atoms(structure: Any) -> Any:
    return Atoms(
        symbols=[site.specie.symbol for site in structure],
        positions=structure.cart_coords,
        cell=structure.lattice.matrix,
        pbc=True,
    )


def _by_ase(atoms: Any) -> dict[str, str]:
    def written(kind: str, **options: Any) -> str:
        file: Any = io.BytesIO() if kind == "cif" else io.StringIO()
        ase.io.write(file, atoms, format=kind, **options)
        text = file.getvalue()
        return str(text.decode() if isinstance(text, bytes) else text)

    return {
        "ASE CIF": written("cif"),
        "ASE POSCAR": written("vasp"),
        "ASE POSCAR, direct and sorted": written("vasp", direct=True, sort=True),
        "ASE extended xyz": written("extxyz"),
        "ASE JSON of a database": written("json"),
        "ASE JSON of Atoms": encode(atoms),
    }


def _by_hand(structure: Any) -> dict[str, str]:
    symbols = [site.specie.symbol for site in structure]
    cell = structure.lattice.matrix.tolist()
    own = CrystalStructure.from_pymatgen(structure)
    jarvis = {"lattice_mat": cell, "elements": symbols, "props": [""] * len(symbols)}
    optimade = {
        "lattice_vectors": cell,
        "cartesian_site_positions": structure.cart_coords.tolist(),
        "species_at_sites": symbols,
        "species": [{"name": x, "chemical_symbols": [x], "concentration": [1.0]} for x in sorted(set(symbols))],
        "elements": sorted(set(symbols)),
        "nsites": len(symbols),
        "dimension_types": [1, 1, 1],
    }
    return {
        "our own JSON": own.model_dump_json(),
        "JARVIS": json.dumps(jarvis | {"coords": structure.frac_coords.tolist(), "cartesian": False}),
        "JARVIS, Cartesian": json.dumps(jarvis | {"coords": structure.cart_coords.tolist(), "cartesian": True}),
        "OPTIMADE": json.dumps({"id": "1", "type": "structures", "attributes": optimade}),
    }


def _otherwise(structure: Any) -> dict[str, str]:
    """Return the text of other cells, origins and orders, and of the mirror image."""
    larger = structure.copy()
    larger.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    moved = structure.copy()
    moved.translate_sites(range(len(moved)), [0.123, 0.456, 0.789], to_unit_cell=False)
    backwards = Structure.from_sites(list(structure)[::-1])
    swapped = Structure(structure.lattice.matrix[[1, 0, 2]], structure.species, structure.frac_coords[:, [1, 0, 2]])
    mirrored = Structure(structure.lattice.matrix * [1, 1, -1], structure.species, structure.frac_coords)
    return {
        "a supercell": larger.to(fmt="poscar"),
        "another origin": moved.to(fmt="json"),
        "another order": backwards.to(fmt="poscar"),
        "a left-handed cell": swapped.to(fmt="json"),
        "the mirror image": mirrored.to(fmt="json"),
        "the reduced cell": structure.get_reduced_structure().to(fmt="cif"),
        "the primitive cell": structure.get_primitive_structure(tolerance=0.001).to(fmt="cif"),
    }
