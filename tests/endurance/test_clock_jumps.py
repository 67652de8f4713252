"""No part cares what time it is: a wall clock that jumps changes no decision, no deadline, and loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.endurance.conftest import Judge, Open
from tests.endurance.stage import Terms
from tests.endurance.wall_clock import FakeTime, WallClock

pytestmark = pytest.mark.system

DAY_S = 86_400.0
JUMPS_S = (3 * DAY_S, -400 * DAY_S, 3_600.0, 400 * DAY_S, -DAY_S)
"""Forward and back: a session of a week expires, a year passes, daylight saving begins."""


@pytest.fixture(params=[WallClock, FakeTime])
def clock(request: pytest.FixtureRequest, tmp_path: Path) -> WallClock | FakeTime:
    try:
        made: WallClock | FakeTime = request.param(tmp_path)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return made


def test_the_tool_moves_the_wall_clock_and_leaves_the_monotonic_one(clock: WallClock | FakeTime) -> None:
    look = "import time, datetime as d; print(time.time(), d.datetime.now(d.UTC).timestamp(), time.monotonic())"

    def looked() -> list[float]:
        env = os.environ | dict(clock.env)
        told = subprocess.run([sys.executable, "-c", look], env=env, capture_output=True, text=True, check=True)
        return [float(word) for word in told.stdout.split()]

    before = looked()
    clock.jump(3 * DAY_S)
    after = looked()
    assert [round((late - early) / DAY_S) for early, late in zip(before, after, strict=True)] == [3, 3, 0]


def test_jumps_of_the_wall_clock_of_every_part_change_no_decision(
    clock: WallClock | FakeTime, opened: Open, judged: Judge
) -> None:
    stage = opened(Terms(budget=60, latency_s=0.1), env=clock.env)
    stage.broker.kill()
    stage.broker.start(env=clock.env)
    stage.start()
    for number, seconds in enumerate(JUMPS_S):
        stage.wait_for_results(5 + 10 * number)
        clock.jump(seconds)
        if number == 3:  # a broker that comes back after a year has forgotten every session
            stage.broker.kill()
            stage.broker.start(env=clock.env)
    verdict = judged(stage)
    assert verdict.figures["attempts"] == 60, "an attempt expired because the clock was set"
