"""What a followed campaign leaves to be asked about."""

from __future__ import annotations

from scenarios.replay.recorded_campaign import RecordedCampaign
from scenarios.run.offline import Measured


def test_values_have_the_uncertainties_that_came_with_them_and_else_none() -> None:
    recorded = RecordedCampaign(uncertainties={"a": (0.1, 0.2)})
    assert recorded.measured("a", (1.0, 2.0)) == Measured((1.0, 2.0), (0.1, 0.2))
    assert recorded.measured("b", (1.0, 2.0)) == Measured((1.0, 2.0), (0.0, 0.0))
