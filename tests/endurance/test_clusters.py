"""Whichever part of a campaign on a Dask cluster is killed, nothing is lost, counted twice or left behind."""

from __future__ import annotations

import pytest

from tests.endurance.clusters import kills
from tests.endurance.stage import require_mosquitto

pytestmark = [pytest.mark.system, pytest.mark.slow]


def test_a_campaign_lives_through_the_death_of_every_part_twice() -> None:
    """The slice of `make kills` that every change is held to."""
    require_mosquitto()
    figures, problems = kills.run(2, seed=7, budget=80)
    assert problems == []
    assert {kind: figures[f"kills of a {kind}"] for kind in kills.KINDS} == dict.fromkeys(kills.KINDS, 2)
