"""What the journal says of the mean gap is held against the observations."""

from __future__ import annotations

import pytest

from agent.campaign.events import BecameEven, CampaignFinished, Event, GapStalled
from agent.campaign.ledger import TrajectoryPoint
from agent.entropy.bias import BiasPoint
from scenarios.effects.truth import AgainstTruth
from scenarios.verify.part import equal_declared, other_finding, other_truth

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


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, None, True), (None, 0.0, False), (0.0, 0.0, True), (34.0, 33.0, False), (1e5, 1e5 + 1e-4, True),
        (0.25, 0.25 * (1 + 3e-11), True), (0.25, 0.2500001, False), (-1.0, 1.0, False),
    ],
)  # fmt: skip
def test_declared_metrics_may_differ_by_what_the_arithmetic_of_machines_does(
    one: float | None, other: float | None, same: bool
) -> None:
    assert equal_declared(one, other) is equal_declared(other, one) is same


def test_how_far_off_effects_are_is_held_against_what_is_computed_again_where_both_are_there() -> None:
    right = AgainstTruth(0.5, 0.9)
    assert other_truth(None, right) == other_truth(right, None) == other_truth(right, right) == ""
    assert "error against the truth = 0.4" in other_truth(AgainstTruth(0.4, 0.9), right)
    assert "held against the truth = 1.0" in other_truth(AgainstTruth(0.5, 1.0), right)
