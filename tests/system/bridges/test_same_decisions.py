"""One campaign on every kind of broker: the same candidates, for the same reasons, and the same values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protocols.link.credentials import AGENT
from tests.support.commands import Workbench
from tests.support.lab_brokers.mosquitto import INSTRUMENT
from tests.support.lab_brokers.way import Way

pytestmark = pytest.mark.system

TERMS = ("--budget", "12", "--policy", "gap_gain", "--set", "campaign.parallel=3")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the campaign is on the embedded broker."""
    with Workbench(tmp_path_factory.mktemp("embedded")) as bench:
        url = bench.start_broker("embedded")
        campaign = played(bench, Way(url), "3.1.1")
    assert sum(len(each.get("candidate_ids", ())) for each in campaign) == 12
    return campaign


def played(bench: Workbench, way: Way, version: str) -> list[dict[str, Any]]:
    """Play the campaign; return its decisions and values.

    In which order answers come is the broker's and the clock's, and so is the journal's row that a decision follows.
    """
    lab = bench.start("simulator", "lab.toml", "--id", INSTRUMENT, *way.flags(INSTRUMENT, version), env=way.environment)
    lab.wait_for("link_up")
    ended = bench.entropilot("agent", "lab.toml", "--quiet", *TERMS, *way.flags(AGENT, version), env=way.environment)
    assert (ended.code, ended.err) == (0, "")
    served = lab.end()
    assert served.code == 0, served.err
    assert bench.rows("SELECT count(*) FROM quarantine") == [(0,)]
    assert bench.summary()["retries"] == bench.summary()["duplicates"] == 0
    verified = bench.entropilot("verify", "lab")
    assert verified.code == 0, verified.out
    decisions = "SELECT payload FROM journal WHERE kind = 'DecisionMade' ORDER BY sequence"
    values = "SELECT candidate_id, value FROM observation WHERE attempt_id IS NOT NULL ORDER BY candidate_id"
    made = [json.loads(row[0]) | {"based_on": None} for row in bench.rows(decisions)]
    return [*made, {"values": bench.rows(values)}]


@pytest.mark.parametrize("version", ["5", "3.1.1"])
@pytest.mark.parametrize("listener", ["mqtt", "mutual", "ws"])
def test_a_campaign_is_the_same_on_mosquitto(
    listener: str, version: str, tmp_path: Path, mosquitto_ways: dict[str, Way], expected: list[dict[str, Any]]
) -> None:
    with Workbench(tmp_path) as bench:
        assert played(bench, mosquitto_ways[listener], version) == expected


@pytest.mark.parametrize(("listener", "version"), [("mqtt", "3.1.1"), ("mqtt", "auto"), ("ws", "3.1.1")])
def test_a_campaign_is_the_same_on_rabbitmq(
    listener: str, version: str, tmp_path: Path, rabbitmq_ways: dict[str, Way], expected: list[dict[str, Any]]
) -> None:
    with Workbench(tmp_path) as bench:
        assert played(bench, rabbitmq_ways[listener], version) == expected
