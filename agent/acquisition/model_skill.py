"""How well the model of a campaign predicts: does it know more than the mean of each family?

| here | meaning | shape |
|---|---|---|
| y_i, g(i) | a known value, and its family | |
| e_i | y_i less what the process predicts of it from all the others (`posterior_draws`) | (k,) |
| b_i | y_i less the mean of the others of its family; of all others, where it is the only one | (k,) |
| share | 1 − Σ e_i² / Σ b_i²: the part of the squared errors of the mean that the model saves | |

The share is an R² within families: 1 where the features tell a value exactly, 0 where they tell nothing, and below it
where the model does harm. A policy that chooses by the model has nothing to choose by where it is small: all candidates
of a family look alike to it, and a family that is poor is asked for again and again with nothing gained.

Hyper-parameters are those of all values, so the share is a little too high, the more so the fewer values there are.

| input | outcome |
|---|---|
| fewer than `LEAST_JUDGED` values, or values of one property that are all equal | no skill: nothing is said |
| features that no process can be fitted to | no skill |
| more than `posterior_draws.MOST_ROWS` values | an even spread of them is judged |
| no features, or constant ones | a share near zero |

Pure; no part of a decision. Reference for e_i: C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine
Learning (MIT Press, 2006), equation 5.12.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray
from agent.acquisition.ceilings import Known
from agent.acquisition.pool_draws import PoolDraws
from agent.entropy.model_skill import ModelSkill
from agent.surrogate.errors import SurrogateError

LEAST_JUDGED: Final = 20
"""Fewest values that a model is judged by: with fewer the share errs by more than what it is held against."""


def model_skills(known: Known) -> tuple[ModelSkill, ...]:
    """Return the skill of the model of each property; empty where it cannot be told.

    Args:
        known: What is known; what remains does not matter.
    """
    if len(known.values) < LEAST_JUDGED or not np.ptp(known.values, axis=0).all():
        return ()
    try:
        errors = PoolDraws(known.pool, known.observed, known.values).errors_left_out()
    except SurrogateError:
        return ()
    codes = known.pool.family_codes[known.observed]
    return tuple(
        ModelSkill(target.name, _root_mean_square(own), baseline, len(kept))
        for target, values, (kept, own) in zip(known.targets, known.values.T, errors, strict=True)
        if (baseline := _root_mean_square(_errors_of_means(values[kept], codes[kept]))) > 0.0
    )


def _errors_of_means(values: FloatArray, codes: IndexArray) -> FloatArray:
    """Return b, shape (k,)."""
    errors: FloatArray = (values - values.mean()) * len(values) / (len(values) - 1)
    for code in np.unique(codes):
        own = codes == code
        if (n := int(own.sum())) > 1:
            errors[own] = (values[own] - values[own].mean()) * n / (n - 1)
    return errors


def _root_mean_square(errors: FloatArray) -> float:
    return math.sqrt(float(errors @ errors) / len(errors))
