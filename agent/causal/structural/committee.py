"""A committee of causal graphs: each member believes a bootstrap of the passive rows, and says what effects they imply.

| here | meaning | shape |
|---|---|---|
| X | passive rows, then rows in which one variable was set; in deviations of each over the passive rows | (n, d) |
| o_b | causal order that member b finds in its bootstrap of the passive rows | (d,) |
| B_b | direct effects: least squares on those before, over the rows in which a variable was not set | (d, d) |
| T_b | total effects on the target, its row of (I − B_b)⁻¹ (`graph.effects`) | (d,) |

An order comes from the passive rows alone: in a row with an intervention the variable that was set has no cause. The
weights use both, for an equation holds whatever else is set. Those that cannot be told from zero are cut.

What all members believe alike may still be wrong: a confounder that nobody measured bends every one of them the same
way. `effects.belief_of` therefore learns from the interventions how far the committee may be off.

References: S. Shimizu et al., J. Mach. Learn. Res. 12, 1225 (2011), for the order; B. Efron, Ann. Stat. 7, 1 (1979).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.bootstrap import GraphSamples
from agent.causal.graph.lingam import causal_order
from agent.causal.graph.prior_knowledge import PriorKnowledge
from agent.causal.graph.variables import Variables, standardise

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

MEMBERS: Final = 20
"""Graphs: their covariance of eight effects then has 19 degrees of freedom; twice as many changed no figure."""

T_CUT: Final = 2.0
"""A weight is cut below so many of its standard errors."""

MEMBER_STREAM: Final = 71
"""Stream of random numbers of the members' bootstraps, which are a part of the model and no choice of a campaign."""

NOT_SET: Final = -1
"""Stands for a passive row in `set_variable`."""

LEAST_VARIANCE: Final = 1e-12
"""Smallest variance of a residual [variance of the variable]: below it is rounding."""


class Committee:
    """Members that agree on the passive rows up to chance.

    Args:
        names: Of the variables, length d.
        passive: Rows without an intervention, shape (r, d), more than d of them.
        target: Position of the variable that effects are asked on; it causes nothing.
        members: How many.

    Attributes:
        possible: Whether column j may act on row i: not on itself, and the target on nothing, shape (d, d).
    """

    def __init__(self, names: tuple[str, ...], passive: FloatArray, target: int, members: int = MEMBERS) -> None:
        self._names = names
        self._draws = [
            np.random.default_rng([MEMBER_STREAM, member]).integers(0, len(passive), len(passive))
            for member in range(members)
        ]
        known = PriorKnowledge.of(names, sinks=(names[target],))
        self.possible = known.allowed
        self._orders = [_order(names, passive[drawn], known) for drawn in self._draws]
        self._sd = passive.std(axis=0)  # not zero: a constant has no order
        self._passive = passive / self._sd

    def graphs(self, rows: FloatArray, set_variable: IndexArray) -> GraphSamples:
        """Return the graph that each member believes in.

        Its weights are in the units of the variables.

        Args:
            rows: With an intervention, shape (k, d).
            set_variable: Position of the variable that was set in each, shape (k,).
        """
        found = np.empty((len(self._orders), len(self._names), len(self._names)))
        for member, (drawn, order) in enumerate(zip(self._draws, self._orders, strict=True)):
            kept = np.random.default_rng([MEMBER_STREAM, member, len(rows)]).integers(0, max(len(rows), 1), len(rows))
            X = np.vstack((self._passive[drawn], rows[kept] / self._sd))
            were_set = np.concatenate((np.full(len(drawn), NOT_SET), set_variable[kept]))
            found[member] = _direct_effects(X, were_set, order) * (self._sd[:, None] / self._sd)
        return GraphSamples(self._names, found)


def _order(names: tuple[str, ...], rows: FloatArray, known: PriorKnowledge) -> list[int]:
    columns = standardise(Variables.of(names, rows))
    order, _ = causal_order(columns.Z, columns.correlations, known)
    return order


def _direct_effects(X: FloatArray, were_set: IndexArray, order: list[int]) -> FloatArray:
    """Return B of an order by least squares with an intercept, from sums of products."""
    d = X.shape[1]
    A = np.column_stack((np.ones(len(X)), X))
    products = A.T @ A
    B = np.zeros((d, d))
    for place in range(1, d):
        i, before = order[place], order[:place]
        is_set = were_set == i
        G = products - A[is_set].T @ A[is_set]
        columns = [0, *(j + 1 for j in before)]
        inverse = np.linalg.pinv(G[np.ix_(columns, columns)], hermitian=True)
        beta = inverse @ G[columns, i + 1]
        freedom = max(len(X) - int(is_set.sum()) - len(columns), 1)
        residual = max(float(G[i + 1, i + 1] - beta @ G[columns, i + 1]) / freedom, LEAST_VARIANCE)
        errors = np.sqrt(residual * np.maximum(inverse.diagonal(), LEAST_VARIANCE))
        beta[np.abs(beta) < T_CUT * errors] = 0.0
        B[i, before] = beta[1:]
    return B
