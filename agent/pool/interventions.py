"""Interventions as candidates: each sets one variable of a system to a value, and all others are measured.

Beside them stand rows in which nothing was set. They cost nothing, and what they show of causes may be the doing of
something that nobody measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Interventions:
    """What the candidates of a pool set.

    Attributes:
        variables: Names, length d; those that are measured are properties of the campaign.
        target: Position of the variable that effects are asked on.
        variable: Position of the variable that each candidate sets, shape (n,).
        value: What it sets it to, shape (n,).
        passive: Rows without an intervention, shape (r, d).
    """

    variables: tuple[str, ...]
    target: int
    variable: NDArray[np.int64]
    value: NDArray[np.float64]
    passive: NDArray[np.float64]
