"""What pictures of lines over observations share: how lines are told apart, how many points are drawn, and their axis.

Beyond the seven colours of `look`, lines differ by style. matplotlib is used without its global state (no pyplot), and
imported only when something is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scenarios.display.figure_style import OKABE_ITO

FloatArray = NDArray[np.float64]

LINE_STYLES: Final = ("-", (0, (5, 1.6)))
"""The first seven families are drawn through, the next seven dashed."""

MAX_DRAWN_STEPS: Final = 900
"""Most observations drawn of a trajectory: a pixel holds no more."""

OBSERVATION_LABEL: Final = "Observation"

COST_LABEL: Final = "Cost [unit of the budget]"
"""Of the axis where measurements have costs."""


def look(index: int) -> tuple[str, Any]:
    """Return colour and line style of the index-th of several lines."""
    return OKABE_ITO[index % len(OKABE_ITO)], LINE_STYLES[index // len(OKABE_ITO) % len(LINE_STYLES)]


def last_defined(values: FloatArray) -> int | None:
    """Return the index of the last value that is not NaN."""
    defined = np.flatnonzero(~np.isnan(values))
    return int(defined[-1]) if len(defined) else None


def set_observation_limits(panels: Sequence[Any], observations: Sequence[FloatArray]) -> None:
    """Let panels share the observations from the first to the last of all lines, with whole numbers below."""
    ends = [(float(each[0]), float(each[-1])) for each in observations if len(each)] or [(0.0, 1.0)]
    low, high = min(start for start, _ in ends), max(end for _, end in ends)
    if low == high:
        low, high = max(0.0, low - 1), high + 1
    for axes in panels:
        axes.set_xlim(low, high)
        axes.xaxis.get_major_locator().set_params(integer=True)
