"""The command `alerts` beside a campaign: what needs a person is told once, to a real server and a real program."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocols.link.broker_settings import MqttVersion
from tests.support.commands import Workbench, until
from tests.support.receivers.webhook import Webhook, webhook
from tests.system.test_bad_messages import BASE, SIMULATOR, Stranger

pytestmark = pytest.mark.system

SLOW = ("--quiet", "--set", "simulator.latency.mean_s=3")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        yield made


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as made:
        yield made


def settings(bench: Workbench, hook: Webhook, rules: str) -> Path:
    """Write a file of alerts to a webhook, and to a program that appends the kind to a file."""
    program = "import os; open('kinds', 'a').write(os.environ['ENTROPILOT_ALERT_KIND'] + '\\n')"
    path = bench.folder / "alerts.toml"
    path.write_text(
        f"""
[alerts]
every_s = 0.2

[alerts.on]
{rules}

[[alerts.to]]
name = "hook"
webhook = "{hook.address}"

[[alerts.to]]
name = "program"
command = {json.dumps([sys.executable, "-c", program])}
""",
        encoding="utf-8",
    )
    return path


def kinds(hook: Webhook) -> list[str]:
    return [each["kind"] for each in hook.bodies]


def lines(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


def test_a_killed_agent_and_the_end_of_its_campaign_are_told_once_each(bench: Workbench, hook: Webhook) -> None:
    path = settings(bench, hook, "agent_gone_s = 0.5\nfinished = true")
    running = bench.start("run", "lab.toml", *SLOW)
    bench.wait_for_events("ResultAccepted", 1)
    watching = bench.start("alerts", path)
    until((bench.runs / ".alerts.json").exists, "it has not looked")
    running.kill()
    hook.statuses = [503]
    until(lambda: kinds(hook) == ["agent_gone", "agent_gone"], f"the failure was not repeated: {watching.said}")
    done = bench.entropilot("run", "lab.toml", "--quiet", "--resume", "--campaign", "lab")
    assert done.code == 0, done.err
    until(lambda: "finished" in kinds(hook), "the end was not told")
    ended = watching.end()
    assert ended.code == 0, ended.err
    assert kinds(hook) == ["agent_gone", "agent_gone", "finished"]
    assert hook.bodies[0]["id"] == hook.bodies[1]["id"], "the same one, repeated"
    assert (bench.folder / "kinds").read_text().splitlines() == ["agent_gone", "finished"]
    assert [each["event"] for each in lines(ended.out) if each["event"] == "alert"] == ["alert"] * 2
    assert bench.entropilot("alerts", path, "--once").code == 0
    assert len(hook.bodies) == 3, "a restart tells nothing twice"


def test_an_instrument_that_says_nothing_and_bias_are_told_and_an_operator_s_pause_is_not(
    bench: Workbench, hook: Webhook
) -> None:
    path = settings(bench, hook, "instrument_silent_s = 0.1\npaused_itself = true\nagent_gone_s = 600")
    bench.start("run", "lab.toml", "--quiet", "--set", "simulator.latency.mean_s=60")
    bench.wait_for_events("RequestIssued", 1)
    assert bench.entropilot("control", "lab", "pause").code == 0
    until(lambda: bench.entropilot("alerts", path, "lab", "--once").code == 0 and bool(hook.bodies), "nothing was told")
    assert kinds(hook) == ["instrument_silent"]
    assert hook.bodies[0]["subject"] == "simulator-1"
    assert "holds 4 requests" in hook.bodies[0]["words"]


def test_a_campaign_that_pauses_itself_is_told_and_one_whose_bias_grows(bench: Workbench, hook: Webhook) -> None:
    path = settings(bench, hook, "paused_itself = true\nbias_above_best = 0.001")
    slow = ("--quiet", "--set", "simulator.latency.mean_s=0.3")
    broken = ("--set", "simulator.faults.failure_rate=1", "--set", "campaign.give_up_after=3")
    bench.start("run", "lab.toml", *slow, *broken, "--campaign", "broken")
    bench.start("run", "lab.toml", *slow, "--policy", "random", "--budget", "60", "--campaign", "worse")
    bench.wait_for_events("RequestIssued", 1, "broken")
    bench.wait_for_events("ResultAccepted", 1, "worse")
    watching = bench.start("alerts", path)
    until(lambda: {"paused_itself", "bias_above_best"} <= set(kinds(hook)), f"not both were told: {watching.said}")
    assert watching.end().code == 0
    told = {each["kind"]: each for each in hook.bodies}
    assert (told["paused_itself"]["run"], told["bias_above_best"]["run"]) == ("broken", "worse")
    assert "at its best" in told["bias_above_best"]["words"]
    assert kinds(hook).count("paused_itself") == 1


def test_many_messages_that_are_put_aside_are_told(bench: Workbench, hook: Webhook) -> None:
    path = settings(bench, hook, "quarantined_per_minute = 10")
    url = bench.start_broker("embedded")
    bench.start("simulator", "lab.toml", "--broker", url, "--set", "simulator.latency.mean_s=2")
    bench.start("agent", "lab.toml", "--broker", url, "--quiet", "--budget", "50", "--set", "campaign.parallel=1")
    bench.wait_for_events("ResultAccepted", 1)
    watching = bench.start("alerts", path, "lab")
    until((bench.runs / ".alerts.json").exists, "it has not looked")

    async def talk() -> None:
        async with Stranger(url, MqttVersion.V311).connected() as stranger:
            for number in range(40):
                await stranger.say(f"{BASE}/result/{SIMULATOR}", f"nonsense {number}".encode())

    asyncio.run(talk())
    until(lambda: kinds(hook) == ["quarantine_rate"], f"it was not told: {watching.said}")
    assert watching.end().code == 0
    assert re.fullmatch(r"(1[1-9]|[23]\d|40) messages were put aside within a minute", hook.bodies[0]["words"])


def test_rules_that_a_broker_tells_nothing_for_are_named(bench: Workbench, hook: Webhook) -> None:
    path = settings(bench, hook, "quarantined_per_minute = 10\nfinished = true\ninstrument_silent_s = 5")
    url = bench.start_broker("embedded")
    ended = bench.entropilot("alerts", path, "--broker", url, "--once")
    assert ended.code == 0, ended.err
    first = lines(ended.out)[0]
    assert (first["event"], first["rules"]) == ("rules_not_seen", ["instrument_silent_s", "quarantined_per_minute"])


def test_a_dry_run_tells_nobody_and_wrong_settings_are_all_told_at_once(bench: Workbench, hook: Webhook) -> None:
    path = settings(bench, hook, "instrument_silent_s = 0.1")
    bench.start("run", "lab.toml", "--quiet", "--set", "simulator.latency.mean_s=60")
    bench.wait_for_events("RequestIssued", 1)
    shown = bench.entropilot("alerts", path, "--once", "--dry-run")
    until(lambda: "instrument_silent" in bench.entropilot("alerts", path, "--once", "--dry-run").out, shown.out)
    assert hook.bodies == []
    assert not (bench.runs / ".alerts.json").exists()
    path.write_text('[alerts]\nevery_s = "often"\n[alerts.on]\npaused_itsel = true\n')
    wrong = bench.entropilot("alerts", path)
    assert wrong.code == 2
    assert "every_s" in wrong.err
    assert "paused_itself" in wrong.err, "a suggestion"


def test_campaigns_of_a_broker_are_looked_at_from_anywhere(bench: Workbench, hook: Webhook) -> None:
    url = bench.start_broker("embedded")
    bench.start("simulator", "lab.toml", "--broker", url, "--set", "simulator.latency.mean_s=2")
    path = settings(bench, hook, "finished = true")
    agent = bench.start("agent", "lab.toml", "--broker", url, "--quiet")
    bench.wait_for_events("ResultAccepted", 1)
    watching = bench.start("alerts", path, "--broker", url, "--memory", "told.json")
    until(lambda: "lab" in (bench.folder / "told.json").read_text() if (bench.folder / "told.json").exists() else False,
          f"it has not looked: {watching.said}")  # fmt: skip
    assert agent.finish().code == 0
    until(lambda: kinds(hook) == ["finished"], f"the end was not told: {watching.said}")
    assert watching.end().code == 0
