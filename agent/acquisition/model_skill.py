"""How well the model of a campaign predicts: does it know more than the mean of each family?

| here | meaning | shape |
|---|---|---|
| y_i, g(i) | a known value, and its family | |
| e_i | y_i less what a process predicts of it that was fitted without its fold (`posterior_draws`) | (k,) |
| b_i | y_i less the mean of its family outside its fold; of all values there, where the family has none | (k,) |
| share | 1 − Σ e_i² / Σ b_i²: the part of the squared errors of the mean that the model saves | |

The share is an R² within families: 1 where the features tell a value exactly, 0 where they tell nothing, and below it
where the model does harm. A policy that chooses by the model has nothing to choose by where it is small: all candidates
of a family look alike to it, and a family that is poor is asked for again and again with little gained.

Each of the `FOLDS` has a fit of its own. With hyper-parameters of all values, fifty features of pure noise seem to save
0.44 of the squared errors of 80 values, each left out in turn.

| input | outcome |
|---|---|
| fewer than `LEAST_JUDGED` values, or values of one property that are all equal | no skill: nothing is said |
| features that no process can be fitted to | no skill |
| more than `MOST_JUDGED` values | an even spread of them is judged |
| no features, or constant ones | a share near zero |

Pure; no part of a decision. Reference: T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning
(Springer, 2009), section 7.10.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from agent.acquisition.base import FloatArray, IndexArray
from agent.acquisition.ceilings import Known
from agent.entropy.model_skill import ModelSkill
from agent.surrogate.active_rows import PoolRows
from agent.surrogate.errors import SurrogateError
from agent.surrogate.posterior_draws import PosteriorDraws
from agent.surrogate.standardise import measure_columns

FOLDS: Final = 5
"""Parts that are left out in turn: four fifths of the values tell nearly what all do, and it costs five fits."""

LEAST_JUDGED: Final = 20
"""Fewest values that a model is judged by: with fewer the share errs by more than what it is held against."""

MOST_JUDGED: Final = 1_000
"""Most values that it is judged by: a process costs with the cube, and the share errs by a hundredth then."""


def model_skills(known: Known) -> tuple[ModelSkill, ...]:
    """Return the skill of the model of each property; empty where it cannot be told.

    Args:
        known: What is known; what remains does not matter.
    """
    n = len(known.values)
    if n < LEAST_JUDGED or not np.ptp(known.values, axis=0).all():
        return ()
    kept = np.arange(n) if n <= MOST_JUDGED else np.arange(MOST_JUDGED) * n // MOST_JUDGED
    pool, observed, values = known.pool, known.observed[kept], known.values[kept]
    codes = pool.family_codes[observed]
    try:
        rows = PoolRows(pool.features, pool.family_codes, len(pool.families), measure_columns(pool.features))
        X = rows.of(observed)
        errors = [_errors(X, y, codes, rows.groups) for y in values.T]
    except SurrogateError:
        return ()
    return tuple(
        ModelSkill(target.name, by_model, by_mean, len(kept))
        for target, (by_model, by_mean) in zip(known.targets, errors, strict=True)
        if by_mean > 0.0
    )


def _errors(X: FloatArray, y: FloatArray, codes: IndexArray, groups: int) -> tuple[float, float]:
    """Return the root-mean-squares of e and b [unit of y]."""
    model, mean = np.empty(len(y)), np.empty(len(y))
    fold = _folds(codes)
    for number in range(FOLDS):
        out, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        model[out] = y[out] - PosteriorDraws(X[rest], y[rest], groups).means(X[out])
        mean[out] = y[out] - _means_of_families(y[rest], codes[rest], codes[out])
    return _root_mean_square(model), _root_mean_square(mean)


def _folds(codes: IndexArray) -> IndexArray:
    """Deal the rows to the folds, family by family, so that each fold has its share of every one; shape (k,)."""
    fold = np.empty(len(codes), dtype=np.int64)
    fold[np.argsort(codes, kind="stable")] = np.arange(len(codes)) % FOLDS
    return fold


def _means_of_families(y: FloatArray, codes: IndexArray, wanted: IndexArray) -> FloatArray:
    means = {code: float(y[codes == code].mean()) for code in np.unique(codes).tolist()}
    return np.array([means.get(code, float(y.mean())) for code in wanted.tolist()])


def _root_mean_square(errors: FloatArray) -> float:
    return math.sqrt(float(errors @ errors) / len(errors))
