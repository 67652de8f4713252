"""The command `alerts` beside a campaign: what needs a person is told once, to a real server and a real program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Workbench, until
from tests.support.receivers.webhook import Webhook, webhook

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
