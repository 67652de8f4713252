"""The closed list of properties of crystals: a name, a unit, how it is had, what it needs, and whose method it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from protocols.extras import is_installed
from simulators.crystals import elasticity, equation_of_state, surfaces, vacancies, vibrations
from simulators.crystals.bench import Bench

Need = Literal["relaxed volume", "relaxed cell", "relaxed elements", "elastic tensor", "one element", "phonopy"]
"""What a property stands on; several properties of one request share it."""

FORMATION_ENERGY: Final = "formation_energy_per_atom"
ENERGY: Final = "energy_per_atom"
VOLUME: Final = "volume_per_atom"


@dataclass(frozen=True, slots=True)
class CrystalProperty:
    """One property of a crystal.

    Attributes:
        name: As a request writes it.
        unit: Of its values; empty of a pure number.
        method: How it is calculated, in a line.
        source: Where the method is from.
        needs: What it stands on.
        measure: Calculates it of what is on the bench.
    """

    name: str
    unit: str
    method: str
    source: str
    needs: tuple[Need, ...]
    measure: Callable[[Bench], float]


def _formation_energy(bench: Bench) -> float:
    found = bench.of_energies()
    references = {symbol: bench.elements.reference(symbol, bench.limits) for symbol in sorted(set(bench.symbols))}
    bench.notes["references"] = " ".join(
        f"{symbol}:{each.crystal}:{each.energy:.6f}" for symbol, each in references.items()
    )[:200]
    return found.energy - sum(references[symbol].energy for symbol in bench.symbols) / len(bench.symbols)


def _constant(row: int, column: int, bench: Bench) -> float:
    return float(elasticity.elastic_tensor(bench).constants[row - 1, column - 1])


def _length(axis: int, bench: Bench) -> float:
    return float(bench.relaxed().atoms.cell.lengths()[axis])


def _angle(axis: int, bench: Bench) -> float:
    return float(bench.relaxed().atoms.cell.angles()[axis])


_ENERGIES: Final = (
    CrystalProperty(
        FORMATION_ENERGY,
        "eV/atom",
        "energy less that of its elements, each in the lowest of fcc, hcp, bcc, sc and diamond by the same calculator",
        "definition",
        ("relaxed volume", "relaxed elements"),
        _formation_energy,
    ),
    CrystalProperty(
        ENERGY,
        "eV/atom",
        "energy by the calculator",
        "definition",
        ("relaxed volume",),
        lambda b: b.of_energies().energy,
    ),
    CrystalProperty(
        VOLUME, "Å^3", "volume at zero pressure", "definition", ("relaxed volume",), lambda b: b.of_energies().volume
    ),
)

_LATTICE: Final = tuple(
    CrystalProperty(
        f"lattice_{name}", unit, f"{what} of the cell as it was given, relaxed", "ASE FrechetCellFilter, LBFGS",
        ("relaxed cell",), measure,
    )
    for name, unit, what, measure in (
        *((each, "Å", "length", partial(_length, place)) for place, each in enumerate("abc")),
        *((each, "deg", "angle", partial(_angle, place)) for place, each in enumerate(("alpha", "beta", "gamma"))),
    )
)  # fmt: skip

_CONSTANTS: Final = tuple(
    CrystalProperty(
        f"elastic_c{row}{column}", "GPa", "stress of small strains with relaxed ions, in the standard axes",
        "J. F. Nye, Physical Properties of Crystals (1957)", ("relaxed cell", "elastic tensor"),
        partial(_constant, row, column),
    )
    for row in range(1, 7)
    for column in range(row, 7)
)  # fmt: skip

_HILL: Final = "R. Hill, Proc. Phys. Soc. A 65, 349 (1952)"

_MECHANICAL: Final = (
    CrystalProperty(
        "bulk_modulus_eos", "GPa", "Birch-Murnaghan fit of energies within 2 % of the volume",
        "Phys. Rev. 71, 809 (1947)",
        ("relaxed cell",), equation_of_state.bulk_modulus,
    ),
    CrystalProperty(
        "bulk_modulus_vrh", "GPa", "mean of the bounds of Voigt and Reuss", _HILL, ("relaxed cell", "elastic tensor"),
        lambda bench: elasticity.averages(bench).bulk,
    ),
    CrystalProperty(
        "shear_modulus_vrh", "GPa", "mean of the bounds of Voigt and Reuss", _HILL, ("relaxed cell", "elastic tensor"),
        lambda bench: elasticity.averages(bench).shear,
    ),
    CrystalProperty(
        "universal_anisotropy", "", "5 G_V/G_R + B_V/B_R - 6", "Phys. Rev. Lett. 101, 055504 (2008)",
        ("relaxed cell", "elastic tensor"), lambda bench: elasticity.averages(bench).anisotropy,
    ),
    CrystalProperty(
        "smallest_frequency", "THz", "smallest over all wave vectors of a supercell, acoustic ones at Γ left out;"
        " negative where imaginary", "phonopy, Scr. Mater. 108, 1 (2015)", ("relaxed cell", "phonopy"),
        vibrations.smallest_frequency,
    ),
)  # fmt: skip

_DEFECTS: Final = (
    *(
        CrystalProperty(
            f"surface_energy_{''.join(map(str, face))}", "J/m^2", "slab cut from the relaxed crystal, ions relaxed",
            "definition", ("relaxed cell", "one element"), partial(surfaces.surface_energy, face=face),
        )
        for face in ((1, 0, 0), (1, 1, 0), (1, 1, 1))
    ),
    CrystalProperty(
        "vacancy_formation_energy", "eV", "supercell of at least 108 atoms less one, ions relaxed", "definition",
        ("relaxed cell", "one element"), vacancies.formation_energy,
    ),
)  # fmt: skip

CRYSTAL_PROPERTIES: Final = {each.name: each for each in (*_ENERGIES, *_LATTICE, *_MECHANICAL, *_CONSTANTS, *_DEFECTS)}
"""Every property of the lab of crystals, by name."""

CRYSTAL_UNITS: Final = {name: each.unit for name, each in CRYSTAL_PROPERTIES.items()}
"""Property -> its unit."""


def units_at_hand() -> dict[str, str]:
    """Return the units of what can be calculated here, by name: without phonopy there are no frequencies."""
    known = CRYSTAL_PROPERTIES.values()
    return {each.name: each.unit for each in known if "phonopy" not in each.needs or is_installed("phonopy")}
