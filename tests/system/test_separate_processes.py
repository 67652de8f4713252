"""Broker, simulator and agent as three processes: started in any order, killed and started again, sharing the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.errors import BrokerError, SettingsError
from scenarios.broker.broker import find_mosquitto
from tests.support.commands import Part, Workbench

pytestmark = pytest.mark.system

BUDGET = 30
SLOW = ("--set", "simulator.latency.mean_s=0.1", "--set", "simulator.latency.distribution=exponential")
"""Latency that leaves time to kill somebody."""

TO_ANY = ("--set", 'campaign.recipients=["any"]')


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.fixture(params=["embedded", "mosquitto"])
def url(request: pytest.FixtureRequest, bench: Workbench) -> str:
    """A broker in a process of its own."""
    require(request.param)
    return bench.start_broker(request.param)


def require(kind: str) -> None:
    try:
        find_mosquitto()
    except BrokerError as error:
        if kind == "mosquitto":
            pytest.skip(error.found)


def reached(url: str) -> tuple[str, ...]:
    """Flags that reach the broker."""
    return ("--broker", url, "--set", "broker.reconnect_min_s=0.1")


def agent(bench: Workbench, url: str, *additional: str) -> Part:
    budget = ("--budget", str(BUDGET), "--set", "campaign.max_attempts=10")
    return bench.start("agent", "lab.toml", *reached(url), *budget, "--quiet", *additional)


def simulator(bench: Workbench, url: str, *additional: str) -> Part:
    return bench.start("simulator", "lab.toml", *reached(url), *additional)


def assert_everything_was_observed_once(bench: Workbench, ended: Part) -> None:
    told = ended.finish()
    assert (told.code, told.out, told.err) == (0, "", "")
    summary = bench.summary()
    assert (summary["spent"], summary["stopped_because"]) == (BUDGET, "the budget is spent")
    accepted = bench.rows("SELECT json_extract(payload, '$.candidate_id') FROM journal WHERE kind = 'ResultAccepted'")
    assert len(accepted) == len(set(accepted)) == BUDGET
    assert bench.rows("SELECT count(*), count(DISTINCT candidate_id) FROM observation") == [(24 + BUDGET, 24 + BUDGET)]


def test_a_simulator_that_starts_after_the_agent_serves_it_and_all_end_in_order(url: str, bench: Workbench) -> None:
    asking = agent(bench, url)
    bench.wait_for_events("RequestIssued", 4)
    serving = simulator(bench, url)
    assert_everything_was_observed_once(bench, asking)
    assert bench.summary()["retries"] == 0
    served = serving.end()
    assert (served.code, served.out) == (0, "")  # its log goes to standard error
    assert f"delivered={BUDGET}" in served.err
    assert f"evaluated={BUDGET}" in served.err
    assert not bench.runs.joinpath("lab", "simulator.jsonl").exists()  # the agent's folder holds the agent's files
    for part in bench.parts:
        if part.process.poll() is None:
            assert part.end().code == 0


def test_a_simulator_that_is_killed_and_started_again_costs_attempts_and_no_candidate(
    url: str, bench: Workbench
) -> None:
    serving = simulator(bench, url, *SLOW)
    asking = agent(bench, url)
    for accepted in (5, 15):
        bench.wait_for_events("ResultAccepted", accepted)
        serving.kill()
        serving = simulator(bench, url, *SLOW)
    assert_everything_was_observed_once(bench, asking)
    failed = bench.rows("SELECT DISTINCT json_extract(payload, '$.reason') FROM journal WHERE kind = 'AttemptFailed'")
    assert failed in ([], [("interrupted",)])
    assert bench.summary()["retries"] == bench.count("AttemptFailed")


def test_two_simulators_share_the_work_of_requests_to_any(url: str, bench: Workbench) -> None:
    names = ("sim-a", "sim-b")
    serving = {name: simulator(bench, url, *SLOW, "--id", name).wait_for("link_up") for name in names}
    assert_everything_was_observed_once(bench, agent(bench, url, *TO_ANY))
    shares = shares_of(bench)
    assert set(shares) == set(names)
    assert min(shares.values()) >= BUDGET // 5, shares
    for name, part in serving.items():
        assert f"evaluated={shares[name]} " in part.end().err + " "


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_two_instruments_of_a_run_share_the_work_of_requests_to_any(kind: str, bench: Workbench) -> None:
    require(kind)
    two = [part for name in ("sim-a", "sim-b") for part in ("--set", f"simulators.{name}.concurrency=1")]
    told = bench.entropilot(
        "run", "lab.toml", "--quiet", "--broker", kind, "--budget", str(BUDGET), *SLOW, *two, *TO_ANY
    )
    assert told.code == 0, told.err
    assert (bench.summary()["spent"], bench.summary()["retries"], bench.summary()["duplicates"]) == (BUDGET, 0, 0)
    shares = shares_of(bench)
    assert set(shares) == {"sim-a", "sim-b"}
    assert min(shares.values()) >= BUDGET // 5, shares


def test_a_run_whose_broker_may_give_a_request_to_all_its_instruments_is_refused(bench: Workbench) -> None:
    two = ("--set", "simulators.sim-a.concurrency=1", "--set", "simulators.sim-b.concurrency=1")
    elsewhere = ("--broker", "mqtt://127.0.0.1:1", "--set", 'broker.version="3.1.1"')
    told = bench.entropilot("run", "lab.toml", "--quiet", *elsewhere, *two, *TO_ANY)
    assert told.code == SettingsError.exit_code
    assert "All 2 instruments would take every request to 'any'" in told.err
    assert "broker.version" in told.err


def shares_of(bench: Workbench) -> Counter[str]:
    """How many results each instrument had."""
    rows = bench.rows("SELECT json_extract(payload, '$.simulator') FROM journal WHERE kind = 'ResultAccepted'")
    return Counter(name for (name,) in rows)
