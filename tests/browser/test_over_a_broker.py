"""A campaign that only a broker tells of: what is known is shown and operated, what is not is said, and not made up."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.viewer import looking
from tests.support.commands import Workbench, free_port
from tests.system.watch.bench import open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.system

RUN = "run/lab~broker"
AGENT = (
    "--budget", "400", "--quiet", "--set", "campaign.parallel=1",
    "--set", 'approval.required="first_n"', "--set", "approval.first=1",
)  # fmt: skip

FROM_THE_JOURNAL = {"decision": "What was decided", "dataset": "The values stand", "journal": "row by row"}
"""Screens that a broker tells nothing for -> what they say."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_a_campaign_is_watched_and_operated_over_its_broker_which_goes_and_comes_back(
    browser: Browser, bench: Workbench, kind: str
) -> None:
    if kind == "mosquitto" and not (shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists()):
        pytest.skip("there is no Mosquitto here (Debian's package `mosquitto`)")
    port = free_port()
    kept = ("--port", str(port), "--credentials", str(bench.folder / "accounts.json"))
    broker = bench.start("broker", kind, *kept).wait_for("broker_started")
    url = f"mqtt://127.0.0.1:{port}"
    account = {"ENTROPILOT_BROKER__CREDENTIALS_FILE": str(bench.folder / "accounts.json")}
    bench.start("simulator", "lab.toml", "--broker", url, "--set", "simulator.latency.mean_s=0.6", env=account)
    bench.start("agent", "lab.toml", "--broker", url, *AGENT, env=account)
    bench.wait_for_events("DecisionMade", 1)
    served = open_page(bench, "--broker", url, "--operator", "ann", environment=account)
    with looking(browser, served) as viewer:
        viewer.may_be_refused = True
        viewer.open("runs")
        viewer.tab.locator("main a", has_text="lab").click()
        viewer.see("agent there", "#strip")
        viewer.see("Decision 0", ".decision")
        for screen, words in FROM_THE_JOURNAL.items():
            viewer.go(f"{RUN}/{screen}")
            viewer.see(words, "main")
            viewer.see("a broker does not tell it", "main")
            assert viewer.tab.locator("main table").count() == 0
        viewer.go(f"{RUN}/instruments")
        viewer.see("simulator-1", "main")
        assert re.search(r"Values given\s+–", viewer.text("main"))

        viewer.go(f"{RUN}/decision")
        viewer.tab.locator("main [data-act=approve_decision]").click()
        viewer.tab.locator("dialog button[type=submit]").click()
        viewer.see("carried out, #", "#acts")
        viewer.go(RUN)
        viewer.wait_for_state("app.session.last > 3")
        viewer.see("a broker does not tell which", "main")
        viewer.see("Starved family", ".keys")
        assert "at 1 " in viewer.text(".keys"), "the first that was heard is not called the start"
        assert sorted(viewer.state("app.screen && app.session.campaign.families")) == ["cubic", "hexagonal", "trigonal"]
        assert "No decision has been made" not in viewer.text("main")

        viewer.tab.locator("#strip [data-act=pause]").click()
        viewer.tab.locator("dialog button[type=submit]").click()
        viewer.see("paused", "#strip .phase")
        bench.wait_for_events("CampaignPaused", 1)
        viewer.tab.locator("#strip [data-act=resume]").click()
        viewer.tab.locator("dialog button[type=submit]").click()
        viewer.see("running", "#strip .phase")

        broker.process.send_signal(signal.SIGKILL)
        viewer.tab.locator("#strip .only-looking", has_text="cannot be reached").wait_for(state="attached")
        assert viewer.tab.locator("table.families tbody tr").count() == 3
        seen = viewer.state("app.session.last")
        broker.process.wait(60)
        bench.start("broker", kind, *kept).wait_for("broker_started")
        viewer.tab.locator("#strip [data-act=pause]").wait_for(timeout=60_000)
        viewer.wait_for_state(f"app.session.last > {seen}")
        observations = viewer.state("[...app.session.course.x]")
        assert observations == sorted(set(observations))
