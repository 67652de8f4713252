"""Which families a policy had excluded by then: its own rule, asked of the same context.

| policy | a family is left out |
|---|---|
| etal | while its latest `patience` acquisitions in a row have brought no gain (`family_history`) |
| etal_reference | for good, once `patience` in a row have not raised its entropy (`etal_reference.is_excluded`) |
| any other | never, as far as is known |
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext
from agent.acquisition.built_in import BUILT_IN

ETAL: Final = "etal"
REFERENCE: Final = "etal_reference"


@dataclass(frozen=True, slots=True)
class FamilyExclusion:
    """How a policy had come to see a family.

    Attributes:
        no_gain_count: Its latest acquisitions in a row without a gain; None where the policy does not count so.
        excluded: Whether it was left out for it.
    """

    no_gain_count: int | None = None
    excluded: bool = False


def exclusions(context: AcquisitionContext, policy: str, options: Mapping[str, Any]) -> Sequence[FamilyExclusion]:
    """Return how a policy had come to see each family, by code.

    Args:
        context: Of the decision.
        policy: Name or `module:Class`.
        options: Its options.
    """
    if policy == ETAL:
        return _by_history(context, patience_of(policy, options))
    if policy == REFERENCE:
        return _as_published(context, patience_of(policy, options))
    return [FamilyExclusion()] * len(context.pool.families)


def patience_of(policy: str, options: Mapping[str, Any]) -> int:
    """Return after how many acquisitions without a gain a built-in policy excludes a family: its option `patience`."""
    module, _, name = BUILT_IN[policy].partition(":")
    default = inspect.signature(getattr(importlib.import_module(module), name)).parameters["patience"].default
    return int(options.get("patience", default))


def _by_history(context: AcquisitionContext, patience: int) -> list[FamilyExclusion]:
    from agent.acquisition.family_history import Histories
    from agent.surrogate.growing import GrowthSettings
    from agent.surrogate.standardise import Standardisation

    features = context.pool.features.shape[1]
    unused = Standardisation(np.zeros(features), np.ones(features), np.ones(features, dtype=bool))  # by no surrogate
    followed = [
        Histories(context.pool, target_property.measure, unused, GrowthSettings()).follow(context, values, stds)
        for (target_property, values), stds in zip(context.target_values, context.target_uncertainties, strict=True)
    ]
    no_gain_count = [min(history.no_gain_count for history in of_family) for of_family in zip(*followed, strict=True)]
    return [FamilyExclusion(count, count >= patience) for count in no_gain_count]


def _as_published(context: AcquisitionContext, patience: int) -> list[FamilyExclusion]:
    from agent.acquisition.etal_reference import is_excluded

    codes = context.pool.family_codes[context.observed]
    positions = np.searchsorted(context.observed, context.acquired)
    is_start = np.ones(len(context.observed), dtype=bool)
    is_start[positions] = False
    told = []
    for code in range(len(context.pool.families)):
        start = context.values[is_start & (codes == code)]
        acquired = context.values[positions[codes[positions] == code]]
        told.append(FamilyExclusion(None, is_excluded(start, acquired, patience)))
    return told
