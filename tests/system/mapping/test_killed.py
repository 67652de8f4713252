"""A lab that knows no ids and no receipts: no attempt is carried out twice, and no value is taken for another's."""

from __future__ import annotations

import random
import time

import pytest

from scenarios.broker.broker import LOOPBACK
from tests.support.commands import Workbench
from tests.support.mapping.campaigns import CAMPAIGN, agent, assert_done, named, results, working
from tests.support.mapping.devices import Press, density
from tests.support.mapping.scenarios import BUDGET, PRESSURE, write_recipes

pytestmark = pytest.mark.system

KILLS = 5
PATIENT = {"request_timeout_s": 6, "max_attempts": 20}
"""A request whose sending a kill interrupted is over soon."""


def test_an_agent_that_is_killed_at_work_asks_for_nothing_twice(bench: Workbench, port: int) -> None:
    rows = {row["id"]: row for row in write_recipes(bench.folder, PRESSURE, "density", "g/cm^3", **PATIENT)}
    moments = random.Random(7)
    with working(Press(LOOPBACK, port, slow_s=0.2)) as press:
        working_agent = agent(bench, port, "plc")
        for kill in range(KILLS):
            bench.wait_for_events("RequestIssued", kill + 1, CAMPAIGN)
            time.sleep(moments.uniform(0.0, 0.5))
            working_agent.kill()
            working_agent = agent(bench, port, "plc", "--resume")
        assert_done(bench, working_agent)
    issued = bench.count("RequestIssued", CAMPAIGN)
    carried_out = sum(topic.endswith("/CMD/start") for topic, _ in press.heard)
    assert BUDGET <= carried_out <= issued
    for result in results(bench):
        row = rows[named(result["candidate_id"])]
        assert result["quantities"][0]["value"] == pytest.approx(density(row["temperature"], row["pressure"]), abs=1e-5)
    assert bench.count("ResultContradicted", CAMPAIGN) == 0


def test_an_agent_that_never_reached_its_broker_asks_when_it_does(bench: Workbench, port: int) -> None:
    write_recipes(bench.folder, PRESSURE, "density", "g/cm^3", request_timeout_s=3600)
    unreached = agent(bench, 1, "plc", "--set", "broker.first_connect_timeout_s=0.5").finish()
    assert unreached.code == 4
    assert bench.count("RequestIssued", CAMPAIGN) == 1
    with working(Press(LOOPBACK, port)) as press:
        assert_done(bench, agent(bench, port, "plc", "--resume"))
        assert sum(topic.endswith("/CMD/start") for topic, _ in press.heard) == BUDGET
