"""Policies as users write them: good, failing, and fatal; named as `tests.support.user_policies:Class`."""

from __future__ import annotations

import os
import time

from agent.acquisition.base import AcquisitionContext, Choice, Proposal
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
