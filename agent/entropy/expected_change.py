"""The change of entropy to expect of a candidate whose value is predicted with a normal distribution, with its sign.

| here | meaning | shape |
|---|---|---|
| g(y) | what the value y adds to the entropy of the family, negative where it crowds in [nat], see `measure` | |
| μ, σ | mean and deviation of the value to come, noise included [unit of the property] | (c,) |
| E[g(Y)] | Y ~ N(μ, σ²) [nat] | (c,) |

E[g(Y)] = Σ_q ω_q g(μ + σ t_q), nodes, weights and table of g as `change_table` has them. Its brother
`expected_gain` counts a value that would lower the entropy as nothing, which is right for a policy that enriches one
family; where families are weighed against each other, what a redundant value costs counts too.

The error is below 2 % of the largest |E[g]| for deviations above a hundredth of the sample's
(tests/unit/agent/entropy/test_expected_change.py); g has kinks and narrow dips that even nodes may miss.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.entropy.change_table import REACH, ChangeTable, normal_nodes
from agent.entropy.measure import Added

FloatArray = NDArray[np.float64]

CHUNK_ROWS: Final = 8_192
"""Candidates of one block of nodes (2 MiB)."""


def expected_change(added: Added, sample: FloatArray, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Return E[g(Y)] of every candidate [nat].

    Args:
        added: What a value does to the sample.
        sample: The sample, ascending, shape (n,).
        mean: μ, finite, shape (c,), c ≥ 1.
        std: σ, finite and not negative, shape (c,).

    Returns:
        Shape (c,); zero everywhere when no value has a defined gain.
    """
    low, high = float((mean - REACH * std).min()), float((mean + REACH * std).max())
    table = ChangeTable(added, sample, low, high, undefined=0.0)
    nodes, weights = normal_nodes()
    changes = np.empty(len(mean))
    for start in range(0, len(mean), CHUNK_ROWS):
        at = slice(start, start + CHUNK_ROWS)
        changes[at] = table.at(mean[at], std[at], nodes) @ weights
    return changes
