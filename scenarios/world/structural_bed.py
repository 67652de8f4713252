"""The pool of a structural model: every intervention that may be asked for, and what the lab would say of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from agent.acquisition.base import FloatArray
from agent.pool.candidates import Candidate, Pool, make_pool
from agent.pool.interventions import Interventions
from protocols.tables.families import ALL
from simulators.structural_model import StructuralModel, StructuralModelSettings


def make_structural_bed(settings: StructuralModelSettings) -> tuple[Pool, Mapping[str, FloatArray]]:
    """Return the pool, and the values of every variable in its order.

    Args:
        settings: Of the model.
    """
    model, names = StructuralModel(settings), settings.variables
    rows = np.array([model.measured(number) for number in range(len(model.interventions))])
    ids, variable, value = zip(*model.interventions, strict=True)
    others = [j for j, name in enumerate(names) if name != settings.target]
    features = np.array([[v if j == k else 0.0 for k in others] for _, j, v in model.interventions])
    candidates = [Candidate(which, ALL, formula=f"do({names[j]} = {v:.3g})") for which, j, v in model.interventions]
    pool = make_pool(candidates, features, [f"do {names[j]}" for j in others])
    order = np.array([ids.index(which) for which in pool.candidate_ids], dtype=np.int64)
    interventions = Interventions(
        names,
        names.index(settings.target),
        np.array(variable, dtype=np.int64)[order],
        np.array(value)[order],
        model.passive,
    )
    return replace(pool, interventions=interventions), dict(zip(names, rows[order].T, strict=True))
