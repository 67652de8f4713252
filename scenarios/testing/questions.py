"""Questions for policies: small pools and what is known of them, the usual case and each case that is none.

Every array is read-only: a policy that writes to what it is given fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, FloatArray, IndexArray, PoolArrays
from agent.campaign.context import make_context, pool_arrays
from agent.entropy.target_properties import TargetProperty

SEED: Final = 20_170
"""Of everything that is drawn here."""

CANDIDATES: Final = 60
"""Candidates of the usual pool: three families have a shape, and a fit takes milliseconds."""

FEATURES: Final = 4
"""Features of a candidate of the usual pool."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a policy is asked.

    Attributes:
        name: What is special about it.
        context: What is known.
        count: How many candidates are wanted.
    """

    name: str
    context: AcquisitionContext
    count: int = 1

    def __str__(self) -> str:
        return self.name


def frozen(array: Any) -> Any:
    """Return an array that nobody can write to."""
    array.setflags(write=False)
    return array


def pool_of(features: FloatArray, codes: IndexArray, families: tuple[str, ...]) -> PoolArrays:
    """Return a pool whose ids are in order.

    Args:
        features: Shape (n, d).
        codes: Shape (n,), index into `families`.
        families: Their names, sorted.
    """
    n, d = features.shape
    return PoolArrays(
        candidate_ids=tuple(f"candidate-{index:04d}" for index in range(n)),
        features=frozen(features.astype(np.float64)),
        family_codes=frozen(codes.astype(np.int64)),
        families=families,
        feature_names=tuple(f"feature_{column}" for column in range(d)),
    )


def question_of(
    name: str,
    pool: PoolArrays,
    values: FloatArray,
    observed: IndexArray,
    *,
    acquired: int = 0,
    pending: int = 0,
    left: int | None = None,
    count: int = 1,
    seed: int = SEED,
) -> Question:
    """Return a question about a pool whose values are all known to whoever asks.

    Args:
        name: What is special about it.
        pool: The pool of n candidates.
        values: Of all candidates, shape (n,).
        observed: Pool indices with a known value, ascending.
        acquired: How many of these came in by request: the last ones.
        pending: How many of the others are requested: every third, from the first.
        left: How many of the rest are available; by default all.
        count: How many are wanted.
        seed: Of the decision.
    """
    rest = np.setdiff1d(np.arange(len(values)), observed)
    asked = rest[: 3 * pending : 3]
    available = np.setdiff1d(rest, asked)[:left]
    context = AcquisitionContext(
        pool=pool,
        observed=frozen(observed.astype(np.int64)),
        values=frozen(values[observed].astype(np.float64)),
        acquired=frozen(observed[len(observed) - acquired :].astype(np.int64)),
        pending=frozen(asked.astype(np.int64)),
        available=frozen(available.astype(np.int64)),
        decision=acquired + pending,
        seed=seed,
        campaign_seed=SEED,
        cost_left=len(available),
    )
    return Question(name, context, count)


def policy_questions() -> tuple[Question, ...]:
    """Return the questions that every policy of plain pools is asked: the usual ones first, then what is special."""
    return (*_usual(), *_small(), *_alike(), *_more_known())


def question_of_campaign(name: str, ledger: Any, count: int = 1) -> Question:
    """Return the question that a campaign puts next: for policies that need a pool of their own kind.

    Args:
        name: What is special about it.
        ledger: An `agent.campaign.ledger.Ledger`.
        count: How many candidates are wanted.
    """
    return Question(name, make_context(ledger.campaign, pool_arrays(ledger.campaign.pool)), count)


def _world(seed: int = SEED, scale: float = 1.0) -> tuple[PoolArrays, FloatArray]:
    """Return a pool of three families of unlike spread, and the value of each candidate."""
    rng = np.random.default_rng(seed)
    codes = np.arange(CANDIDATES) % 3
    features = rng.normal(size=(CANDIDATES, FEATURES)) * (1.0 + codes[:, None])
    values = scale * (features[:, 0] + 0.5 * features[:, 1] ** 2 + 0.1 * rng.normal(size=CANDIDATES) + codes)
    return pool_of(features, codes, ("cubic", "hexagonal", "triclinic")), values


def _usual() -> tuple[Question, ...]:
    pool, values = _world()
    some, many = np.arange(0, CANDIDATES, 3), np.arange(0, CANDIDATES, 2)
    return (
        question_of("a third is known", pool, values, some),
        question_of("several are wanted at once", pool, values, some, acquired=5, count=4),
        question_of("some are pending", pool, values, many, acquired=12, pending=5, count=2),
        question_of("another seed", pool, values, some, seed=7),
        question_of("large values", *_world(scale=1e9), some),
        question_of("tiny values", *_world(scale=1e-9), some),
    )


def _small() -> tuple[Question, ...]:
    pool, values = _world()
    nothing, three = np.arange(0), np.arange(3)
    most = np.arange(CANDIDATES - 2)
    return (
        question_of("nothing is known", pool, values, nothing),
        question_of("nothing is known, and some are pending", pool, values, nothing, pending=3),
        question_of("one value is known", pool, values, np.arange(1)),
        question_of("a value of each family is known", pool, values, three, count=3),
        question_of("one candidate is left", pool, values, most, acquired=20, left=1),
        question_of("all that is left is wanted", pool, values, most, acquired=20, count=2),
        question_of("more are wanted than are left", pool, values, most, acquired=20, count=5),
        question_of("all the rest is pending but one", pool, values, np.arange(CANDIDATES - 4), pending=1, left=1),
        question_of("a pool of two", *_of_two(), np.arange(1)),
    )


def _of_two() -> tuple[PoolArrays, FloatArray]:
    return pool_of(np.array([[0.0], [1.0]]), np.array([0, 1]), ("a", "b")), np.array([1.0, 2.0])


def _alike() -> tuple[Question, ...]:
    pool, values = _world()
    some = np.arange(0, CANDIDATES, 3)
    third = np.flatnonzero(pool.family_codes == 0)
    one = pool_of(np.array(pool.features), np.zeros(CANDIDATES, dtype=np.int64), ("all",))
    each = pool_of(np.array(pool.features), np.arange(CANDIDATES), tuple(f"f{n:02d}" for n in range(CANDIDATES)))
    equal = pool_of(np.full((CANDIDATES, FEATURES), 3.0), np.array(pool.family_codes), pool.families)
    twice = np.vstack((pool.features[: CANDIDATES // 2],) * 2)
    featureless = pool_of(np.empty((CANDIDATES, 0)), np.array(pool.family_codes), pool.families)
    pairs = pool_of(twice, np.tile(pool.family_codes[: CANDIDATES // 2], 2), pool.families)
    return (
        question_of("one family of all", one, values, some, count=2),
        question_of("each candidate a family of its own", each, values, some, count=2),
        question_of("a family without a value", pool, values, third[:12], count=2),
        question_of("all known values are equal", pool, np.full(CANDIDATES, 2.5), some, count=2),
        question_of("all candidates are alike: ties", equal, values, some, count=3),
        question_of("every candidate is there twice: ties", pairs, values, np.arange(0, 30, 3), count=3),
        question_of("no features", featureless, values, some, count=2),
    )


def _more_known() -> tuple[Question, ...]:
    pool, values = _world()
    plain = question_of("plain", pool, values, np.arange(0, CANDIDATES, 3), acquired=4, pending=2, count=2)
    known = len(plain.context.observed)
    errors = frozen(np.where(np.arange(known)[:, None] % 2 == 0, 0.0, 0.1))
    doubtful = replace(plain.context, uncertainties=errors)
    other = frozen(np.cos(plain.context.values)[:, None])
    targets = (TargetProperty("first", scale=2.0, weight=0.5), TargetProperty("second", scale=0.5, weight=0.5))
    several = replace(plain.context, additional=other, targets=targets)
    return (
        Question("half of the values came without an uncertainty", doubtful, 2),
        Question("two properties are balanced", several, 2),
        Question("the last of the budget", replace(plain.context, cost_left=1), 1),
    )


Questions = Callable[[], tuple[Question, ...]]
"""What gives questions."""

Answers = Mapping[str, object]
"""Proposals by the name of their question."""
