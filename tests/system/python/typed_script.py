"""What a person writes who checks types strictly: `mypy` checks it with the rest, and `test_typed_script.py` runs it.

A line that says `type: ignore[…]` is a mistake that must be found: an ignored error that is none is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

import entropilot
from agent.acquisition.base import AcquisitionContext, Choice, Proposal

if TYPE_CHECKING:
    entropilot.run(7)  # type: ignore[arg-type]
    entropilot.open_run("x").nothing  # type: ignore[attr-defined]  # noqa: B018
    entropilot.Campaign("x", "hardness")  # type: ignore[call-arg]


class Mine:
    """A policy of one's own."""

    def propose(self, context: AcquisitionContext, count: int) -> Proposal:
        """Choose the first ones."""
        return Proposal(tuple(Choice(int(index)) for index in context.available[:count]), reason="the first ones")


policy: entropilot.Policy = Mine()


def best(run: entropilot.Run) -> float:
    """Return the smallest mean gap of a run [nat], having looked at it in every way."""
    moment = run.at(observation=3)
    assert all(map(repr, (moment, run.why(2), run.name)))
    assert run.verify().is_sound
    filled: float = entropilot.what_if(run, policy="random", fill="simulator").coverage
    assert 0.0 <= filled <= 1.0
    return float(run.trajectory["mean_gap"].min())


async def both(scenario: entropilot.Scenario, frame: pd.DataFrame) -> tuple[entropilot.Run, float]:
    """Run and compare a scenario, and fill in from a frame."""
    run = await entropilot.arun(scenario, budget=4, settings={"campaign.parallel": 2})
    found = await entropilot.acompare(scenario, ["gap_gain", "random"], seeds=2)
    assert entropilot.what_if(run, fill=frame).coverage <= 1.0
    return run, float(found.final["mean_gap"].mean())
