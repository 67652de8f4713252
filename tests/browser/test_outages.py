"""Who goes and comes back: results, the agent, the page's server. Figures stay, and nothing is missed or doubled."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.viewer import Viewer, looking
from tests.support.commands import Workbench, free_port
from tests.system.watch.bench import open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytestmark = pytest.mark.system

SLOW = ("--set", "simulator.latency.mean_s=0.4", "--set", "campaign.parallel=1", "--budget", "45", "--quiet")
"""A run that goes on for half a minute."""

RUN = "run/lab"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def _settled(viewer: Viewer, selector: str) -> str:
    """Return a text that has not changed for a second: bands are measured bit by bit, and come after the figures."""
    text, since = viewer.text(selector), 0
    while since < 2:
        viewer.tab.wait_for_timeout(500)
        before, text = text, viewer.text(selector)
        since = since + 1 if text == before else 0
    return text


def test_the_past_stays_while_results_come_and_live_is_the_newest(browser: Browser, bench: Workbench) -> None:
    """A9, and A7: the server of the page is killed and comes back; no observation is missed or told twice."""
    bench.start("run", "lab.toml", *SLOW)
    bench.wait_for_events("ResultAccepted", 4)
    flags = ("--port", str(free_port()), "--token-file", "token")
    served = open_page(bench, *flags)
    with looking(browser, served) as viewer:
        viewer.may_be_refused = True  # while nobody listens, Chromium says so on the console
        viewer.open(f"{RUN}/at/2")
        viewer.see("as it stood after observation 2")
        viewer.wait_for_state("app.session.moment.observation === 2")
        families = _settled(viewer, "table.families")
        seen = viewer.state("app.session.last")
        viewer.wait_for_state(f"app.session.last > {seen}")
        assert viewer.text("table.families") == families
        assert viewer.text(".keys .big") == "2"
        served.part.kill()
        viewer.see("no link to the page's server", "#strip")
        open_page(bench, *flags)
        viewer.see("agent there", "#strip")
        seen = viewer.state("app.session.last")
        viewer.wait_for_state(f"app.session.last > {seen}")
        viewer.tab.keyboard.press("l")
        viewer.wait_for_state("app.session.isLive && app.session.moment === app.session.latest")
        observations = viewer.state("[...app.session.course.x]")
        assert observations == list(range(len(observations)))
        sequences = viewer.state("[...app.session.course.sequence]")
    told = bench.rows("SELECT sequence FROM bias_point ORDER BY sequence")
    assert sequences == [row[0] for row in told][: len(sequences)]


def test_an_agent_that_is_killed_is_missed_and_its_return_is_seen(browser: Browser, bench: Workbench) -> None:
    """A6: "agent gone" within 35 s, the figures stay, and it goes on by itself."""
    run = bench.start("run", "lab.toml", *SLOW)
    bench.wait_for_events("ResultAccepted", 4)
    served = open_page(bench)
    with looking(browser, served) as viewer:
        viewer.open(RUN)
        viewer.see("agent there", "#strip")
        killed = time.monotonic()
        run.process.send_signal(signal.SIGKILL)
        run.process.wait(60)
        viewer.see("agent gone", "#strip")
        assert time.monotonic() - killed < 35.0
        seen = viewer.state("app.session.last")
        assert viewer.tab.locator("table.families tbody tr").count() == 3
        bench.start("run", "lab.toml", "--resume", *SLOW)
        viewer.wait_for_state(f"app.session.last > {seen}")
        viewer.see("agent there", "#strip")


def test_an_order_that_nobody_answers_says_so_and_can_be_sent_again(browser: Browser, bench: Workbench) -> None:
    """After 10 s; with the same id, so that it is carried out once."""
    run = bench.start("run", "lab.toml", *SLOW)
    bench.wait_for_events("ResultAccepted", 3)
    served = open_page(bench)
    with looking(browser, served) as viewer:
        viewer.may_be_refused = True
        viewer.open(RUN)
        viewer.see("agent there", "#strip")
        viewer.tab.clock.install()
        viewer.tab.route("**/controls", answer_sent)
        viewer.tab.locator("#strip [data-act=pause]").click()
        viewer.tab.locator("dialog button[type=submit]").click()
        viewer.see("waiting for the agent", "#acts")
        viewer.tab.clock.fast_forward(11_000)
        viewer.see("nobody has answered for 10 s", "#acts")
        viewer.tab.unroute("**/controls")
        viewer.tab.clock.resume()
        viewer.tab.locator("#acts button:has-text('Send again')").click()
        viewer.see("carried out, #", "#acts")
        bench.wait_for_events("CampaignPaused", 1)
    assert bench.count("CampaignPaused") == 1
    run.kill()


def answer_sent(route: Route) -> None:
    """Say of an order, as the server does at once, that it is on its way; and do nothing with it."""
    body = route.request.post_data_json
    assert body is not None
    told = {"message_id": body["message_id"], "action": body["action"], "status": "sent", "operator": "ann"}
    route.fulfill(status=HTTPStatus.ACCEPTED, json=told | {"words": "", "sent_at": None, "detail": "", "row": None})
