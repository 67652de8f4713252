"""Judges candidates: why one may never be asked for, and what a request of it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.pool.candidates import Candidate, Pool
from agent.pool.elements import elements_of
from agent.pool.limits.conditions import CandidateFacts
from agent.pool.limits.settings import AskingLimits, Supply, place_of
from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean, listed

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

FAMILY: Final = "family"
"""A candidate's family, among the columns that are texts."""

_NO_FORMULA: Final = "nobody says of which elements it is (limits.elements, forbidden_elements, forbidden_pairs)"


class Judge:
    """Judges by some limits.

    Args:
        limits: The settings.
        feature_names: Names of a pool's features, in their order.
    """

    def __init__(self, limits: AskingLimits, feature_names: Sequence[str]) -> None:
        self._limits = limits
        self._names = tuple(feature_names)
        self._pairs = tuple(limits.pairs())
        self._supplies = tuple(limits.supplies.values())
        self._columns = tuple(dict.fromkeys(limits.columns()))

    def why_barred(self, facts: CandidateFacts) -> str:
        """Return the first rule that keeps a candidate from being asked for, in words; empty where none does."""
        return next(chain(self._breaches(facts), self._negatives(facts)), "")

    def takes(self, facts: CandidateFacts) -> tuple[float, ...]:
        """Return what a request takes, in the order of the supplies [their units]."""
        return tuple(_taken(each, facts.numbers) for each in self._supplies)

    def facts_of(self, candidate: Candidate, features: Sequence[float]) -> CandidateFacts:
        """Return what a candidate is judged by: its elements, features and parameters by their names, and its family.

        A parameter counts in place of a feature of the same name: it is what is set.
        """
        numbers, labels = dict(zip(self._names, map(float, features), strict=True)), {FAMILY: candidate.family}
        if (to_set := candidate.parameters) is not None:
            numbers |= dict(zip(to_set.columns.names, to_set.numbers, strict=True))
            labels = to_set.labels() | labels
        return CandidateFacts(elements_of(candidate), numbers, labels)

    def _breaches(self, facts: CandidateFacts) -> Iterator[str]:
        limits = self._limits
        if facts.elements is None and limits.names_elements:
            yield _NO_FORMULA
            return
        if unknown := [each for each in self._columns if each not in facts.numbers and each not in facts.labels]:
            yield f"nobody says its {unknown[0]} (limits)"
            return
        elements = facts.elements or frozenset()
        if limits.elements and (others := sorted(elements - set(limits.elements))):
            yield f"it holds {others[0]}, which is none of limits.elements"
        if bad := sorted(elements & set(limits.forbidden_elements)):
            yield f"it holds {bad[0]} (limits.forbidden_elements)"
        for name, (low, high) in limits.parameters.items():
            if not low <= facts.numbers[name] <= high:
                yield f"its {name} is not within {low:g} to {high:g} (limits.parameters)"
        for one, other in self._pairs:
            if one.holds(facts) and other.holds(facts):
                yield f"{one.written} meets {other.written} (limits.forbidden_pairs)"

    def _negatives(self, facts: CandidateFacts) -> Iterator[str]:
        for name, taken in zip(self._limits.supplies, self.takes(facts), strict=True):
            if taken < 0:
                yield f"it takes less than nothing of {name} ({place_of(name)})"


class JudgedPool:
    """A pool's candidates, judged once each; it follows a pool that grows.

    Args:
        limits: The settings.

    Attributes:
        reasons: Why each candidate may never be asked for, empty where it may, in pool order.
        allowed: Whether it may, shape (n,).
        takes: What a request of each takes, shape (n, s) [units of the supplies].
    """

    def __init__(self, limits: AskingLimits) -> None:
        self._limits = limits
        self.reasons: list[str] = []
        self.allowed: BoolArray = np.zeros(0, dtype=np.bool_)
        self.takes: FloatArray = np.empty((0, len(limits.supplies)))

    def follow(self, pool: Pool) -> None:
        """Judge what has joined the pool. Of one that is not known whole nothing can be said, and nothing is barred."""
        known = len(self.reasons)
        if len(pool) == known:
            return
        judge, new = Judge(self._limits, pool.feature_names), range(known, len(pool))
        facts = (
            [judge.facts_of(pool.candidates[each], pool.features[each].tolist()) for each in new]
            if pool.is_whole
            else []
        )
        self.reasons += [judge.why_barred(each) for each in facts] or [""] * len(new)
        rows = [judge.takes(each) for each in facts] or [(0.0,) * len(self._limits.supplies)] * len(new)
        self.allowed = np.array([not reason for reason in self.reasons], dtype=np.bool_)
        self.takes = np.vstack((self.takes, np.array(rows).reshape(len(new), -1)))


def require_fitting(limits: AskingLimits, pool: Pool) -> None:
    """Check that limits speak of what a pool has, and leave something to ask for.

    Raises:
        SettingsError: When a column is not there, or says what nothing can take; when nobody knows of which elements
            candidates are; or when no candidate may be asked for.
    """
    if not limits.is_limiting:
        return
    if pool.in_blocks:
        raise SettingsError(
            "[limits] says which candidates may be asked for, and the pool is read in blocks",
            expected="limits of a pool that fits in memory: they are judged candidate by candidate",
            action="leave out of the table what may not be asked for",
        )
    for place, name, known in _columns_named(limits, pool):
        if name not in known:
            raise SettingsError(
                f"{place} speaks of {name!r}, which is no column that it could be",
                expected=f"one of {listed(known)}" if known else "a pool with such columns",
                action=did_you_mean(name, known) or "name it among pool.columns.features or pool.columns.parameters",
            )
    judged = JudgedPool(limits)
    judged.follow(pool)
    for (name, supply), amounts in zip(limits.supplies.items(), judged.takes.T, strict=True):
        if (amounts < 0).any():
            raise SettingsError(
                f"{place_of(name)}.column: the column {supply.column!r} makes a request of "
                f"{pool.candidate_ids[int(np.argmin(amounts))]!r} take {float(amounts.min()):g} {supply.unit}".rstrip(),
                expected="0 or more for every candidate",
                action="correct the table, or name another column",
            )
    if not judged.allowed.any():
        first = judged.reasons[0]
        raise SettingsError(
            f"None of the {len(pool)} candidates may be asked for; of the first: {first}",
            expected="limits that leave some",
            action="correct [limits], or the table",
        )


def _columns_named(limits: AskingLimits, pool: Pool) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield setting, column, and which columns it could be, of all columns that limits speak of."""
    numbers = tuple(dict.fromkeys((*pool.feature_names, *pool.parameter_units)))
    texts = tuple(dict.fromkeys((FAMILY, *pool.label_names)))
    for name in limits.parameters:
        yield "limits.parameters", name, numbers
    for each in limits.conditions():
        if each.column:
            compared = () if each.number is None else numbers
            yield "limits.forbidden_pairs", each.column, (*compared, *(texts if each.compares_texts else ()))
    for name, supply in limits.supplies.items():
        if supply.column is not None:
            yield f"{place_of(name)}.column", supply.column, numbers


def _taken(supply: Supply, numbers: Mapping[str, float]) -> float:
    """Return what a request takes; of what nobody says how much, it may not be asked for anyway."""
    return supply.per_request + (0.0 if supply.column is None else numbers.get(supply.column, 0.0))
