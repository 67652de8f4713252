"""Policies to compare with: uniform draws, uncertainty sampling, and families in turn."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.acquisition.selection import (
    DEFAULT_MAX_TRAINING_ROWS,
    best_two,
    check_whole_number,
    short_reason,
    training_positions,
)
from agent.surrogate.standardise import ColumnMemory


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

    A Gaussian process on the labelled rows of all families. Requests in flight, and the choices before in the same
    proposal, are conditioned on as fantasies and so lower the deviation around them. Without any value the seed
    decides. Reference: D. J. C. MacKay, Neural Comput. 4, 590 (1992).

    Args:
        max_training_rows: Most labelled rows of the fit, at least 4 (see `selection.training_positions`).

    Raises:
        SettingsError: On an option out of its range.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(self, *, max_training_rows: int = DEFAULT_MAX_TRAINING_ROWS) -> None:
        check_whole_number("max_training_rows", max_training_rows, 4)
        self._max_training_rows = max_training_rows
        self._columns = ColumnMemory()

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose up to `count` candidates, each of the largest deviation given those before."""
        from agent.surrogate.gaussian_process import fit  # the policies beside this one start without it

        if len(context.observed) == 0:
            drawn = UniformRandom().propose(context, count)
            return Proposal(drawn.choices, reason=f"without any value there is nothing to score; {drawn.reason}")
        features = context.pool.features
        columns = self._columns.of(features)
        chosen_rows = training_positions(context.observed, context.acquired, self._max_training_rows)
        posterior = fit(columns.apply(features[context.observed[chosen_rows]]), context.values[chosen_rows])
        posterior = posterior.with_fantasies(columns.apply(features[context.pending]))
        left = context.available
        choices: list[Choice] = []
        runner_up: Choice | None = None
        while len(choices) < min(count, len(context.available)):
            if choices:
                posterior = posterior.with_fantasies(columns.apply(features[[choices[-1].index]]))
            _, std = posterior.predict(columns.apply(features[left]))
            choice, runner_up = best_two(left, std)
            choices.append(choice)
            left = left[left != choice.index]
        details = {
            "predicted_std": choices[0].score or 0.0,
            "lengthscale": posterior.hyperparameters.lengthscale,
            "noise_std": posterior.noise_std,
            "n_labelled": float(len(context.observed)),
        }
        reason = f"largest predicted deviation, {choices[0].score:.3g}, of {len(context.available)} candidates"
        return Proposal(tuple(choices), reason, runner_up, details=details)
