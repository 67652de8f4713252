"""A slice of every release run: the programs work, and what they promise holds for as long as CI can wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.endurance import kill_loops, soak, usual_way
from tests.endurance.stage import require_mosquitto

pytestmark = pytest.mark.system


def test_ten_kills_at_random_moments_lose_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    require_mosquitto()
    goal = {"agent": 5, "simulator": 3, "broker": 2}
    tally, figures = kill_loops.run(goal, seed=7, budget=120)
    assert tally.problems == []
    assert figures["results"] == 120 * figures["campaigns"]
    assert sum(tally.kills[kind] for kind in goal) >= 10


def test_a_short_soak_keeps_every_queue_bounded_and_loses_nothing(tmp_path: Path) -> None:
    require_mosquitto()
    figures, problems = soak.play(4_000, seed=3, folder=tmp_path, trace=False)
    grew = [problem for problem in problems if problem.startswith("memory grew")]  # so soon, that is the warm-up
    assert [problem for problem in problems if problem not in grew] == []
    assert figures["messages"] >= 4_000
    assert figures["duplicates refused"] > 0


@pytest.mark.parametrize("situation", ["SIGKILL of the agent", "SIGKILL of both"])
def test_ours_keeps_what_the_usual_way_loses(situation: str) -> None:
    require_mosquitto()
    way = "usual" if "agent" in situation else "usual, ack after commit"
    assert usual_way.play(way, situation, 100).lost > 0, "the comparison shows nothing"
    ours = usual_way.play("ours", situation, 100)
    assert (ours.lost, ours.twice) == (0, 0)
