"""The policy "uncertainty": where the model knows least, whatever the family."""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, PoolArrays, Proposal
from agent.acquisition.baselines import UniformRandom
from agent.acquisition.grown_surrogate import GrownSurrogate, canonical_order
from agent.acquisition.selection import DEFAULT_MAX_TRAINING_ROWS, best_two, check_whole_number
from agent.surrogate.growing import GrowingGP, GrowthSettings
from agent.surrogate.pending_conditioned import PendingConditioned
from agent.surrogate.standardise import ColumnMemory

DEFAULT_MEMORY_MB: Final = 1_024
"""Memory of the whitened covariances [MiB]: a million rows with 250 values in single precision."""

ROWS_TO_GROW_FROM: Final = 8
"""Fewest labelled rows of a process that grows: one of fewer is fitted at every decision, as each row tells a lot."""


class Uncertainty:
    """The policy "uncertainty": the candidate of the largest posterior deviation, whatever its family.

    A Gaussian process on the labelled rows of all families, grown row by row (`surrogate.growing`). Requests in flight,
    and the choices before in the same proposal, lower the deviation around them, whatever they will bring. Without any
    value the seed decides. Reference: D. J. C. MacKay, Neural Comput. 4, 590 (1992).

    Args:
        max_training_rows: Most labelled rows of a fit, at least 4 (see `surrogate.growing.GrowthSettings`).

        memory_mb: Most memory of the covariances with the candidates, at least 0 [MiB]. Where they take more, they are
            computed again for each value that comes, block by block: the same choice, but for rounding.

    Raises:
        SettingsError: On an option out of its range.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(
        self, *, max_training_rows: int = DEFAULT_MAX_TRAINING_ROWS, memory_mb: int = DEFAULT_MEMORY_MB
    ) -> None:
        check_whole_number("max_training_rows", max_training_rows, 4)
        check_whole_number("memory_mb", memory_mb, 0)
        self._growth = GrowthSettings(
            max_fit_rows=max_training_rows, max_rows=max_training_rows, memory_bytes=memory_mb * 1024**2
        )
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
        rows, values, stds = context.observed[order], context.values[order], context.target_uncertainties[0][order]
        return surrogate.follow(rows, values, stds, started) or surrogate.made_of(rows, values, stds)
