"""The graph of all rows, as somebody brings it who knows the values of all rows: what the published method is told.

| here | meaning | shape |
|---|---|---|
| variables | names of the features, and last that of the target, which causes nothing | (d,) |
| weights | B, acyclic: B_ij is the effect of j on i [unit of i / unit of j] | (d, d) |

It is plain numbers and names (`as_options`, `of_options`), so that it stands among the options of a policy and in the
journal of a campaign: who reads the journal sees what was told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from agent.causal.graph.acyclic import require_acyclic
from agent.causal.graph.lingam import CausalGraph, fit_graph, fit_sample
from agent.causal.graph.prior_knowledge import PriorKnowledge
from agent.causal.graph.variables import Variables
from protocols.errors import SettingsError, TableError

FloatArray = NDArray[np.float64]

KEYS: Final = ("variables", "weights")
"""Of its plain form."""


@dataclass(frozen=True, slots=True, eq=False)
class GlobalGraph:
    """A graph of features and a target; made by `of_rows` or `of_options`, which check it.

    Attributes:
        knowledge: Names of the variables, the target last, and that it is a sink.
        weights: Shape (d, d).
    """

    knowledge: PriorKnowledge
    weights: FloatArray

    @classmethod
    def of_rows(cls, variables: Variables) -> Self:
        """Fit it to all rows, of which the last column is the target.

        Raises:
            TableError: When a column is constant or a linear function of others.
        """
        knowledge = _with_sink(variables.names)
        return cls(knowledge, fit_graph(variables, knowledge).weights)

    @classmethod
    def of_options(cls, options: object) -> Self:
        """Read its plain form.

        Raises:
            SettingsError: When it is not one.
        """
        if not isinstance(options, Mapping) or set(options) != set(KEYS):
            found = f"has {', '.join(map(str, options)) or 'nothing'}" if isinstance(options, Mapping) else "is none"
            raise SettingsError(f"The policy option global_graph {found}", expected=f"a table of {' and '.join(KEYS)}")
        names, rows = options["variables"], options["weights"]
        try:
            weights = np.array(rows, dtype=np.float64)
            require_acyclic(weights)
            knowledge = _with_sink(tuple(str(name) for name in names))
        except (TypeError, ValueError, TableError) as error:
            raise SettingsError(f"The policy option global_graph is no graph: {error}") from None
        d = len(knowledge.names)
        if weights.shape != (d, d) or d < 2 or len(set(knowledge.names)) < d or weights[:, -1].any():  # noqa: PLR2004
            raise SettingsError(
                f"The policy option global_graph has {d} variables and weights of the shape {weights.shape}",
                expected="different variables, the target last, and a row and a column of weights for each; the last "
                "column is 0, for the target causes nothing",
            )
        return cls(knowledge, weights)

    def as_options(self) -> dict[str, Any]:
        """Return its plain form."""
        return {"variables": list(self.names), "weights": self.weights.tolist()}

    @property
    def names(self) -> tuple[str, ...]:
        """Of the variables, the target last."""
        return self.knowledge.names

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return self.names[:-1]

    @property
    def target(self) -> str:
        """Name of the target."""
        return self.names[-1]

    def graph_of(self, rows: FloatArray) -> CausalGraph:
        """Return the graph of some rows, a column a variable, shape (n, d), n > d."""
        return fit_sample(Variables.of(self.names, rows), self.knowledge)


def _with_sink(names: tuple[str, ...]) -> PriorKnowledge:
    return PriorKnowledge.of(names, sinks=names[-1:])
