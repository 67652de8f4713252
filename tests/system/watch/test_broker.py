"""A page of a broker's campaigns: what is retained, what is said meanwhile, a broker that goes and comes back."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.commands import Workbench, free_port, until
from tests.system.watch.bench import Page, open_page, watched

pytestmark = pytest.mark.system

KEY = "lab~broker"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def test_a_campaign_is_seen_by_what_its_broker_retains_and_is_operated_over_it(bench: Workbench) -> None:
    url = bench.start_broker("embedded")
    bench.start("simulator", "lab.toml", "--broker", url)
    flags = ("--budget", "30", "--quiet", "--set", 'approval.required="first_n"', "--set", "approval.first=8")
    agent = bench.start("agent", "lab.toml", "--broker", url, *flags)
    bench.wait_for_events("DecisionMade", 4)
    page = open_page(bench, "--broker", url, "--operator", "ann")
    (card,) = page.get("runs")["runs"]
    assert (card["key"], card["source"], card["phase"], card["budget"]) == (KEY, "broker", "running", 30)
    campaign = page.get(f"runs/{KEY}")
    assert (campaign["has_time_travel"], campaign["can_control"]) == (False, True)
    with watched(page, KEY) as stream:
        page.order(KEY, action="pause", reason="look", message_id="one")
        assert page.answer_to(KEY, "one")["status"] == "accepted"
        stream.wait_for(lambda told: told.all_of("moment")[-1]["phase"] == "paused", "it is not told to be paused")
        page.order(KEY, action="resume", message_id="two")
        for decision in range(8):
            until(partial(waits, page, decision), "nothing waits")
            time.sleep(0.2)  # five orders are taken in a second
            page.order(KEY, action="approve_decision", decision=decision, message_id=f"yes-{decision}")
        stream.wait_for(lambda told: 30 in told.observations, "not told to the end")
    # An agent in haste says only the latest of several points: those that it said come once and in order.
    assert stream.observations == sorted(set(stream.observations))
    assert agent.finish().code == 0
    until(lambda: page.get(f"runs/{KEY}/at/latest")["phase"] == "finished", "it does not end")
    known = dict(bench.rows("SELECT observation, sequence FROM bias_point"))
    told = {int(row[0]): int(row[1]) for points in stream.all_of("points") for row in points["rows"]}
    assert all(row >= known[observation] for observation, row in told.items())  # the last row when it was told
    with page.client as client:
        assert client.get(f"api/runs/{KEY}/at/0").status_code == 404  # that was before it listened
        assert client.get(f"api/runs/{KEY}/at/30").json()["observation"] == 30
        assert client.get(f"api/runs/{KEY}/decisions/0").status_code == 404
        assert client.get(f"api/runs/{KEY}/series").status_code == 200
        instruments = client.get(f"api/runs/{KEY}/instruments").json()
    assert [each["id"] for each in instruments] == ["simulator-1"]


def test_a_broker_that_goes_is_told_in_a_sentence_and_heard_again_when_it_is_back(bench: Workbench) -> None:
    port = free_port()
    kept = ("--port", str(port), "--credentials", str(bench.folder / "accounts.json"))
    broker = bench.start("broker", "embedded", *kept).wait_for("broker_started")
    url = f"mqtt://127.0.0.1:{port}"
    account = {"ENTROPILOT_BROKER__CREDENTIALS_FILE": str(bench.folder / "accounts.json")}
    bench.start("simulator", "lab.toml", "--broker", url, env=account)
    bench.start("agent", "lab.toml", "--broker", url, "--quiet", "--set", 'approval.required="always"', env=account)
    bench.wait_for_events("DecisionMade", 1)
    page = open_page(bench, "--broker", url, environment=account)
    with watched(page, KEY) as stream:
        stream.wait_for(lambda told: bool(told.all_of("campaign")), "nothing is told")
        broker.process.send_signal(signal.SIGKILL)
        stream.wait_for(lambda told: "cannot be reached" in told.all_of("campaign")[-1]["problem"], "nobody says so")
        assert page.get(f"runs/{KEY}/at/latest")["families"] is not None
        assert any("cannot be reached" in note for note in page.get("runs")["notes"])
        bench.start("broker", "embedded", *kept).wait_for("broker_started")
        stream.wait_for(lambda told: not told.all_of("campaign")[-1]["problem"], "it is not heard again")
        stream.wait_for(lambda told: told.all_of("campaign")[-1]["agent"] == "there", "the agent is not heard again")


def test_lines_of_json_say_that_the_broker_is_away_and_go_on_to_the_end_when_it_is_back(bench: Workbench) -> None:
    port = free_port()
    kept = ("--port", str(port), "--credentials", str(bench.folder / "accounts.json"))
    broker = bench.start("broker", "embedded", *kept).wait_for("broker_started")
    url = f"mqtt://127.0.0.1:{port}"
    account = {"ENTROPILOT_BROKER__CREDENTIALS_FILE": str(bench.folder / "accounts.json")}
    flags = ("--budget", "12", "--quiet", "--set", 'approval.required="first_n"', "--set", "approval.first=1")
    bench.start("simulator", "lab.toml", "--broker", url, env=account)
    agent = bench.start("agent", "lab.toml", "--broker", url, *flags, env=account)
    bench.wait_for_events("DecisionMade", 1)
    lines = bench.start("watch", "--broker", url, "--campaign", "lab", "--json", env=account)
    until(lambda: '{"moment"' in lines.printed, "nothing is told")
    broker.process.send_signal(signal.SIGKILL)
    until(lambda: '{"problem"' in lines.printed, "nobody says that the broker is away")
    assert "cannot be reached" in lines.printed
    moments = lines.printed.count('{"moment"')
    bench.start("broker", "embedded", *kept).wait_for("broker_started")
    until(lambda: lines.printed.count('{"moment"') > moments, "it does not say that the broker is back")
    page = open_page(bench, "--broker", url, "--operator", "ann", environment=account)
    until(partial(waits, page, 0), "nothing waits")
    page.order(KEY, action="approve_decision", decision=0, message_id="yes")
    assert agent.finish().code == 0
    ended = lines.finish()
    assert (ended.code, '"ended"' in ended.out) == (0, True)
    assert ended.out.count('{"problem"') == 1, "said once, not at each try"


def test_orders_on_a_lost_link_go_out_again_under_their_id_and_are_carried_out_once(bench: Workbench) -> None:
    url = bench.start_broker("embedded")
    flags = ("--broker", url, "--quiet", "--set", 'approval.required="always"')
    agent = bench.start("agent", "lab.toml", *flags)
    bench.wait_for_events("DecisionMade", 1)
    page = open_page(bench, "--broker", url)
    page.order(KEY, action="pause", message_id="kept")
    assert page.answer_to(KEY, "kept")["status"] == "accepted"
    agent.kill()
    until(lambda: not page.get(f"runs/{KEY}")["can_control"], "nobody says that the agent is gone")
    again = open_page(bench, "--broker", url)  # one that does not know the order
    bench.start("agent", "lab.toml", *flags, "--resume")
    until(lambda: again.get(f"runs/{KEY}")["can_control"], "the agent is not back")
    again.order(KEY, action="pause", message_id="kept")
    assert again.answer_to(KEY, "kept")["status"] == "duplicate"
    assert bench.count("CampaignPaused") == 1


def waits(page: Page, decision: int) -> bool:
    """Whether a decision waits for a person."""
    return decision in page.get(f"runs/{KEY}/at/latest")["awaiting_approval"]
