"""One crystal on the bench: what several properties need of it is made once, and what was done is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protocols.wire.structure import CrystalStructure
from simulators.calculators.choice import CalculatorChoice
from simulators.crystals.elements import Elements
from simulators.crystals.limits import Limits
from simulators.crystals.relaxed_cell import RelaxedCell, relax_cell
from simulators.crystals.settings import CrystalSettings
from simulators.crystals.shape_kept import USUAL_CURVATURE, ShapeKept, relax_volume

if TYPE_CHECKING:
    from simulators.crystals.elasticity import ElasticTensor


@dataclass(slots=True, eq=False)
class Bench:
    """A crystal, a calculator, and what was made of the two so far.

    Attributes:
        choice: The calculator.
        structure: The crystal as it was given.
        settings: What is relaxed, and how far.
        elements: References of the calculator.
        limits: Steps and time of this evaluation.
        notes: What was done, in short texts and numbers, by name.
    """

    choice: CalculatorChoice
    structure: CrystalStructure
    settings: CrystalSettings
    elements: Elements
    limits: Limits
    notes: dict[str, str | float] = field(default_factory=dict)
    elastic: ElasticTensor | None = None
    """The elastic tensor, once somebody asked (`elasticity.elastic_tensor`)."""
    _shape_kept: ShapeKept | None = None
    _relaxed: RelaxedCell | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Chemical symbols, one an atom."""
        return self.structure.symbols

    def shape_kept(self) -> ShapeKept:
        """Return the crystal at the volume of zero pressure, of the shape that was given."""
        if self._shape_kept is None:
            packed = [self.elements.packed(symbol) for symbol in self.symbols]
            # An alloy's curvature follows the average of its elements within some 20 %: a good first guess.
            curvature = sum(USUAL_CURVATURE if each is None else each.curvature for each in packed) / len(packed)
            self._shape_kept = relax_volume(self.choice, self.structure.to_ase(), curvature)
        return self._shape_kept

    def relaxed(self) -> RelaxedCell:
        """Return the crystal relaxed in all."""
        if self._relaxed is None:
            self._relaxed = relax_cell(self.choice, self.shape_kept(), self.settings.fmax, self.limits)
        return self._relaxed

    def of_energies(self) -> ShapeKept | RelaxedCell:
        """Return the crystal that energies and volumes are told of, as the settings say."""
        return self.relaxed() if self.settings.relaxation == "cell" else self.shape_kept()

    def ended(self) -> ShapeKept | RelaxedCell:
        """Return the crystal as it ended: relaxed in all where anything asked for that."""
        return self._relaxed or self.shape_kept()
