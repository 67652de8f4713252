"""Absent instruments as a person meets them: the agent says for whom it waits, and why it ends without results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.campaign.events import CandidateAbandoned, InstrumentAway, RequestExpired
from protocols.errors import CampaignFellShort
from tests.support.commands import Workbench, until
from tests.system.cases.bench import CAMPAIGN, Case

pytestmark = pytest.mark.system

IMPATIENT = ("--set", "campaign.request_timeout_s=1", "--set", "campaign.evaluation_deadline_s=1")
GIVES_UP_SOON = ("--set", "campaign.max_attempts=1")


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case(tmp_path) as opened:
        yield opened


def reached(bench: Workbench) -> tuple[str, ...]:
    """A broker in a process of its own, and how it is reached."""
    url = bench.start_broker("embedded")
    return ("--broker", url, "--campaign", CAMPAIGN, "--set", 'broker.version="3.1.1"')


def test_an_agent_without_a_lab_says_for_whom_it_waits_and_spends_nothing_until_it_is_there(case: Case) -> None:
    url = reached(case)
    agent = case.start("agent", "lab.toml", *url, "--budget", "6", *IMPATIENT, *GIVES_UP_SOON)
    agent.wait_for("waiting for simulator")
    until(lambda: "waiting_for_instruments" in log_of(case), "the log does not say it")
    ended = agent.end()
    assert ended.code == 130
    report = case.ended("report", CAMPAIGN)
    assert "while it waited for simulator" in " ".join(report.out.split())
    again = case.start("agent", "lab.toml", *url, "--resume", *IMPATIENT, *GIVES_UP_SOON, "--budget", "6")
    again.wait_for("waiting for simulator")
    case.start("simulator", "lab.toml", *url)
    told = again.finish()
    assert told.code == 0, told.err
    assert (case.observed(), case.events(CandidateAbandoned), case.events(RequestExpired)) == (6, 0, 0)
    assert "instruments_are_there" in log_of(case)
    verified = case.ended("verify", CAMPAIGN)
    assert verified.code == 0, verified.out + verified.err
    assert case.ended("replay", CAMPAIGN).code == 0


def test_an_instrument_that_is_killed_costs_no_candidate_and_the_recording_says_the_same_again(case: Case) -> None:
    url = reached(case)
    two = ("--set", 'campaign.recipients=["a","b"]', "--set", "campaign.request_timeout_s=60", *GIVES_UP_SOON)
    slow = ("--set", "simulator.latency.mean_s=0.4", "--set", "simulator.concurrency=1")
    parts = {name: case.start("simulator", "lab.toml", *url, *slow, "--id", name, "--memory", name) for name in "ab"}
    for part in parts.values():
        part.wait_for("link_up")
    agent = case.start("agent", "lab.toml", *url, *two, "--budget", "40", "--quiet")
    case.wait_for_journal(RequestExpired, 0)
    until(lambda: case.observed() >= 4, "nothing is observed")
    parts["b"].kill()
    told = agent.finish()
    assert told.code == 0, told.err
    assert (case.observed(), case.events(CandidateAbandoned)) == (40, 0)
    assert case.events(InstrumentAway) == 1
    free = "json_extract(payload, '$.costs_attempt') = 0"
    assert case.events(RequestExpired, free) == case.events(RequestExpired) > 0
    assert case.number("SELECT count(*) FROM request WHERE outcome = 'instrument away'") > 0
    assert case.ended("verify", CAMPAIGN).code == 0
    assert case.ended("replay", CAMPAIGN).code == 0


def test_a_campaign_without_a_result_says_why_and_has_a_code_of_its_own(case: Case) -> None:
    narrow = ("--budget", "3", "--set", "campaign.valid_range=[8.5,9.0]")
    done = case.ended(*case.campaign(*narrow))
    assert done.code == CampaignFellShort.exit_code
    assert "no result: 3 candidates asked for, 3 abandoned" in done.err
    assert "campaign.valid_range" in done.err
    report = case.ended("report", CAMPAIGN, "--json")
    shortfall = json.loads(report.out)["shortfall"]
    assert shortfall[0] == "no result: 3 candidates asked for, 3 abandoned"
    assert any("broke the campaign's contract" in each for each in shortfall)
    assert "no result: 3 candidates" in case.ended("report", CAMPAIGN).out
    again = case.ended("run", "lab.toml", "--campaign", CAMPAIGN, "--resume", "--json", *narrow)
    assert again.code == CampaignFellShort.exit_code, "it fell short then, and nothing was changed"
    assert json.loads(again.out)["shortfall"] == shortfall


def test_a_time_out_that_is_too_short_is_named(case: Case) -> None:
    silent = (
        "--set",
        "simulator.faults.silent_rate=1.0",
        "--set",
        "campaign.give_up_after=100",
        *IMPATIENT,
        *GIVES_UP_SOON,
    )
    done = case.ended(*case.campaign("--budget", "4", *silent))
    assert done.code == CampaignFellShort.exit_code, done.err
    assert "within request_timeout_s = 1 s" in done.err
    assert "no result" in done.err


def log_of(case: Case) -> str:
    log = case.run_folder / "agent.jsonl"
    return log.read_text(encoding="utf-8") if log.exists() else ""
