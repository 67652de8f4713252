"""Policies to compare with that need no model: uniform draws, and families in turn."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
from agent.acquisition.selection import short_reason


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
