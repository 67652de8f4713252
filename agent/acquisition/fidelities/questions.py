"""Which rows of a pool may be asked for now: each measures a candidate by a method, for the first time or again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.acquisition.base import IndexArray
from agent.acquisition.fidelities.history import FidelityHistory
from agent.acquisition.fidelities.moment import Moment


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """Rows that may be asked for.

    Attributes:
        rows: Pool indices, ascending, shape (a,).
        candidate: Of each, as index of its target row, shape (a,).
        method: Of each, shape (a,).
        place: Of each candidate in the process, shape (a,).
        is_again: Whether a value of this candidate by this method is known or in flight, shape (a,).
    """

    rows: IndexArray
    candidate: IndexArray
    method: IndexArray
    place: IndexArray
    is_again: np.typing.NDArray[np.bool_]

    def where(self, kept: np.typing.NDArray[np.bool_]) -> Questions:
        """Return some of them."""
        return Questions(
            self.rows[kept], self.candidate[kept], self.method[kept], self.place[kept], self.is_again[kept]
        )


def questions_of(history: FidelityHistory, moment: Moment, available: IndexArray) -> Questions:
    """Return what may be asked for: what the budget pays, of candidates that are looked at, the next repetition.

    A value is asked for again only where its noise is known: without any it would come back the same.

    Args:
        history: What is known.
        moment: And in flight.
        available: Pool indices that may be chosen, ascending.
    """
    fidelities = history.fidelities
    rows = available[fidelities.cost[available] <= moment.cost_left]
    candidate, method = fidelities.candidate[rows], fidelities.method[rows]
    place = np.minimum(np.searchsorted(history.active, candidate), len(history.active) - 1)
    times = moment.asked[method, candidate]
    found = Questions(rows, candidate, method, place, times > 0)
    is_next = fidelities.replicate[rows] == times
    tells = (times == 0) | (history.noise[method] > 0.0)
    return found.where((history.active[place] == candidate) & is_next & tells)


def next_pair(questions: Questions, moment: Moment, method: int, pairs: int) -> int | None:
    """Return the row that makes the next pair of values of one candidate, cheap and dear; None where there are enough.

    Pairs are spread over the dear values that are known, from the least to the greatest: how a cheap value goes with
    the dear one shows where these differ.

    Args:
        questions: What may be asked for.
        moment: What is known.
        method: The cheap method.
        pairs: How many are wanted.
    """
    known = moment.known
    wanted, have = min(pairs, len(known)), int(np.count_nonzero(moment.asked[method, known]))
    at = np.flatnonzero((questions.method == method) & ~questions.is_again & np.isin(questions.candidate, known))
    if have >= wanted or len(at) == 0:
        return None
    rank = np.empty(len(known))
    rank[np.argsort(moment.values, kind="stable")] = np.arange(len(known)) + 0.5
    off = np.abs(rank[np.searchsorted(known, questions.candidate[at])] - (have + 0.5) / wanted * len(known))
    return int(questions.rows[at[np.argmin(off)]])
