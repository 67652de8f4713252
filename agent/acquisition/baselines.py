"""Policies to compare with: uniform draws, uncertainty sampling, and families in turn."""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, PoolArrays, Proposal
from agent.acquisition.grown_surrogate import GrownSurrogate, canonical_order
from agent.acquisition.selection import (
    DEFAULT_MAX_TRAINING_ROWS,
    best_two,
    check_whole_number,
    short_reason,
)
from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.pending_conditioned import PendingConditioned
from agent.surrogate.standardise import ColumnMemory

ROWS_TO_GROW_FROM: Final = 8
"""Fewest labelled rows of a process that grows: one of fewer is fitted at every decision, as each row tells a lot."""


class UniformRandom:
    """The policy "random": every available candidate is equally likely. The baseline of the publication."""

    runs_inline: ClassVar[bool] = True

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Draw up to `count` candidates without replacement, by the seed of the decision."""
        rng = np.random.default_rng(context.seed)
        drawn = rng.choice(context.available, size=min(count, len(context.available)), replace=False)
        choices = tuple(Choice(int(index)) for index in drawn)
        return Proposal(choices, reason=f"drawn at random from {len(context.available)} candidates")


class RoundRobin:
    """The policy "round_robin": the families in turn, at random inside each.

    The family with the fewest values, counting requests in flight, comes first; its name settles what is equal.
    """

    runs_inline: ClassVar[bool] = True

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, one family after the other."""
        pool = context.pool
        rng = np.random.default_rng(context.seed)
        taken = np.concatenate((context.observed, context.pending))
        sizes = np.bincount(pool.family_codes[taken], minlength=len(pool.families))
        # Names are sorted, so the lowest code is the first name, and argmin returns it.
        left = context.available
        choices: list[Choice] = []
        first: tuple[int, int] | None = None
        while len(choices) < min(count, len(context.available)):
            codes = np.unique(pool.family_codes[left])
            code = int(codes[np.argmin(sizes[codes])])
            first = first or (code, int(sizes[code]))
            index = int(rng.choice(left[pool.family_codes[left] == code]))
            choices.append(Choice(index))
            sizes[code] += 1
            left = left[left != index]
        if first is None:
            return Proposal((), reason="no candidate is available")
        family = pool.families[first[0]]
        reason = f"{family} has the fewest values ({first[1]}, requests in flight included)"
        return Proposal(tuple(choices), short_reason(reason), target_family=family)


class Uncertainty:
    """The policy "uncertainty": the candidate of the largest posterior deviation, whatever its family.

    A Gaussian process on the labelled rows of all families, grown row by row (`surrogate.growing`). Requests in flight,
    and the choices before in the same proposal, lower the deviation around them, whatever they will bring. Without any
    value the seed decides. Reference: D. J. C. MacKay, Neural Comput. 4, 590 (1992).

    Args:
        max_training_rows: Most labelled rows of a fit, at least 4 (see `surrogate.growing.GrowthSettings`).

    Raises:
        SettingsError: On an option out of its range.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(self, *, max_training_rows: int = DEFAULT_MAX_TRAINING_ROWS) -> None:
        check_whole_number("max_training_rows", max_training_rows, 4)
        self._growth = GrowthSettings(max_fit_rows=max_training_rows, max_rows=max_training_rows)
        self._columns = ColumnMemory()
        self._kept: tuple[PoolArrays, GrownSurrogate] | None = None

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each of the largest deviation given those before."""
        if len(context.observed) == 0:
            drawn = UniformRandom().propose(context, count)
            return Proposal(drawn.choices, reason=f"without any value there is nothing to score; {drawn.reason}")
        surrogate = self._surrogate(context.pool)
        process = self._process(surrogate, context)
        posterior = PendingConditioned(process)
        posterior.extend(surrogate.standardised(context.pending))
        left = context.available
        choices: list[Choice] = []
        runner_up: Choice | None = None
        while len(choices) < min(count, len(context.available)):
            if choices:
                posterior.extend(surrogate.standardised(np.array([choices[-1].index])))
            choice, runner_up = best_two(left, posterior.std()[left])
            choices.append(choice)
            left = left[left != choice.index]
        details = {
            "predicted_std": choices[0].score or 0.0,
            "lengthscale": process.lengthscale,
            "noise_std": process.noise_std,
            "n_labelled": float(len(context.observed)),
        }
        reason = f"largest predicted deviation, {choices[0].score:.3g}, of {len(context.available)} candidates"
        return Proposal(tuple(choices), reason, runner_up, details=details)

    def _surrogate(self, pool: PoolArrays) -> GrownSurrogate:
        if self._kept is None or self._kept[0] is not pool:
            columns = self._columns.of(pool.features)
            everything = np.arange(len(pool.features))
            self._kept = (
                pool, GrownSurrogate(pool.features, everything, columns, self._growth, least_rows=ROWS_TO_GROW_FROM)
            )  # fmt: skip
        return self._kept[1]

    @staticmethod
    def _process(surrogate: GrownSurrogate, context: AcquisitionContext) -> GrowingGP:
        order, started = canonical_order(context)
        rows, values = context.observed[order], context.values[order]
        return surrogate.follow(rows, values, started) or surrogate.made_of(rows, values)
