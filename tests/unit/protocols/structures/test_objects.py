"""Structures as JSON objects of pymatgen, ASE, JARVIS and OPTIMADE."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from protocols.structures.faults import StructureFault
from protocols.structures.formats import ASE_JSON, JARVIS_JSON, OPTIMADE_JSON, PYMATGEN_JSON
from protocols.structures.objects import CHARGE_LEFT, OBJECT_READERS, object_of
from protocols.structures.sites import OXIDATION_STRIPPED

CELL = [[5.64, 0, 0], [0, 5.64, 0], [0, 0, 5.64]]
SODIUM = {"species": [{"element": "Na", "occu": 1}], "abc": [0, 0, 0], "xyz": [0, 0, 0]}
CHLORINE = {"species": [{"element": "Cl", "occu": 1}], "abc": [0.5, 0.5, 0.25], "xyz": [2.82, 2.82, 1.41]}
PYMATGEN = {
    "@module": "pymatgen.core.structure",
    "@class": "Structure",
    "lattice": {"matrix": CELL, "pbc": [True, True, True]},
    "sites": [SODIUM, CHLORINE],
}
PLACES = [[0, 0, 0], [2.82, 2.82, 1.41]]
ASE = {"numbers": [11, 17], "positions": PLACES, "cell": CELL, "pbc": [True, True, True]}
ASE_ARRAYS = {
    "numbers": {"__ndarray__": [[2], "int64", [11, 17]]},
    "positions": {"__ndarray__": [[2, 3], "float64", [0, 0, 0, 2.82, 2.82, 1.41]]},
    "cell": {"array": {"__ndarray__": [[3, 3], "float64", [5.64, 0, 0, 0, 5.64, 0, 0, 0, 5.64]]}},
    "pbc": {"__ndarray__": [[3], "bool", [True, True, True]]},
}
JARVIS = {"lattice_mat": CELL, "coords": PLACES, "elements": ["Na", "Cl"], "cartesian": True, "props": ["", ""]}
SPECIES = [
    {"name": "Na1", "chemical_symbols": ["Na"], "concentration": [1.0]},
    {"name": "Cl", "chemical_symbols": ["Cl"], "concentration": [1.0]},
]
OPTIMADE = {
    "lattice_vectors": CELL,
    "cartesian_site_positions": PLACES,
    "species_at_sites": ["Na1", "Cl"],
    "species": SPECIES,
    "dimension_types": [1, 1, 1],
    "nsites": 2,
    "elements": ["Cl", "Na"],
    "structure_features": [],
}


@pytest.mark.parametrize(
    ("kind", "content", "notes"),
    [
        (PYMATGEN_JSON, PYMATGEN, ()),
        (PYMATGEN_JSON, {"lattice": {"matrix": CELL}, "sites": [SODIUM, CHLORINE | {"xyz": None}]}, ()),
        (PYMATGEN_JSON, PYMATGEN | {"@class": "IStructure", "charge": 1.0}, (CHARGE_LEFT,)),
        (
            PYMATGEN_JSON,
            PYMATGEN
            | {
                "sites": [
                    SODIUM | {"species": [{"element": "Na", "oxidation_state": 1}]},
                    CHLORINE | {"species": [{"element": "Cl", "oxidation_state": -1}]},
                ]
            },
            (OXIDATION_STRIPPED,),
        ),
        (ASE_JSON, ASE, ()),
        (ASE_JSON, ASE_ARRAYS, ()),
        (ASE_JSON, {"7": ASE_ARRAYS, "ids": [7], "nextid": 8}, ()),
        (JARVIS_JSON, JARVIS, ()),
        (JARVIS_JSON, JARVIS | {"coords": [[0, 0, 0], [0.5, 0.5, 0.25]], "cartesian": False}, ()),
        (JARVIS_JSON, JARVIS | {"elements": ["Na1+", "Cl1-"]}, (OXIDATION_STRIPPED,)),
        (OPTIMADE_JSON, OPTIMADE, ()),
        (OPTIMADE_JSON, {"id": "1", "type": "structures", "attributes": OPTIMADE}, ()),
        (
            OPTIMADE_JSON,
            OPTIMADE | {"species": [SPECIES[0] | {"chemical_symbols": ["Na1+"]}, SPECIES[1]]},
            (OXIDATION_STRIPPED,),
        ),
        (OPTIMADE_JSON, OPTIMADE | {"nsites": None, "elements": None, "dimension_types": None}, ()),
    ],
)
def test_an_object_is_read(kind: str, content: dict[str, Any], notes: tuple[str, ...]) -> None:
    found = OBJECT_READERS[kind](object_of(json.dumps(content)))
    assert (found.symbols, found.notes) == (("Na", "Cl"), notes)
    assert found.cell == pytest.approx(np.array(CELL))
    assert found.positions == pytest.approx(np.array([[0, 0, 0], [0.5, 0.5, 0.25]]))


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        (PYMATGEN_JSON, PYMATGEN | {"@module": "os", "@class": "system"}, "is another object of pymatgen"),
        (PYMATGEN_JSON, PYMATGEN | {"@class": "Molecule"}, "is another object of pymatgen"),
        (PYMATGEN_JSON, PYMATGEN | {"lattice": None}, "a part of the JSON is missing"),
        (PYMATGEN_JSON, PYMATGEN | {"sites": [5]}, "a part of the JSON is missing"),
        (
            PYMATGEN_JSON,
            PYMATGEN | {"lattice": {"matrix": CELL, "pbc": [True, True, False]}},
            "is not periodic in three directions",
        ),
        (
            PYMATGEN_JSON,
            PYMATGEN | {"sites": [SODIUM | {"species": [{"element": "Na", "occu": 0.5}]}]},
            "sites are partially occupied",
        ),
        (PYMATGEN_JSON, PYMATGEN | {"sites": [SODIUM | {"species": []}]}, "sites are partially occupied"),
        (
            PYMATGEN_JSON,
            PYMATGEN | {"sites": [SODIUM | {"species": [{"element": "Na"}, {"element": "K"}]}]},
            "sites are partially occupied",
        ),
        (PYMATGEN_JSON, PYMATGEN | {"sites": [SODIUM | {"species": [{"element": "X0+"}]}]}, "an atom is no element"),
        (PYMATGEN_JSON, PYMATGEN | {"sites": [SODIUM | {"species": [{"element": "D"}]}]}, "holds heavy hydrogen"),
        (PYMATGEN_JSON, PYMATGEN | {"sites": [SODIUM | {"xyz": [0, 0, 1]}]}, "coordinates contradict each other"),
        (ASE_JSON, ASE | {"numbers": [11, 0]}, "an atom is no element"),
        (ASE_JSON, ASE | {"numbers": [11, 17.5]}, "an atom is no element"),
        (ASE_JSON, ASE | {"cell": [5, 5, 5]}, "coordinates or cell are no numbers"),
        (ASE_JSON, ASE | {"cell": [[0, 0, 0]] * 3}, "the cell is flat"),
        (ASE_JSON, ASE | {"pbc": [True, True, False]}, "is not periodic in three directions"),
        (ASE_JSON, {key: ASE[key] for key in ("numbers", "positions", "cell")}, "is not periodic in three directions"),
        (ASE_JSON, {"1": ASE, "2": ASE, "ids": [1, 2], "nextid": 3}, "several structures in one cell"),
        (ASE_JSON, {"ids": [1], "nextid": 2}, "a part of the JSON is missing"),
        (JARVIS_JSON, JARVIS | {"cartesian": None}, "a part of the JSON is missing"),
        (JARVIS_JSON, JARVIS | {"elements": ["Na", None]}, "an atom is no element"),
        (JARVIS_JSON, JARVIS | {"coords": [["0", "0", "0"]]}, "coordinates or cell are no numbers"),
        (OPTIMADE_JSON, OPTIMADE | {"structure_features": ["disorder"]}, "sites are partially occupied"),
        (OPTIMADE_JSON, OPTIMADE | {"structure_features": ["implicit_atoms"]}, "atoms have no site"),
        (OPTIMADE_JSON, OPTIMADE | {"dimension_types": [1, 1, 0]}, "is not periodic in three directions"),
        (
            OPTIMADE_JSON,
            OPTIMADE | {"species": [SPECIES[0] | {"chemical_symbols": ["Na", "vacancy"]}]},
            "sites are partially occupied",
        ),
        (
            OPTIMADE_JSON,
            OPTIMADE | {"species": [SPECIES[0] | {"concentration": [0.5]}, SPECIES[1]]},
            "sites are partially occupied",
        ),
        (OPTIMADE_JSON, OPTIMADE | {"species": [SPECIES[0] | {"attached": ["H"]}, SPECIES[1]]}, "atoms have no site"),
        (OPTIMADE_JSON, OPTIMADE | {"species_at_sites": ["Na1", "K"]}, "an atom is no element"),
        (OPTIMADE_JSON, OPTIMADE | {"nsites": 4}, "the sites contradict what is said of them"),
        (OPTIMADE_JSON, OPTIMADE | {"elements": ["Na"]}, "the sites contradict what is said of them"),
        (
            OPTIMADE_JSON,
            OPTIMADE | {"lattice_vectors": [[None, None, None], [0, 1, 0], [0, 0, 1]]},
            "coordinates or cell are no numbers",
        ),
    ],
)
def test_what_is_no_ordered_crystal_is_refused(kind: str, content: dict[str, Any], reason: str) -> None:
    with pytest.raises(StructureFault) as caught:
        OBJECT_READERS[kind](content)
    assert caught.value.unread.reason == reason


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("[1, 2]", "the format is not told", 0),
        ('{"a": 1,\n "b" 2}', "the JSON is damaged", 2),
        ('{"a": 1, "a": 2}', "the JSON is damaged", 0),
        ('{"a": NaN}', "coordinates or cell are no numbers", 0),
        ('{"a": -Infinity}', "coordinates or cell are no numbers", 0),
        ('{"a":' * 100_000, "the JSON is damaged", 0),
    ],
)
def test_a_damaged_json_is_refused(text: str, reason: str, line: int) -> None:
    with pytest.raises(StructureFault) as caught:
        object_of(text)
    assert (caught.value.unread.reason, caught.value.unread.line) == (reason, line)
