"""The ceiling of each family: the entropy that it could have at most, from what is known and what remains.

| here | meaning | shape |
|---|---|---|
| h_g, T | entropy of family g now, and the largest of them [nat] | |
| b | how many further values it may get | |
| y_s | a joint draw of the values of its candidates that remain, noise included (`posterior_draws`) | (m,) |
| c_s | greatest entropy of its known values and at most b of y_s (`attainable`) [nat] | (s,) |
| ceiling | mean of c_s | |
| band | mean ± t √(1 + 1/s) · deviation of c_s: holds the true one nine times in ten, if the model is right | |

Of several properties c_s is the weighted sum of theirs, each with a subset of its own: no subset has more.

It is what a family could have if all further values went to it, and if the best of them were known. A campaign does
not know them, so it ends below; so a family whose ceiling is low cannot be helped, whoever chooses. Means in place of
draws tell ceilings that are 0.06 to 0.2 nat too low. Draws err by 0.07 to 0.09 nat at the start and by 0.03 after 100
acquisitions; of the true ceilings 6 to 7 of 10 are within the band at the start, 9 of 10 later
(`python -m tests.benchmarks.reach.ceilings`).

| input | outcome |
|---|---|
| fewer than `LEAST_VALUES` values, or values that are all equal | no ceilings: nothing tells how values are spread |
| a family without candidates | its ceiling is its entropy, without a band |
| a family without values | its ceiling is that of what may come |
| more than `MOST_DRAWN` candidates of a family | so many of them are drawn, evenly over their predicted values |
| features that no process can be fitted to, such as infinite ones | no ceilings: a campaign does without |
| no features, or constant ones | all of a family are drawn from one distribution |

Where the predicted values of a large family hardly differ, a sample has not the tails of the noise, and its ceiling is
up to 0.2 nat too low.

Pure: the same numbers and seed, the same ceilings. It is no part of a decision: it costs a hundred times as much.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtrit

from agent.acquisition.base import FloatArray, IndexArray, PoolArrays
from agent.acquisition.pool_draws import PoolDraws, tells_something
from agent.entropy.attainable import attainable_entropies
from agent.entropy.bands import UPPER_POINT
from agent.entropy.ceiling import Ceiling
from agent.entropy.target_properties import TargetProperty, combined_entropy
from agent.surrogate.errors import SurrogateError

DRAWS: Final = 12
"""Draws of a ceiling: their mean then errs by a quarter of what the model does not know, as it does itself."""

MOST_DRAWN: Final = 400
"""Most candidates of a family whose values are drawn."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a campaign, and what remains.

    Attributes:
        pool: The pool.
        observed: Pool indices with a known value, shape (k,).
        values: Their values, a column for each property, shape (k, p).
        remaining: Pool indices that may still get one, ascending, shape (m,).
        targets: The properties.
    """

    pool: PoolArrays
    observed: IndexArray
    values: FloatArray
    remaining: IndexArray
    targets: tuple[TargetProperty, ...]


def ceilings(
    known: Known,
    most: int,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    on_family: Callable[[int], None] = lambda _done: None,
) -> tuple[Ceiling, ...]:
    """Return the ceiling of every family, in the order of the pool.

    Args:
        known: What is known.
        most: b, at least 0.
        draws: How many draws, at least 2.
        seed: Of the draws.
        on_family: Called with the number of families that are done.
    """
    made: list[Ceiling] = []
    model = _model_of(known)
    for code, family in enumerate(known.pool.families):
        on_family(code)
        samples = known.values[known.pool.family_codes[known.observed] == code]
        candidates = known.remaining[known.pool.family_codes[known.remaining] == code]
        now = _entropy(known.targets, samples)
        reach: _Reach = (now, now, now)
        if model is None:
            reach = _UNKNOWN
        elif most and len(candidates):
            drawn = model.draw_sample(candidates, MOST_DRAWN, draws, np.random.default_rng([seed, code]))
            reach = _reach(known.targets, samples, drawn, most)
        made.append(Ceiling(family, now, *reach, len(candidates)))
    on_family(len(known.pool.families))
    return tuple(made)


_Reach = tuple[float | None, float | None, float | None]
"""A ceiling, and both ends of its band."""

_UNKNOWN: Final[_Reach] = (None, None, None)


def _model_of(known: Known) -> PoolDraws | None:
    """Return what is known as a model; None where it tells nothing of the rest."""
    if not tells_something(known.values):
        return None
    try:
        return PoolDraws(known.pool, known.observed, known.values)
    except SurrogateError:
        return None


def _reach(targets: tuple[TargetProperty, ...], samples: FloatArray, drawn: Iterator[FloatArray], most: int) -> _Reach:
    """Return the mean of c_s and both ends of its band."""
    try:
        found = _attainable(targets, samples, drawn, most)
    except SurrogateError:
        return _UNKNOWN
    n = len(found)
    if n == 0:
        return _UNKNOWN
    mean = float(found.mean())
    if n == 1:
        return mean, mean, mean
    reach = float(stdtrit(n - 1, UPPER_POINT)) * float(found.std(ddof=1)) * math.sqrt(1.0 + 1.0 / n)
    return mean, mean - reach, mean + reach


def _attainable(
    targets: tuple[TargetProperty, ...], samples: FloatArray, drawn: Iterator[FloatArray], most: int
) -> FloatArray:
    """Return c_s of every draw, without those where it is undefined."""
    total: FloatArray | float = 0.0
    for target, sample, values in zip(targets, samples.T, drawn, strict=True):
        total += target.weight * (attainable_entropies(sample, values, most, target.measure) - math.log(target.scale))
    found = np.atleast_1d(np.asarray(total, dtype=np.float64))
    known: FloatArray = found[np.isfinite(found)]
    return known


def _entropy(targets: tuple[TargetProperty, ...], samples: FloatArray) -> float | None:
    if len(samples) == 0:
        return None
    columns = (np.sort(column) for column in samples.T)
    return combined_entropy(targets, [each.entropy(x) for each, x in zip(targets, columns, strict=True)])
