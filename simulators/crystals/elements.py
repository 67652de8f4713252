"""The elements that formation energies are counted from: each in its own ground state by the calculator.

Candidates are the crystals that elements have as one or two atoms a primitive cell (fcc, hcp, bcc, diamond, simple
cubic). Each is relaxed by the calculator, the lowest is kept, and an element is relaxed once by an evaluator. By
effective medium theory, hcp is the lowest of Al, Cu, Ni, Pd and Pt, by 0.5 to 4 meV/atom.

A reference that would be nonsense is refused by the name of the element: where nature's ground state is none of the
candidates (chlorine is a crystal of molecules), where no candidate binds, and where the calculator puts nature's ground
state far above another (a pair potential packs silicon closely).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Final

from protocols.wire.messages import FailureReason
from simulators.calculators.choice import CalculatorChoice, require_known_elements
from simulators.crystals.limits import Limits, energy_of
from simulators.crystals.relaxed_cell import relax_cell
from simulators.crystals.shape_kept import SCALE_BOUNDS, USUAL_CURVATURE, ShapeKept, relax_volume
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms

EDGE_PER_CONTACT: Final = {"fcc": sqrt(2.0), "hcp": 1.0, "bcc": 2.0 / sqrt(3.0), "sc": 1.0, "diamond": 4.0 / sqrt(3.0)}
"""Candidate -> lattice constant a per nearest-neighbour distance."""

FREE_SHAPE: Final = frozenset({"hcp"})
"""Candidates whose shape the symmetry leaves free: c/a is relaxed too."""

FMAX: Final = 1e-4
"""Largest force, and virial an atom, of a relaxed reference [eV/Å, eV]: an error of about 1e-9 eV/atom."""

SHARE_ABOVE: Final = 0.2
"""How far above the calculator's ground state that of nature may lie [binding energy]: EMT has 0.001 of it (fcc copper
above hcp), pair potentials 0.05 (bcc above fcc) and more than 0.5 (diamond above hcp)."""

OTHER_GROUND_STATES: Final = {"C": "graphite"}
"""Elements whose ground state is another crystal than ASE's table of them says."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An element in its ground state.

    Attributes:
        crystal: Which of the candidates.
        energy: [eV/atom].
    """

    crystal: str
    energy: float


@dataclass(frozen=True, slots=True)
class _Relaxed:
    energy: float
    binding: float


@dataclass(slots=True, eq=False)
class Elements:
    """The elements by one calculator, each relaxed once and remembered.

    Attributes:
        choice: The calculator.
    """

    choice: CalculatorChoice
    _references: dict[str, Reference | EvaluationFailed] = field(default_factory=dict)
    _packed: dict[str, ShapeKept | None] = field(default_factory=dict)

    def reference(self, symbol: str, limits: Limits) -> Reference:
        """Return an element in its ground state.

        Raises:
            EvaluationFailed: UNSUPPORTED, with the name of the element, when it has no reference by this calculator.
        """
        require_known_elements(self.choice, (symbol,))
        if symbol not in self._references:
            self._references[symbol] = self._found(symbol, limits)
        found = self._references[symbol]
        if isinstance(found, EvaluationFailed):
            raise EvaluationFailed(found.reason, found.detail)
        return found

    def packed(self, symbol: str) -> ShapeKept | None:
        """Return the element as an fcc crystal, a first guess of curvature and volume; None where it has none."""
        require_known_elements(self.choice, (symbol,))
        if symbol not in self._packed:
            self._packed[symbol] = self._volume_relaxed(symbol, "fcc")
        return self._packed[symbol]

    def _found(self, symbol: str, limits: Limits) -> Reference | EvaluationFailed:
        natural = _natural(symbol)
        if natural not in EDGE_PER_CONTACT:
            return _nonsense(symbol, f"its ground state ({natural}) is none of {', '.join(EDGE_PER_CONTACT)}")
        known = {crystal: self._candidate(symbol, crystal, limits) for crystal in EDGE_PER_CONTACT}
        bound = {crystal: each for crystal, each in known.items() if each is not None and each.binding > 0}
        if not bound:
            return _nonsense(symbol, f"by {self.choice.name}, none of {', '.join(EDGE_PER_CONTACT)} binds")
        lowest = min(bound, key=lambda crystal: bound[crystal].energy)
        ground = bound[lowest]
        above = float("inf") if natural not in bound else bound[natural].energy - ground.energy
        if above > SHARE_ABOVE * ground.binding:
            how_far = "does not bind" if natural not in bound else f"lies {above:.3g} eV/atom above {lowest}"
            return _nonsense(symbol, f"by {self.choice.name}, its ground state ({natural}) {how_far}")
        return Reference(lowest, ground.energy)

    def _candidate(self, symbol: str, crystal: str, limits: Limits) -> _Relaxed | None:
        found = self.packed(symbol) if crystal == "fcc" else self._volume_relaxed(symbol, crystal)
        if found is None:
            return None
        energy = found.energy
        if crystal in FREE_SHAPE:
            try:
                energy = relax_cell(self.choice, found, FMAX, limits).energy
            except EvaluationFailed as failure:
                if failure.reason is FailureReason.DEADLINE_EXCEEDED:
                    raise
                return None
        return _Relaxed(energy, self._apart(found.atoms) - energy)

    def _apart(self, atoms: Atoms) -> float:
        """Return the energy of the crystal drawn out as far as a relaxation goes [eV/atom]."""
        drawn = atoms.copy()
        drawn.set_cell(drawn.cell * SCALE_BOUNDS[1], scale_atoms=True)
        drawn.calc = self.choice.build()
        return energy_of("an element drawn apart", drawn) / len(drawn)

    def _volume_relaxed(self, symbol: str, crystal: str) -> ShapeKept | None:
        from ase.build import bulk

        edge = EDGE_PER_CONTACT[crystal] * self.choice.contact_distance(symbol)
        try:
            return relax_volume(self.choice, bulk(symbol, crystal, a=edge), USUAL_CURVATURE)
        except EvaluationFailed:
            return None


def _natural(symbol: str) -> str:
    """Return what an element is in its ground state, in the words of ASE's table (C. Kittel, of cold crystals)."""
    from ase.data import atomic_numbers, reference_states

    known = reference_states[atomic_numbers[symbol]] or {}
    return OTHER_GROUND_STATES.get(symbol) or str(known.get("symmetry") or "not known")


def _nonsense(symbol: str, why: str) -> EvaluationFailed:
    return EvaluationFailed(
        FailureReason.UNSUPPORTED,
        f"{symbol} has no reference that formation energies could be counted from: {why}; ask for energy_per_atom",
    )
