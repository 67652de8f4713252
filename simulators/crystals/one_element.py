"""Crystals of one element on equal sites: of what a surface and a vacancy have a meaning without further choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wire.messages import FailureReason
from simulators.crystals.bench import Bench
from simulators.crystals.standard_axes import conventional_cell, symmetry_of
from simulators.evaluator import EvaluationFailed

if TYPE_CHECKING:
    from ase import Atoms


def conventional_of_one_element(bench: Bench, what: str, choice: str) -> Atoms:
    """Return the standard conventional cell of the relaxed crystal, of one element on sites that are all alike.

    Args:
        bench: The crystal.
        what: Is asked for, for the message.
        choice: What would have to be chosen otherwise.

    Raises:
        EvaluationFailed: UNSUPPORTED when it has several elements, or several kinds of sites.
    """
    elements = sorted(set(bench.symbols))
    if len(elements) > 1:
        raise EvaluationFailed(
            FailureReason.UNSUPPORTED, f"{what} of {', '.join(elements)} depends on {choice}; expected one element"
        )
    atoms = bench.relaxed().atoms
    kinds = len(set(symmetry_of(atoms).equivalent_atoms))
    if kinds > 1:
        raise EvaluationFailed(
            FailureReason.UNSUPPORTED,
            f"the crystal has {kinds} kinds of sites, and {what} depends on which; expected one",
        )
    return conventional_cell(atoms)
