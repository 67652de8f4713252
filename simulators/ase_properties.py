"""The evaluator that calculates: relax the volume of a crystal with an ASE calculator and return its energy.

Only the volume is relaxed, by scaling the cell and all positions alike: every symmetry of the crystal, and with it its
crystal system, stays as the agent knows it. With x = ln(scale) and the stress σ of ASE, the slope of the energy is
dE/dx = V·tr σ; a bracketed secant search finds its zero.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from math import exp, isfinite, log, sqrt
from typing import TYPE_CHECKING, Final

from protocols.wire.messages import CandidateRequest, FailureReason, Quantity
from protocols.wire.structure import CrystalStructure
from simulators.calculators.catalogue import choose_calculator
from simulators.calculators.choice import CalculatorChoice, require_known_elements
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms

FORMATION_ENERGY: Final = "formation_energy_per_atom"
"""Energy per atom less that of the fcc elements, all at their relaxed volumes [eV/atom]."""

VOLUME: Final = "volume_per_atom"
"""Volume per atom after the relaxation [Å^3]."""

ASE_PROPERTIES: Final = (FORMATION_ENERGY, VOLUME)
"""Every property that this evaluator calculates."""

ASE_UNITS: Final = {FORMATION_ENERGY: "eV/atom", VOLUME: "Å^3"}
"""Property -> its unit."""

SLOPE_TOLERANCE: Final = 1e-3
"""Largest |dE/dx| per atom at the end [eV/atom]. With the curvature of a metal, 35 to 235 eV/atom, the error is below
2e-8 eV/atom in the energy and 1e-4 in the volume, relatively."""

METHOD_VERSION: Final = "1"
"""Goes up whenever the same crystal would get another value: values are kept by it (`simulators.cache`)."""

MAX_EVALUATIONS: Final = 30
"""Energy evaluations of one relaxation; four or five are usual, and bisection alone would need about 20."""

MAX_LOG_STEP: Final = 0.08
"""Longest step in x: 8 % in length, so that a bad first slope cannot jump into the repulsive wall."""

CURVATURE_PROBE: Final = 2e-3
"""Step in x that tells a minimum from a flat or a concave place when the first point has no slope already."""

SCALE_BOUNDS: Final = (0.6, 1.7)
"""Linear scale that a relaxation may reach: beyond it the start was no guess of this crystal."""

VOLUME_BOUNDS: Final = (0.25, 8.0)
"""Volume per atom that we start from, per volume of the fcc elements: a cell far too dense would have neighbours
without end, and one far too thin has none."""

REFERENCE_CURVATURE: Final = 90.0
"""First guess of d²E/dx² = 9·B·V of an element [eV/atom]: 100 GPa at 16 Å³; corrected at the first step."""


@dataclass(frozen=True, slots=True)
class RelaxedCrystal:
    """A crystal at zero pressure.

    Attributes:
        energy: [eV/atom].
        volume: [Å^3/atom].
        curvature: d²E/dx² at the end, a secant [eV/atom].
        evaluations: How many energies it took.
    """

    energy: float
    volume: float
    curvature: float
    evaluations: int


@dataclass(frozen=True, slots=True)
class _Point:
    x: float
    energy: float
    slope: float


class AseProperties:
    """Evaluates crystals with one calculator of `simulators.calculators`.

    Args:
        calculator: A name of the list.
        parameters: Its parameters; none for its defaults.

    Raises:
        SettingsError: When the list has no such calculator or it has no such parameter.
    """

    def __init__(self, calculator: str = "emt", parameters: Mapping[str, object] | None = None) -> None:
        self._choice: Final[CalculatorChoice] = choose_calculator(calculator, parameters)
        self._parameters: Final = dict(parameters or {})
        self._references: Final[dict[str, RelaxedCrystal]] = {}

    def evaluate(self, request: CandidateRequest) -> tuple[Quantity, ...]:
        """Return both properties of the requested crystal.

        Raises:
            EvaluationFailed: INVALID_REQUEST without a structure; UNSUPPORTED for a property or an element that we
                do not know; CALCULATION_FAILED when the relaxation finds no minimum.
        """
        unknown = sorted(set(request.properties) - set(ASE_PROPERTIES))
        if unknown:
            raise EvaluationFailed(
                FailureReason.UNSUPPORTED,
                f"asked for {', '.join(unknown)}; this simulator calculates only {', '.join(ASE_PROPERTIES)}",
            )
        if request.structure is None:
            raise EvaluationFailed(
                FailureReason.INVALID_REQUEST, "the request has no structure; a calculation needs cell and positions"
            )
        return self.calculate(request.structure)

    def identity(self) -> Mapping[str, str]:
        """Return what names every value: method, calculator with parameters, versions (`NamedEvaluator`)."""
        return {
            "evaluator": "ase",
            "method_version": METHOD_VERSION,
            "calculator": self._choice.name,
            "parameters": json.dumps(self._parameters, sort_keys=True),
            "version_ase": version("ase"),
            **{f"calculator_{name}": told for name, told in self._choice.provenance.items()},
        }

    def calculate(self, structure: CrystalStructure) -> tuple[Quantity, ...]:
        """Return both properties of a crystal; `evaluate` without the envelope.

        Raises:
            EvaluationFailed: UNSUPPORTED or CALCULATION_FAILED, as in `evaluate`.
        """
        require_known_elements(self._choice, structure.symbols)
        references = [self.reference(symbol) for symbol in structure.symbols]
        count = len(references)
        elements_volume = sum(reference.volume for reference in references) / count
        _require_plausible_volume(structure.volume / count, elements_volume)
        # An alloy's curvature follows the average of its elements within some 20 %: a good first guess.
        curvature = sum(reference.curvature for reference in references) / count
        relaxed = self._relax(structure.to_ase(), curvature)
        elements_energy = sum(reference.energy for reference in references) / count
        return (
            Quantity(name=FORMATION_ENERGY, value=relaxed.energy - elements_energy, unit=ASE_UNITS[FORMATION_ENERGY]),
            Quantity(name=VOLUME, value=relaxed.volume, unit=ASE_UNITS[VOLUME]),
        )

    def reference(self, symbol: str) -> RelaxedCrystal:
        """Return the element as an fcc crystal, relaxed once and remembered.

        Raises:
            EvaluationFailed: UNSUPPORTED for an element that the calculator does not know.
        """
        require_known_elements(self._choice, (symbol,))
        if symbol not in self._references:
            from ase.build import bulk

            edge = sqrt(2.0) * self._choice.contact_distance(symbol)
            self._references[symbol] = self._relax(bulk(symbol, "fcc", a=edge), REFERENCE_CURVATURE)
        return self._references[symbol]

    def _relax(self, atoms: Atoms, curvature: float) -> RelaxedCrystal:
        import numpy as np

        atoms.calc = self._choice.build()
        cell = np.array(atoms.cell)
        count = len(atoms)
        evaluations = 0

        def at(x: float) -> _Point:
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
                    f"the {self._choice.name} energy is not finite at {exp(x):.3f} of the given lengths",
                )
            return _Point(x, energy, slope)

        bottom, curvature = _minimum(at, curvature)
        volume = float(abs(np.linalg.det(cell))) * exp(3.0 * bottom.x) / count
        return RelaxedCrystal(bottom.energy, volume, curvature, evaluations)


def _require_plausible_volume(volume: float, elements_volume: float) -> None:
    ratio = volume / elements_volume
    low, high = VOLUME_BOUNDS
    if not low <= ratio <= high:
        raise EvaluationFailed(
            FailureReason.CALCULATION_FAILED,
            f"the structure has {volume:.3g} Å^3 an atom, {ratio:.3g} times that of its elements;"
            f" expected {low:g} to {high:g} times",
        )


def _minimum(at: Callable[[float], _Point], curvature: float) -> tuple[_Point, float]:
    """Find where the slope vanishes and the curvature is positive, by secant steps kept inside their bracket.

    Args:
        at: Energy and slope at x = ln(scale).
        curvature: First guess of d²E/dx² [eV/atom], positive.

    Returns:
        The minimum and the last secant curvature.
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


def _next_x(point: _Point, curvature: float, *, known_curvature: bool, bracket: tuple[float, float]) -> float:
    """Return the next place to look: a Newton step, shortened, and halved into the bracket when it leaves it."""
    below, above = bracket
    if abs(point.slope) <= SLOPE_TOLERANCE and not known_curvature:
        return point.x + CURVATURE_PROBE
    step = max(-MAX_LOG_STEP, min(MAX_LOG_STEP, -point.slope / curvature))
    if below < point.x + step < above:
        return point.x + step
    return 0.5 * (below + above)
