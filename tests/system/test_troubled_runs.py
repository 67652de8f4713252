"""A run that its scenario kills, or whose network it spoils, ends with the decisions of an undisturbed one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scenarios.settings.crashes import CrashSettings
from scenarios.settings.network import NetworkSettings
from tests.support.commands import Workbench, until

pytestmark = pytest.mark.system

LATENCY = "\n[simulator.latency]\nmean_s = 0.05\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        lab = made.folder / "lab.toml"
        lab.write_text(lab.read_text() + LATENCY)
        yield made


def decided(bench: Workbench, campaign: str) -> list[tuple[object, ...]]:
    return bench.rows(
        "SELECT json_extract(payload, '$.decision'), json_extract(payload, '$.candidate_ids') FROM journal "
        "WHERE kind = 'DecisionMade' ORDER BY sequence",
        campaign,
    )


def test_a_run_that_is_killed_three_times_decides_as_one_that_is_not(bench: Workbench) -> None:
    assert bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "calm").code == 0
    killed = bench.entropilot("run", "lab.toml", "--json", "--campaign", "killed", "--set", "crashes.at=[3,7,8]")
    assert killed.code == 0, killed.err
    assert killed.err.count("resuming it") == 3
    assert json.loads(killed.out)["observations"] == 36
    assert decided(bench, "killed") == decided(bench, "calm")
    replayed = json.loads(bench.entropilot("replay", "killed", "--json").out)
    assert (replayed["all_identical"], replayed["starts"], replayed["identical"]) == (True, 4, 12)
    assert bench.entropilot("verify", "killed").code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_run_that_is_asked_to_end_between_crashes_ends_and_can_be_resumed(
    bench: Workbench, number: signal.Signals
) -> None:
    slow = ("--set", "simulator.latency.mean_s=0.4", "--set", "crashes.at=[2,6]", "--campaign", "killed")
    running = bench.start("run", "lab.toml", "--quiet", *slow)
    bench.wait_for_events("ResultAccepted", 3, "killed")
    running.process.send_signal(number)
    told = running.finish()
    assert (told.code, told.err.count("resume it with --resume --campaign killed")) == (130, 1)
    ended = bench.entropilot("run", "lab.toml", "--json", "--resume", *slow)
    assert ended.code == 0, ended.err
    assert ended.err.count("resuming it") == 1, "what is past is not repeated"
    assert json.loads(ended.out)["spent"] == 12


def the_one_that_lives(bench: Workbench) -> int:
    """Wait until the campaign has a result, and return the process that holds its lock."""
    bench.wait_for_events("ResultAccepted", 1, "killed")
    return int((bench.runs / "killed" / "campaign.lock").read_text())


def test_nothing_is_left_over_when_the_command_itself_is_killed(bench: Workbench) -> None:
    slow = ("--set", "simulator.latency.mean_s=1", "--set", "crashes.at=[11]", "--campaign", "killed")
    running = bench.start("run", "lab.toml", "--quiet", *slow)
    life = the_one_that_lives(bench)
    assert life != running.process.pid
    running.process.kill()
    running.finish()
    until(lambda: not psutil.pid_exists(life), "it lives on alone")
    assert bench.entropilot("run", "lab.toml", "--quiet", "--resume", *slow).code == 0


def test_a_kill_that_the_scenario_does_not_say_is_told(bench: Workbench) -> None:
    slow = ("--set", "simulator.latency.mean_s=1", "--set", "crashes.at=[2]", "--campaign", "killed")
    running = bench.start("run", "lab.toml", "--quiet", *slow)
    bench.wait_for_events("ResultAccepted", 3, "killed")
    os.kill(the_one_that_lives(bench), signal.SIGKILL)
    told = running.finish()
    assert (told.code, "killed more often than [crashes] says" in told.err) == (6, True), told.err


def test_a_run_over_a_network_that_is_cut_decides_as_one_over_a_calm_one(bench: Workbench) -> None:
    assert bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "calm").code == 0
    trouble = {"cut_every_s": 1.5, "down_s": 0.1, "stall_every_s": 2.0, "stall_s": 0.2, "latency_s": 0.002}
    settings = [text for name, value in trouble.items() for text in ("--set", f"network.{name}={value}")]
    slow = ("--set", "simulator.latency.mean_s=0.5", "--set", "broker.reconnect_max_s=0.3")
    flaky = bench.entropilot("run", "lab.toml", "--quiet", "--campaign", "flaky", *settings, *slow)
    assert flaky.code == 0, flaky.err
    assert decided(bench, "flaky") == decided(bench, "calm")
    told = (bench.runs / "flaky" / "network.jsonl").read_text()
    assert "network_cut" in told
    assert json.loads(bench.entropilot("replay", "flaky", "--json").out)["all_identical"]


def test_a_broker_with_a_certificate_is_not_led_another_way(bench: Workbench) -> None:
    refused = bench.entropilot(
        "run", "lab.toml", "--broker", "mqtts://localhost:8883", "--set", "network.latency_s=0.1", "--quiet"
    )
    assert (refused.code, "its certificate names another host" in refused.err) == (2, True)


def test_numbers_of_results_ascend_and_a_network_can_be_up() -> None:
    with pytest.raises(ValueError, match="does not ascend"):
        CrashSettings(at=(5, 5))
    with pytest.raises(ValueError, match="nobody is ever up"):
        NetworkSettings(cut_every_s=1.0, down_s=1.0)


def test_a_process_dies_at_the_next_number_that_it_reaches_itself() -> None:
    lives = """
from scenarios.run.crashes import crash_at
crash_at((3, 5), accepted=5)(6)
told = crash_at((3, 5), accepted=4)
told(4)
print("lives", flush=True)
told(5)
print("lives on", flush=True)
"""
    ended = subprocess.run([sys.executable, "-c", lives], check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "lives\n")
