"""Policies as users write them: good, failing, and fatal; named as `tests.support.user_policies:Class`."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from agent.acquisition.base import AcquisitionContext, Choice, PoolArrays, Proposal
from agent.pool.candidates import content_id
from agent.pool.growth import NewCandidate
from tests.support.campaigns import content_after


class Farthest:
    """Chooses the available candidates of the largest first feature; tells the process that it ran in."""

    def __init__(self, *, sign: float = 1.0) -> None:
        self._sign = sign

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        print("a print must not break the pipe")
        score = self._sign * context.pool.features[context.available, 0]
        best = context.available[score.argsort(kind="stable")[::-1][:count]]
        choices = tuple(Choice(int(index), float(context.pool.features[index, 0])) for index in best)
        return Proposal(choices, "the farthest", details={"process": float(os.getpid())})


class ContentAfter:
    """Chooses the first ones, and after so many decisions has nothing more to ask for."""

    def __init__(self, *, decisions: int) -> None:
        self._propose = content_after(decisions)

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        return self._propose(context, count)


class NamesTheMeasure:
    """Says which entropy the campaign balances."""

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        measure = context.measure
        return Proposal((Choice(int(context.available[0])),), f"{measure.estimator} to {measure.resolution:g}")


class Raising:
    """Fails."""

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        message = "the matrix is singular"
        raise ArithmeticError(message)


class CheapAndRaising(Raising):
    """Fails inside of the agent's own step."""

    runs_inline = True


class Fatal:
    """Takes its process down, as a fault in a compiled library does."""

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        os._exit(3)


class Silent:
    """Forgets to return."""

    def propose(self, context: AcquisitionContext, count: int) -> None:
        return None


class Slow:
    """Thinks for a minute."""

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        time.sleep(60)
        return Proposal((Choice(int(context.available[0])),), "at last")


class Unpicklable:
    """Returns what cannot leave its process."""

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        return Proposal((Choice(int(context.available[0])),), "odd", details=vars(type(self)))


class First:
    """Chooses the first available candidates, as `tests.support.campaigns.first_available` does."""

    runs_inline = True

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        return Proposal(tuple(Choice(int(index), 1.0) for index in context.available[:count]), "the first ones")


class Beyond:
    """Proposes what is not there."""

    runs_inline = True

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        return Proposal((Choice(len(context.pool.candidate_ids)),), "far out")


class Content:
    """Has nothing to ask for."""

    runs_inline = True

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        return Proposal((), "all is even")


class Growing:
    """Makes two new candidates of the best known one, takes the first and names the second; the rest is of the pool."""

    grows_pool = True

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        pool, size = context.pool, len(context.pool.candidate_ids)
        best = int(context.observed[context.values.argmax()])
        steps = np.random.default_rng(context.seed).normal(size=(2, pool.features.shape[1]))
        new = tuple(new_candidate(pool, best, pool.features[best] + step) for step in steps)
        choices = [Choice(size, 2.0), *(Choice(int(index)) for index in context.available[: count - 1])]
        return Proposal(tuple(choices), "a step from the best", Choice(size + 1, 1.0), new_candidates=new)


def new_candidate(pool: PoolArrays, parent: int, features: np.ndarray[Any, np.dtype[np.float64]]) -> NewCandidate:
    """A candidate beside another one, of its family."""
    return NewCandidate(
        candidate_id=content_id("new", repr(features.tolist())),
        family=pool.families[pool.family_codes[parent]],
        features=tuple(features),
        formula="X",
        parent=pool.candidate_ids[parent],
        origin=f"a step from {pool.candidate_ids[parent]}",
    )


class CheapFirst:
    """Asks for what costs least first, and of as many as are left over for the dear ones; the lowest index first."""

    runs_inline = True
    uses_fidelities = True

    def __init__(self, *, cheap: int = 6) -> None:
        self._cheap = cheap

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        known = context.pool.fidelities
        assert known is not None
        asked = np.concatenate((context.observed, context.pending))
        is_cheap = known.method[context.available] != known.target
        wants_cheap = int((known.method[asked] != known.target).sum()) < self._cheap
        left, rows = context.cost_left, context.available[is_cheap == wants_cheap]
        choices: list[Choice] = []
        for row in rows[:count].tolist():
            left -= int(known.cost[row])
            if left < 0:
                break
            choices.append(Choice(row))
        return Proposal(tuple(choices), "cheap first" if wants_cheap else "then dear")
