"""Whatever becomes of a part's process, nothing is lost, doubled or decided otherwise."""

from __future__ import annotations

import os
import signal
import time

import pytest

from protocols.link.election import PROBATION_S
from tests.endurance.conftest import Judge, Open
from tests.endurance.endings import SIGTERM_S, seconds_to_end
from tests.endurance.stage import CAMPAIGN, LABS, Stage, Terms
from tests.support.commands import Finished, Part, Process, until

pytestmark = pytest.mark.system

BUDGET = 60
KEEPALIVE_S = 2
TIMEOUT_S = 3.0
STOPPED_S = float(os.environ.get("STOPPED_S", "5"))
"""Longer than a broker bears a silent client (1.5 keep-alives), and than an attempt is waited for [s]; a release takes
minutes."""
AGAIN = 2 + round(STOPPED_S / 60)
"""How often what was awaited may be asked for again: labs repeat their answers every two seconds meanwhile, and what is
new comes after that."""
SLOW = Terms(BUDGET, latency_s=3.0)
"""The first agent is still at work when the second looks."""
PARTS = ("agent", LABS[0], "broker")
QUICK = Terms(
    BUDGET,
    latency_s=0.1,
    extra=(f"broker.keepalive_s={KEEPALIVE_S}", f"campaign.request_timeout_s={TIMEOUT_S}"),
)


def process_of(stage: Stage, part: str) -> Process:
    if part == "broker":
        return stage.broker.process
    return (stage.agent if part == "agent" else stage.labs[part]).process


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_stopped_for_longer_than_anybody_waits_goes_on_when_it_is_let(
    part: str, opened: Open, judged: Judge
) -> None:
    stage = opened(QUICK).start()
    stage.wait_for_results(10)
    process = process_of(stage, part)
    process.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    process.send_signal(signal.SIGCONT)
    verdict = judged(stage)
    assert verdict.figures["attempts"] <= BUDGET + AGAIN * QUICK.parallel, "more expired than was awaited"


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_asked_to_end_under_load_ends_in_time_and_is_resumed_again(
    part: str, opened: Open, judged: Judge
) -> None:
    stage = opened(QUICK).start()
    for results in (10, 25):
        stage.wait_for_results(results)
        if part in stage.labs:
            stage.labs[part].wait_for("link_up")  # the other one may have given all results before this one was there
        process = process_of(stage, part)
        assert seconds_to_end(process) < SIGTERM_S
        code = process.returncode
        if part == "broker":
            stage.broker.start()
        elif part == "agent":
            assert (code, "resume it with --resume" in stage.agent.said) == (130, True), stage.agent.said
            assert stage.rows() > results
            stage.start_agent()
        else:
            assert code == 0, stage.labs[part].said
            stage.start_lab(part)
    judged(stage)


def second_agent(stage: Stage, *further: str) -> Part:
    return stage.bench.start(
        "agent", "lab.toml", "--broker", stage.broker.url, "--quiet", "--campaign", CAMPAIGN, *further
    )


def assert_goes_on(stage: Stage) -> None:
    stage.wait_for_results(stage.bench.count("ResultAccepted") + 2)
    assert stage.agent.end().code == 130, stage.agent.said


def test_a_second_agent_on_the_same_run_folder_is_refused(opened: Open) -> None:
    stage = opened(SLOW).start()
    stage.wait_for_results(1)
    ended = second_agent(stage, "--resume").finish()
    assert ended.code == 5
    assert f"Another agent (process {stage.agent.process.pid}) works on" in ended.err
    assert "Traceback" not in ended.err
    assert_goes_on(stage)


def test_a_second_agent_with_a_run_folder_of_its_own_gives_way_and_the_first_goes_on(opened: Open) -> None:
    stage = opened(SLOW).start()
    stage.wait_for_results(1)
    time.sleep(PROBATION_S)  # from then on the first is no newcomer, whatever the names
    ended = second_agent(stage, "--runs", "elsewhere").finish()
    assert_gave_way(ended)
    assert_goes_on(stage)


def test_of_two_agents_that_start_at_once_exactly_one_gives_way(opened: Open) -> None:
    stage = opened(SLOW)
    stage.start()
    second = second_agent(stage, "--runs", "elsewhere")
    until(lambda: any(each.process.poll() is not None for each in (second, stage.agent)), "neither gives way")
    loser, winner = (second, stage.agent) if second.process.poll() is not None else (stage.agent, second)
    assert_gave_way(loser.finish())
    time.sleep(2.0)
    assert winner.process.poll() is None, winner.said
    assert winner.end().code == 130, winner.said


def assert_gave_way(ended: Finished) -> None:
    assert ended.code == 4, ended
    assert "Another agent runs campaign 'lab' on this broker" in ended.err
    assert "Traceback" not in ended.err
