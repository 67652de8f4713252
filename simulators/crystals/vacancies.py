"""The energy that it takes to remove an atom: E(n − 1 atoms) − (n − 1)/n E(n atoms), in the cell of the bulk.

The atom goes to a site of the same crystal, so this needs no reference, and has a meaning of one element only. EMT's
values change by less than 0.004 eV from 108 atoms to 500.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from simulators.crystals.bench import Bench
from simulators.crystals.limits import energy_of, relax
from simulators.crystals.one_element import conventional_of_one_element

if TYPE_CHECKING:
    from ase import Atoms

LEAST_ATOMS: Final = 108
"""Atoms of the smallest supercell: three cubic cells of fcc along each axis."""

FMAX: Final = 2e-3
"""Largest force that is left [eV/Å]: an error of about 1e-5 eV."""


def formation_energy(bench: Bench) -> float:
    """Return the formation energy of a vacancy in the crystal on the bench [eV].

    Raises:
        EvaluationFailed: UNSUPPORTED for several elements or kinds of sites; when ions do not relax.
    """
    what = "the vacancy"
    perfect = _supercell(conventional_of_one_element(bench, what, "where the atom goes"))
    atoms = perfect.copy()
    del atoms[0]
    atoms.calc = bench.choice.build()
    at_once = energy_of(what, atoms)
    done = relax(what, atoms, FMAX, bench.limits)
    whole = len(atoms) * bench.relaxed().energy
    bench.notes["vacancy"] = (
        f"one of {len(perfect)} atoms, ions relaxed to {FMAX:g} eV/Å in {done.steps} steps; unrelaxed"
        f" {at_once - whole:.4f} eV"
    )
    return energy_of(what, atoms) - whole


def _supercell(cell: Atoms) -> Atoms:
    """Repeat a cell, always along its shortest height, until it has `LEAST_ATOMS`."""
    heights = 1.0 / np.linalg.norm(np.linalg.inv(np.array(cell.cell)), axis=0)
    repeats = np.ones(3, dtype=int)
    while len(cell) * int(repeats.prod()) < LEAST_ATOMS:
        repeats[int(np.argmin(np.round(heights * repeats, 6)))] += 1
    return cell.repeat(tuple(int(each) for each in repeats))
