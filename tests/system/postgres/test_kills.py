"""A slice of the kills that a release is held to: `python -m tests.endurance.postgres.kills` does 60."""

from __future__ import annotations

import pytest

from tests.endurance.postgres import kills
from tests.endurance.stage import require_mosquitto
from tests.support.databases.postgres_server import postgres_server

pytestmark = pytest.mark.system


def test_kills_of_agent_back_end_and_server_lose_nothing() -> None:
    require_mosquitto()
    postgres_server()
    figures, problems = kills.run(6, seed=3, budget=80)
    assert problems == []
    assert figures["kills"] >= 6
    assert figures["results"] == 80 * figures["campaigns"]
