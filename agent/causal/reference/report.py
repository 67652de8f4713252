"""What a selection of the published kind did, what it was told, and what it costs: in words."""

from __future__ import annotations

import numpy as np

from agent.causal.reference.kept_rows import Selection


def in_words(selection: Selection) -> str:
    """Return a paragraph about a selection."""
    if not selection.losses:
        return f"{selection.arm}: no round is over yet."
    kept, needed = len(selection.rows), len(selection.looked_at)
    outcome = (
        f"{selection.arm}: {kept} rows kept ({len(np.unique(selection.rows))} of them different) after "
        f"{len(selection.losses)} rounds, Laplacian distance to the global graph {selection.losses[-1]:.3f}."
    )
    if not selection.is_told_the_answer:
        return f"{outcome} It is told nothing, and needs {needed} values, those of the rows that it keeps."
    return (
        f"{outcome} It is told the answer: every choice compares with the graph of all rows, whose values a laboratory "
        f"would have to measure first. It needs {needed} values ({len(np.unique(selection.looked_at))} different rows) "
        f"to keep {kept}: all batches of a round are measured before one of them is kept, {needed / kept:.1f} times "
        "what it keeps."
    )
