"""Whatever becomes of the broker or the way to it, nothing is lost, doubled or decided otherwise."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from scenarios.broker.tcp_proxy import BOTH, Direction
from tests.endurance.conftest import Judge, Open
from tests.endurance.stage import Stage, Terms, wait_until
from tests.support.tcp_proxy import SpoilingFaults, SpoilingProxy

pytestmark = pytest.mark.system

BUDGET = 60
KEEPALIVE_S = 2
QUICK = (f"broker.keepalive_s={KEEPALIVE_S}", "campaign.request_timeout_s=5.0")
RESUME_S = 60.0
"""What the design promises after a link has healed."""
MARGIN_S = 20.0
"""What a loaded machine may add. Where we still hear and are no longer heard it is the broker that notices: Mosquitto
waits for one and a half keep-alives, and looks in its own time."""


def link_events(stage: Stage, what: str) -> int:
    """How often the agent's log says that the link went down, or came up."""
    log = stage.database.with_name("agent.jsonl")
    lines = log.read_text().splitlines() if log.exists() else []
    return sum(json.loads(line)["event"] == what for line in lines if line.endswith("}"))


@pytest.mark.parametrize("persistent", [True, False], ids=["autosave", "defaults"])
@pytest.mark.parametrize("wiped", [True, False], ids=["wiped", "kept"])
def test_a_broker_that_is_killed_comes_back_with_or_without_its_memory(
    persistent: bool, wiped: bool, opened: Open, judged: Judge
) -> None:
    stage = opened(Terms(BUDGET), persistent=persistent).start()
    for results in (8, 24, 40):
        stage.wait_for_results(results)
        stage.broker.kill()
        if wiped:
            stage.broker.wipe()
        stage.broker.start()
    judged(stage)


@pytest.fixture
def proxied(opened: Open) -> Iterator[tuple[Stage, SpoilingProxy, SpoilingProxy]]:
    """A campaign whose agent and labs reach the broker through a proxy each."""
    stage = opened(Terms(BUDGET, extra=QUICK))
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(SpoilingProxy(stage.broker.port, seed=seed)) for seed in (1, 2))
        stage.url, stage.lab_url = ours.url, theirs.url
        yield stage.start(), ours, theirs


Proxied = tuple[Stage, SpoilingProxy, SpoilingProxy]


@pytest.mark.parametrize(
    "faults", [SpoilingFaults(delay_s=0.05), SpoilingFaults(rate_bytes_s=20_000.0)], ids=["delay", "rate"]
)
def test_a_slow_link_costs_time_and_nothing_else(faults: SpoilingFaults, proxied: Proxied, judged: Judge) -> None:
    stage, ours, theirs = proxied
    stage.wait_for_results(5)
    ours.faults, theirs.faults = faults, faults
    stage.wait_for_results(40)
    ours.heal()
    theirs.heal()
    judged(stage)


@pytest.mark.parametrize("end", ["cut", "half_close"])
def test_a_link_that_is_ended_again_and_again_is_made_anew(end: str, proxied: Proxied, judged: Judge) -> None:
    stage, ours, theirs = proxied
    for number in range(10):
        stage.wait_for_results(3 + 5 * number)
        getattr((ours, theirs)[number % 2], end)()
    judged(stage)
    assert ours.counts["connections"] >= 6
    assert theirs.counts["connections"] >= 7


@pytest.mark.parametrize("hold", [BOTH, frozenset({Direction.UP}), frozenset({Direction.DOWN})],
                         ids=["dead", "we are not heard", "we hear nothing"])  # fmt: skip
@pytest.mark.parametrize("whose", ["the agent's", "the labs'"])
def test_a_link_that_falls_silent_is_noticed_and_work_resumes_when_it_heals(
    hold: frozenset[Direction], whose: str, proxied: Proxied, judged: Judge
) -> None:
    stage, ours, theirs = proxied
    stage.wait_for_results(10)
    proxy = ours if whose == "the agent's" else theirs
    labs = {lab: part.said.count("link_down") for lab, part in stage.labs.items()}

    def noticed() -> bool:
        if whose == "the agent's":
            return link_events(stage, "link_down") > 0
        return all(part.said.count("link_down") > labs[lab] for lab, part in stage.labs.items())

    proxy.faults.hold = hold
    began = time.monotonic()
    assert wait_until(noticed, 2 * KEEPALIVE_S + MARGIN_S), f"not noticed in {time.monotonic() - began:.1f} s"
    before = stage.bench.count("ResultAccepted")
    proxy.heal()
    assert wait_until(lambda: stage.bench.count("ResultAccepted") > before, RESUME_S), "work does not resume"
    judged(stage)


def test_a_broker_that_refuses_for_a_while_is_looked_for_again(proxied: Proxied, judged: Judge) -> None:
    stage, ours, theirs = proxied
    stage.wait_for_results(10)
    for proxy in (ours, theirs):
        proxy.faults.refuse = True
        proxy.cut()
    time.sleep(1.5)
    before = ours.counts["connections"]
    ours.heal()
    theirs.heal()
    assert before < 40, "it knocks without a pause"
    judged(stage)


def test_flipped_bits_end_no_part_and_the_campaign_ends_when_they_stop(proxied: Proxied) -> None:
    """A digit that is flipped is another value: only TLS or TCP's checksum can tell; so decisions may differ."""
    stage, ours, theirs = proxied
    stage.wait_for_results(5)
    for proxy in (ours, theirs):
        proxy.faults = SpoilingFaults(corrupt=0.05)
    wait_until(lambda: ours.counts["corrupted"] + theirs.counts["corrupted"] >= 20, 20.0)
    for proxy in (ours, theirs):
        proxy.heal()
        proxy.cut()  # a link whose subscriptions were spoiled is silent for ever; networks that heal also reset
    journal = stage.finish()
    assert len(journal.of_kind("DecisionMade")) == BUDGET
    assert ours.counts["corrupted"] + theirs.counts["corrupted"] >= 10
