"""Draws `docs/pictures/instruments.png`: what two instruments tell of one and the same sample, again and again.

python -m tests.support.documents.instrument_picture
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np

from protocols.wire.messages import Quantity
from simulators.evaluator import Measurement
from simulators.instrument.calibration import moment_at
from simulators.registry import make_instrument
from simulators.settings import SimulatorSettings
from tests.support import sample_messages as messages

PICTURE: Final = Path(__file__).resolve().parents[3] / "docs" / "pictures" / "instruments.png"

COUNT: Final = 120
"""Measurements of each."""

FAR: Final = 0.075
"""An error beyond this is drawn as an outlier [eV/atom]: the largest drift and four deviations of the noise."""

SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "quick": {
        "noise": {"standard_deviation": 0.008, "reported": 0.5},
        "outliers": {"rate": 0.05, "size": 0.12},
        "drift": {"rate": 0.001},
        "jumps": {"at": (60,), "offset": -0.05},
        "calibration": {"every": 40},
    },
    "middle": {
        "noise": {"standard_deviation": 0.004},
        "bias": {"offset": 0.008},
        "drift": {"kind": "random_walk", "rate": 0.003, "bound": 0.02},
    },
}
"""As in `docs/how-to/instruments.md`."""


def told(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return error, reported deviation, and error without noise and outliers of each measurement, shape (n,)."""
    settings = SimulatorSettings(id=name, evaluator="a:B", **SETTINGS[name])
    quiet = settings.model_copy(update={"noise": None, "outliers": None})
    every = settings.calibration.every if settings.calibration else None
    true = Measurement((Quantity(name="energy", value=0.0, unit="eV/atom"),))
    readings = []
    for count in range(1, COUNT + 1):
        request, moment = messages.request(replicate=count - 1), moment_at(count, every)
        (read,), (smooth,) = (
            make_instrument(each).measure(true, request, moment).quantities for each in (settings, quiet)
        )
        readings.append((read.value, read.standard_deviation or 0.0, smooth.value))
    value, deviation, smooth_values = np.array(readings).T
    return value, deviation, smooth_values


def draw(path: Path) -> None:
    """Draw the picture."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(2, 1, figsize=(9.0, 6.4), sharex=True, layout="constrained")
    numbers = np.arange(1, COUNT + 1)
    titles = ("quick: a straight drift, a jump, outliers", "middle: a bias, and a bounded random walk")
    for panel, name, title in zip(panels, SETTINGS, titles, strict=True):
        value, deviation, smooth = told(name)
        is_far = abs(value) > FAR
        usual = ~is_far
        panel.axhline(0.0, color="0.6", linewidth=0.8)
        panel.errorbar(
            numbers[usual], value[usual], deviation[usual], fmt="o", color="C0", markersize=3, elinewidth=0.8,
            label="what it tells, ± what it believes",
        )  # fmt: skip
        if is_far.any():
            panel.plot(numbers[is_far], value[is_far], "x", color="C3", markersize=7, label="outliers")
        panel.plot(numbers, smooth, color="C1", linewidth=1.6, label="bias, jumps and drift alone")
        panel.set(title=title, ylabel="told less true [eV/atom]")
    for count in (41, 81):
        panels[0].axvline(count - 0.5, color="0.4", linestyle=":", label="calibration" if count < COUNT / 2 else None)
    panels[0].annotate(
        "a jump", (60, -0.036), xytext=(63, -0.13), arrowprops={"arrowstyle": "->"}, verticalalignment="center"
    )
    panels[-1].set_xlabel("number of the measurement")
    for panel, place in zip(panels, ("lower left", "upper right"), strict=True):
        panel.legend(loc=place, fontsize=8, ncols=2)
        panel.margins(y=0.25)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    draw(PICTURE)
