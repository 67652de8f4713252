"""Relaxes the volume of a crystal alone, by scaling the cell and all positions alike.

Every symmetry of the crystal, and with it its crystal system, stays as the agent knows it. With x = ln(scale) and the
stress σ of ASE, the slope of the energy is dE/dx = V·tr σ; a bracketed secant search finds its zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, isfinite, log
from typing import TYPE_CHECKING, Final

import numpy as np

from protocols.wire.messages import FailureReason
from simulators.calculators.choice import CalculatorChoice
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms

SLOPE_TOLERANCE: Final = 1e-3
"""Largest |dE/dx| per atom at the end [eV/atom]. With the curvature of a metal, 35 to 235 eV/atom, the error is below
2e-8 eV/atom in the energy and 1e-4 in the volume, relatively."""

MAX_EVALUATIONS: Final = 30
"""Energy evaluations of one relaxation; four or five are usual, and bisection alone would need about 20."""

MAX_LOG_STEP: Final = 0.08
"""Longest step in x: 8 % in length, so that a bad first slope cannot jump into the repulsive wall."""

CURVATURE_PROBE: Final = 2e-3
"""Step in x that tells a minimum from a flat or a concave place when the first point has no slope already."""

SCALE_BOUNDS: Final = (0.6, 1.7)
"""Linear scale that a relaxation may reach: beyond it the start was no guess of this crystal."""

USUAL_CURVATURE: Final = 90.0
"""First guess of d²E/dx² = 9·B·V of an element [eV/atom]: 100 GPa at 16 Å³; corrected at the first step."""


@dataclass(frozen=True, slots=True)
class ShapeKept:
    """A crystal at zero pressure, of the shape that it had.

    Attributes:
        atoms: The crystal, without a calculator.
        energy: [eV/atom].
        volume: [Å^3/atom].
        slope: What is left of dE/dx [eV/atom].
        curvature: d²E/dx² at the end, a secant [eV/atom].
        evaluations: How many energies it took.
    """

    atoms: Atoms
    energy: float
    volume: float
    slope: float
    curvature: float
    evaluations: int


@dataclass(frozen=True, slots=True)
class Point:
    """Energy and its slope dE/dx, both per atom [eV/atom], at x = ln(scale)."""

    x: float
    energy: float
    slope: float


def relax_volume(choice: CalculatorChoice, atoms: Atoms, curvature: float = USUAL_CURVATURE) -> ShapeKept:
    """Return the crystal at the volume of zero pressure; `atoms` are scaled in place.

    Args:
        choice: The calculator.
        atoms: The crystal.
        curvature: First guess of d²E/dx² [eV/atom], positive.

    Raises:
        EvaluationFailed: CALCULATION_FAILED when an energy is not finite, or there is no such volume.
    """
    atoms.calc = choice.build()
    cell = np.array(atoms.cell)
    count = len(atoms)
    evaluations = 0

    def at(x: float) -> Point:
        nonlocal evaluations
        evaluations += 1
        atoms.set_cell(cell * exp(x), scale_atoms=True)
        # Atoms on top of each other divide by zero; the check for finite numbers reports it.
        with np.errstate(all="ignore"):
            energy = float(atoms.get_potential_energy()) / count
            slope = float(atoms.get_volume() * np.sum(atoms.get_stress()[:3])) / count
        if not (isfinite(energy) and isfinite(slope)):
            raise EvaluationFailed(
                FailureReason.CALCULATION_FAILED,
                f"the {choice.name} energy is not finite at {exp(x):.3f} of the given lengths",
            )
        return Point(x, energy, slope)

    bottom, curvature = minimum(at, curvature)
    atoms.calc = None
    volume = float(abs(np.linalg.det(cell))) * exp(3.0 * bottom.x) / count
    return ShapeKept(atoms, bottom.energy, volume, bottom.slope, curvature, evaluations)


def minimum(at: Callable[[float], Point], curvature: float) -> tuple[Point, float]:
    """Find where the slope vanishes and the curvature is positive, by secant steps kept inside their bracket.

    Args:
        at: Energy and slope at x = ln(scale).
        curvature: First guess of d²E/dx² [eV/atom], positive.

    Returns:
        The minimum and the last secant curvature.

    Raises:
        EvaluationFailed: CALCULATION_FAILED when there is none within `SCALE_BOUNDS`.
    """
    lowest, highest = (log(bound) for bound in SCALE_BOUNDS)
    point, known_curvature = at(0.0), False
    below, above = lowest, highest
    for _ in range(MAX_EVALUATIONS - 1):
        if abs(point.slope) <= SLOPE_TOLERANCE and known_curvature:
            return point, curvature
        if point.slope < -SLOPE_TOLERANCE:
            below = point.x
        elif point.slope > SLOPE_TOLERANCE:
            above = point.x
        following = at(_next_x(point, curvature, known_curvature=known_curvature, bracket=(below, above)))
        secant = (following.slope - point.slope) / (following.x - point.x)
        known_curvature = secant > 0
        curvature = secant if known_curvature else curvature
        point = following
        if not lowest + CURVATURE_PROBE < point.x < highest - CURVATURE_PROBE:
            break
    low, high = SCALE_BOUNDS
    raise EvaluationFailed(
        FailureReason.CALCULATION_FAILED,
        f"no volume without pressure was found: slope {point.slope:.3g} eV/atom at {exp(point.x):.3f} of the given"
        f" lengths; searched {low:g} to {high:g} times them with at most {MAX_EVALUATIONS} energies",
    )


def _next_x(point: Point, curvature: float, *, known_curvature: bool, bracket: tuple[float, float]) -> float:
    """Return the next place to look: a Newton step, shortened, and halved into the bracket when it leaves it."""
    below, above = bracket
    if abs(point.slope) <= SLOPE_TOLERANCE and not known_curvature:
        return point.x + CURVATURE_PROBE
    step = max(-MAX_LOG_STEP, min(MAX_LOG_STEP, -point.slope / curvature))
    if below < point.x + step < above:
        return point.x + step
    return 0.5 * (below + above)
