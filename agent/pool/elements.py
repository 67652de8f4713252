"""Of which elements a candidate is, as far as anybody says."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from agent.pool.candidates import Candidate
from protocols.structures.formulas import FormulaError, read_formula

FORMULAS_KEPT: Final = 10_000
"""Formulas whose elements are remembered: those of most pools, in a megabyte."""


def elements_of(candidate: Candidate) -> frozenset[str] | None:
    """Return the symbols of a candidate's elements: those of its structure and of its formula; None where nobody says.

    Where the two differ, all of both count: what must not be touched is then in neither.
    """
    told = [] if candidate.structure is None else [frozenset(candidate.structure.symbols)]
    if candidate.formula and (found := _elements_in(candidate.formula)) is not None:
        told.append(found)
    return frozenset().union(*told) if told else None


@lru_cache(maxsize=FORMULAS_KEPT)
def _elements_in(formula: str) -> frozenset[str] | None:
    try:
        return frozenset(read_formula(formula))
    except FormulaError:
        return None
