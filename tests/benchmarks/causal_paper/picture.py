"""The picture of the page: graph loss against the rows that are kept, and against the values that were paid for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from agent.causal.graph.losses import laplacian_distance
from agent.causal.reference.kept_rows import Selection
from agent.causal.reference.schedule import BATCH, Arm
from agent.causal.reference.selection import Universe
from scenarios.display.panels import Curve, Panel, draw_panels

NAMES: dict[Arm, str] = {
    "active": "active",
    "control": "control of the paper",
    "best_of_three": "best of three at random",
}

ALL_PAID = "all that active paid for"


def looked_at_after(selection: Selection) -> list[np.ndarray]:
    """Return the different rows whose values were needed up to each round, ascending."""
    rounds = len(selection.losses)
    of_a_round = (len(selection.looked_at) - 1) // rounds
    return [np.unique(selection.looked_at[: 1 + of_a_round * (k + 1)]) for k in range(rounds)]


def losses_of_all(universe: Universe, selections: Sequence[Selection]) -> np.ndarray:
    """Return the loss of the graph of all that was paid for, after every round, shape (repeats, rounds)."""
    told = universe.told.weights
    return np.array(
        [[laplacian_distance(universe.graph_of(rows).weights, told) for rows in looked_at_after(s)] for s in selections]
    )


def draw_losses(
    path: Path,
    selections: Mapping[Arm, Sequence[Selection]],
    of_all: np.ndarray,
    published: Mapping[str, Sequence[float]],
    rounds_shown: Sequence[int],
) -> None:
    """Draw it.

    Args:
        path: PNG file to write.
        selections: By arm, one a repeat.
        of_all: Loss of all that `active` paid for, shape (repeats, rounds).
        published: Mean losses in some rounds by arm, as read from the publication's picture.
        rounds_shown: Which rounds these are, from 1.
    """
    losses = {arm: np.array([each.losses for each in of_arm]) for arm, of_arm in selections.items()}
    paid = {
        arm: np.mean([[len(rows) for rows in looked_at_after(each)] for each in of_arm], axis=0)
        for arm, of_arm in selections.items()
    }
    kept = 1.0 + BATCH * np.arange(1, of_all.shape[1] + 1)
    at = kept[[k - 1 for k in rounds_shown]]
    by_kept = {NAMES[arm]: _curve(kept, of_arm) for arm, of_arm in losses.items()}
    by_kept |= {f"paper: {arm}": Curve(at, np.array(x), np.zeros(len(at))) for arm, x in published.items()}
    by_paid = {NAMES[arm]: _curve(paid[arm], of_arm) for arm, of_arm in losses.items()}
    by_paid[ALL_PAID] = _curve(paid["active"], of_all)
    remark = "Laplacian distance to the told graph"
    repeats = len(of_all)
    draw_panels(
        path,
        [
            Panel("Against the rows that are kept", remark, by_kept, from_zero=True),
            Panel("Against the different rows that were paid for", remark, by_paid, from_zero=True),
        ],
        title="Active causal learning as published, on 3,000 molecules of QM9",
        subtitle=f"mean of {repeats} repeats, bands are its standard error; the paper's, of ten, read from its picture",
        x_label="Rows",
    )


def _curve(x: np.ndarray, losses: np.ndarray) -> Curve:
    """Return mean and standard error over repeats, whose losses have the shape (repeats, rounds)."""
    return Curve(x, losses.mean(axis=0), losses.std(axis=0, ddof=1) / np.sqrt(len(losses)))
