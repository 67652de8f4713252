"""A small world for tests of the Python interface: a frame whose property follows from its features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def frame() -> pd.DataFrame:
    """Sixty candidates in three families, every value known; ids that need quotes in a CSV."""
    rng = np.random.default_rng(5)
    made = pd.DataFrame({"x": rng.normal(size=60), "z": rng.normal(size=60), "system": list("abc") * 20})
    made["hardness"] = 2.0 * made.x - made.z**2 + 0.05 * rng.normal(size=60)
    return made.set_axis([f'S,"{number}"' for number in range(60)])


@pytest.fixture
def hidden(frame: pd.DataFrame) -> pd.DataFrame:
    """The same, of which only the first fifteen values are known."""
    shown = frame.copy()
    shown.loc[shown.index[15:], "hardness"] = np.nan
    return shown
