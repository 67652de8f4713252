"""What the journal says of the mean gap is held against the observations."""

from __future__ import annotations

import pytest

from agent.campaign.events import BecameEven, CampaignFinished, Event, GapStalled
from agent.campaign.ledger import TrajectoryPoint
from agent.entropy.bias import BiasPoint
from scenarios.verify.part import other_finding

GAPS = (None, 0.5, 0.3, 0.4)
METRICS = [
    TrajectoryPoint(at, at + 2, BiasPoint(("a",), (1,), (0.0,), gap, gap, gap, "a"), ("a",))
    for at, gap in enumerate(GAPS)
]


@pytest.mark.parametrize(
    "event",
    [BecameEven(2, 0.3 + 1e-12, 0.35), GapStalled(3, 0.4, 1, 0.3, 2, 0.5), CampaignFinished("over")],
    ids=lambda event: type(event).__name__,
)
def test_a_finding_that_the_observations_show_is_sound(event: Event) -> None:
    assert other_finding(event, METRICS) == ""


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (BecameEven(2, 0.2, 0.35), "a mean gap of 0.2 at observation 2; the observations say 0.3"),
        (BecameEven(0, 0.0, 0.35), "a mean gap of 0.0 at observation 0; the observations say None"),
        (BecameEven(4, 0.3, 0.35), "a mean gap of 0.3 at observation 4; the observations say None"),
        (GapStalled(3, 0.4, 1, 0.2, 2, 0.5), "a mean gap of 0.2 at observation 2; the observations say 0.3"),
    ],
)
def test_a_finding_that_they_do_not_show_is_told(event: Event, problem: str) -> None:
    assert other_finding(event, METRICS) == problem
