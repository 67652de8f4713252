"""The bulk modulus by an equation of state: energies at volumes around the relaxed one, and what fits them.

Birch and Murnaghan's third order is a polynomial of third degree in y = (V0/V)^(2/3) − 1 (F. Birch, Phys. Rev. 71, 809
(1947)), so that the fit is linear; the curvature at its minimum is B = V d²E/dV².

The volumes stay within ±4 %: effective medium theory is not smooth (its neighbours end at a cut-off), and beyond that
aluminium's modulus goes from 39.7 GPa to 38.3 at 10 %. The shape of the cell is kept at every volume and ions are
relaxed; of crystals that are not cubic this is an upper bound of the modulus under pressure.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from protocols.wire.messages import FailureReason
from simulators.crystals.bench import Bench
from simulators.crystals.elasticity import GPA_PER_ATOMIC
from simulators.crystals.limits import energy_of, relax
from simulators.evaluator import EvaluationFailed

FloatArray = NDArray[np.float64]

VOLUME_STRAIN: Final = 0.02
"""Farthest volume from the relaxed one, relatively."""

POINTS: Final = 7
"""Volumes: three more than the fit has unknowns, so that a bad fit shows."""

FMAX: Final = 1e-3
"""Largest force that is left [eV/Å]: an error of about 1e-7 eV in energies that differ by 1e-3."""

REAL: Final = 1e-12
"""Imaginary part below which a root is real."""

MOST_LEFT: Final = 0.02
"""Largest root mean square of what the fit leaves, per spread of the energies: beyond it there is no such equation."""


def bulk_modulus(bench: Bench, volume_strain: float = VOLUME_STRAIN) -> float:
    """Return the bulk modulus of the crystal on the bench [GPa].

    Args:
        bench: The crystal.
        volume_strain: Farthest volume from the relaxed one, relatively; another one is another property.

    Raises:
        EvaluationFailed: When ions do not relax, or no minimum lies among the volumes.
    """
    relaxed = bench.relaxed()
    volumes, energies, steps = [], [], 0
    for ratio in np.linspace(1.0 - volume_strain, 1.0 + volume_strain, POINTS):
        atoms = relaxed.atoms.copy()
        atoms.set_cell(np.array(atoms.cell) * ratio ** (1.0 / 3.0), scale_atoms=True)
        atoms.calc = bench.choice.build()
        what = f"the crystal at {ratio:.3f} of its volume"
        steps += relax(what, atoms, FMAX, bench.limits).steps
        volumes.append(relaxed.volume * ratio)
        energies.append(energy_of(what, atoms) / len(atoms))
    modulus, left = fitted(np.array(volumes), np.array(energies))
    bench.notes["equation_of_state"] = (
        f"Birch-Murnaghan, {POINTS} volumes within {volume_strain:.0%}, shape kept, ions relaxed to {FMAX:g} eV/Å in"
        f" {steps} steps; the fit leaves {left:.2g} of the spread"
    )
    return modulus


def fitted(volumes: FloatArray, energies: FloatArray) -> tuple[float, float]:
    """Fit Birch and Murnaghan's equation to energies at volumes.

    Args:
        volumes: Shape (n,) [Å^3/atom].
        energies: Shape (n,) [eV/atom].

    Returns:
        The bulk modulus at the minimum [GPa], and the root mean square of what is left per spread of the energies.

    Raises:
        EvaluationFailed: CALCULATION_FAILED when the minimum is not among the volumes, or the equation does not fit.
    """
    middle = float(volumes.mean())
    y = (middle / volumes) ** (2.0 / 3.0) - 1.0
    curve = np.polynomial.Polynomial.fit(y, energies - energies.min(), 3)
    left = float(np.sqrt(np.mean((curve(y) - energies + energies.min()) ** 2)) / np.ptp(energies))
    slope, bend = curve.deriv(), curve.deriv(2)
    places = [float(root.real) for root in slope.roots() if abs(root.imag) < REAL and bend(root.real) > 0]
    inside = [place for place in places if y.min() <= place <= y.max()]
    if not inside or left > MOST_LEFT:
        found = f"leaves {left:.2g} of their spread" if inside else "has no minimum among them"
        raise EvaluationFailed(
            FailureReason.CALCULATION_FAILED,
            f"no equation of state: what fits the energies at {len(volumes)} volumes {found}",
        )
    bottom = inside[0]
    # At the minimum the slope is zero: d²E/dV² is d²E/dy² times (dy/dV)², with dy/dV = −(2/3)(y + 1)/V.
    volume = middle * (bottom + 1.0) ** -1.5
    return float(bend(bottom) * (2.0 / 3.0 * (bottom + 1.0)) ** 2 / volume) * GPA_PER_ATOMIC, left
