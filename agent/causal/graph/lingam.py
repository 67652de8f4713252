"""DirectLiNGAM: the causal order of linear, non-Gaussian, acyclic variables, and the weights that follow from it.

| here | meaning | shape |
|---|---|---|
| X | rows; x = B x + e, B a triangle in the causal order, e independent and at most one of them Gaussian | (n, d) |
| Z | X of mean 0 and variance 1 | (d, n) |
| S | covariances of Z | (d, d) |

The first of the variables, by `likelihood_ratio` and what is known, gets its place; the others are replaced by their
residuals on it; and so on: the algorithm of Shimizu et al. with the measure of Hyvärinen and Smith. Then each variable
gets weights on those before it, by `adaptive_lasso`.

A variable that is a linear function of those in the order comes next, and causes nothing: what it is made of does.
`fit_graph` refuses such variables; `fit_sample` is for samples of rows that were admitted, in which chance makes a
variable constant or the multiple of another.

References: S. Shimizu et al., J. Mach. Learn. Res. 12, 1225 (2011); A. Hyvärinen, S. M. Smith, J. Mach. Learn. Res. 14,
111 (2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.adaptive_lasso import adaptive_lasso
from agent.causal.graph.collinearity import require_independent
from agent.causal.graph.likelihood_ratio import Residuals
from agent.causal.graph.prior_knowledge import PriorKnowledge
from agent.causal.graph.variables import Standardised, Variables, standardise
from protocols.errors import SettingsError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CausalGraph:
    """An acyclic graph with weights.

    Attributes:
        names: Of the variables.
        order: Places of the variables, causes before effects.
        weights: B, shape (d, d): B_ij is the direct effect of j on i [unit of i / unit of j]; 0 where there is none.
    """

    names: tuple[str, ...]
    order: tuple[int, ...]
    weights: FloatArray


def fit_graph(variables: Variables, knowledge: PriorKnowledge | None = None) -> CausalGraph:
    """Find the graph of variables, none of which is constant or a linear function of others.

    Args:
        variables: Rows.
        knowledge: What is known of the graph.

    Raises:
        TableError: When a variable is constant or a linear function of others (`collinearity.prune` leaves them out).
        SettingsError: When the knowledge is about other columns.
    """
    columns = standardise(variables)
    require_independent(variables, columns)
    return _fit(variables.names, columns, knowledge)


def fit_sample(variables: Variables, knowledge: PriorKnowledge | None = None) -> CausalGraph:
    """Find the graph of a sample, in which variables may happen to be constant or linear functions of others.

    Args:
        variables: Rows.
        knowledge: What is known of the graph.

    Raises:
        SettingsError: When the knowledge is about other columns.
    """
    return _fit(variables.names, standardise(variables), knowledge)


def _fit(names: tuple[str, ...], columns: Standardised, knowledge: PriorKnowledge | None) -> CausalGraph:
    known = PriorKnowledge.of(names) if knowledge is None else knowledge
    if known.names != names:
        raise SettingsError(
            f"The prior knowledge is about the columns {', '.join(known.names)}",
            expected=f"knowledge about {', '.join(names)}, in this order",
        )
    S, scale, n = columns.correlations, columns.scale, columns.Z.shape[1]
    order, determined = causal_order(columns.Z, S, known)
    weights = np.zeros_like(S)
    for place, i in enumerate(order):
        causes = [j for j in order[:place] if known.allowed[i, j] and j not in determined]
        if causes and scale[i] > 0.0:
            unshrunk = known.required[i, causes]
            beta = adaptive_lasso(S[np.ix_(causes, causes)], S[causes, i], n, float(scale[i]), unshrunk)
            weights[i, causes] = beta * scale[i] / scale[causes]
    return CausalGraph(names, tuple(order), weights)


def causal_order(Z: FloatArray, S: FloatArray, known: PriorKnowledge) -> tuple[list[int], set[int]]:
    """Return places of the variables, causes before effects, and which of them are linear functions of others.

    Args:
        Z: Variables of mean 0 and variance 1 (or 0), shape (d, n).
        S: Their covariances, shape (d, d).
        known: What is known of the graph.
    """
    residuals = Residuals(Z, S)
    left = list(range(len(Z)))
    order: list[int] = []
    determined: set[int] = set()
    while left:
        functions = residuals.determined(left)
        determined.update(functions)
        left = [i for i in left if i not in determined]
        order += functions
        if left:
            m = residuals.take_first(left, known.first_among(left))
            left.remove(m)
            order.append(m)
    return order, determined
