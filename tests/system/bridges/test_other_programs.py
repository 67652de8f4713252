"""The programs of the page on bridges, as they stand there, play the furnace of a campaign or watch it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from protocols.wire.codec import decode
from protocols.wire.messages import CandidateResult, Status
from scenarios.broker.broker import LOOPBACK
from tests.support.commands import Workbench, free_port, live_at, until
from tests.support.documents.markdown import ROOT
from tests.support.lab_brokers.mosquitto import require_mosquitto
from tests.support.processes import started
from tests.system.bridges.page import environment, file_of, page, save_files
from tests.system.cases.bench import mosquitto, stranger

pytestmark = pytest.mark.system

DEVICE, BRIDGES = page("../tutorials/7-a-real-instrument.md"), page("bridges.md")
CAMPAIGN = "hardening"
BUDGET = 8
MOST_LINES = 40
FLOW = ROOT / "docs" / "examples" / "node-red.json"


class Hardening(Workbench):
    """The campaign of the first device on a broker without TLS, and programs of the page beside it."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder)
        self.port = port
        save_files(DEVICE, folder)
        save_files(BRIDGES, folder, port_1883=str(port))
        scenario = file_of(DEVICE, "recipes.toml")
        (folder / "recipes.toml").write_text(scenario[: scenario.index("[broker]")])
        (folder / "config").mkdir()
        for name in ("mosquitto_pub", "mosquitto_sub"):
            (folder / "config" / name).write_text(f"-p {port}\n-h {LOOPBACK}\n")

    @contextmanager
    def beside(self, *command: str) -> Iterator[Path]:
        """Run a program of the page; yield where what it says goes."""
        said = self.folder / "program.log"
        with said.open("wb") as log:
            env = environment() | {"XDG_CONFIG_HOME": str(self.folder / "config")}
            with started(command, cwd=self.folder, env=env, stdout=log, stderr=log) as program:
                yield said
                assert program.poll() is None, f"it has ended: {said.read_text()}"

    @property
    def agent(self) -> tuple[str, ...]:
        """The command of the agent."""
        return ("agent", "recipes.toml", "--quiet", "--broker", f"mqtt://{LOOPBACK}:{self.port}", *live_at(self.port))

    def run_campaign(self) -> None:
        """Run the campaign to its end."""
        ended = self.entropilot(*self.agent)
        assert (ended.code, "Traceback" in ended.err) == (0, False), ended.err

    def assert_closed_the_loop(self) -> None:
        """Every value is there once, nothing was refused, and the instrument said that it was there."""
        measured = "SELECT count(*), count(DISTINCT candidate_id) FROM observation WHERE attempt_id IS NOT NULL"
        assert self.rows(measured, CAMPAIGN) == [(BUDGET, BUDGET)]
        assert self.rows("SELECT * FROM quarantine", CAMPAIGN) == []
        summary = self.summary(CAMPAIGN)
        assert (summary["retries"], summary["stopped_because"]) == (0, "the budget is spent")
        heard = [json.loads(line) for line in (self.runs / CAMPAIGN / "recording.jsonl").read_text().splitlines()]
        messages = [decode(each["topic"], each["text"].encode()) for each in heard if each.get("dir") == "in"]
        assert len({each.attempt_id for each in messages if isinstance(each, CandidateResult)}) == BUDGET
        assert any(isinstance(each, Status) and each.client == "furnace" for each in messages)
        verified = self.entropilot("verify", CAMPAIGN)
        assert verified.code == 0, verified.out + verified.err


@pytest.fixture
def hardening(tmp_path: Path) -> Iterator[Hardening]:
    require_mosquitto()
    (tmp_path / "broker").mkdir()
    with mosquitto(tmp_path / "broker") as port, Hardening(tmp_path, port) as bench:
        yield bench


def require(*programs: str) -> None:
    for each in programs:
        if shutil.which(each) is None:
            pytest.skip(f"{each} is not installed")


def test_a_shell_script_with_the_clients_of_mosquitto_is_an_instrument(hardening: Hardening) -> None:
    require("mosquitto_pub", "mosquitto_sub", "jq")
    with hardening.beside("sh", "furnace.sh"):
        hardening.run_campaign()
    hardening.assert_closed_the_loop()


@pytest.mark.parametrize("python", [sys.executable, "micropython"], ids=["python", "micropython"])
def test_forty_lines_without_a_library_are_an_instrument(python: str, hardening: Hardening) -> None:
    require(python)
    written = (hardening.folder / "tiny_device.py").read_text().splitlines()
    assert len([line for line in written if line and not line.startswith("#")]) <= MOST_LINES
    with hardening.beside(python, "tiny_device.py"):
        hardening.run_campaign()
    hardening.assert_closed_the_loop()


def test_a_device_that_is_killed_goes_on_when_it_is_started_again(hardening: Hardening) -> None:
    """What came while it was away waits at the broker, and its last will said that it left."""
    with hardening.beside(sys.executable, "tiny_device.py"):
        agent = hardening.start(*hardening.agent, "--set", "campaign.request_timeout_s=30")
        hardening.wait_for_events("ResultAccepted", 2, CAMPAIGN)
    with hardening.beside(sys.executable, "tiny_device.py"):
        ended = agent.finish()
    assert ended.code == 0, ended.err
    measured = "SELECT count(*), count(DISTINCT candidate_id) FROM observation WHERE attempt_id IS NOT NULL"
    assert hardening.rows(measured, CAMPAIGN) == [(BUDGET, BUDGET)]


def test_mosquitto_sub_shows_what_is_said(hardening: Hardening) -> None:
    require("mosquitto_sub")
    (words,) = [each for block in BRIDGES.blocks("sh") for each in block.commands() if each[0] == "mosquitto_sub"]
    with hardening.beside(*words) as said, stranger(hardening.port) as client:
        until(lambda: _echoed(client, said), "nothing is shown")


def _echoed(client: object, said: Path) -> bool:
    client.publish("entropilot/v1/hardening/metrics", b"{}", qos=1)  # type: ignore[attr-defined]
    return "entropilot/v1/hardening/metrics {}" in said.read_text()


def test_a_paho_script_watches_and_stops_a_campaign(hardening: Hardening) -> None:
    """What a reader changes: any evenness is enough, and the device takes its time."""
    for name, words, other in (
        ("watch.py", 'ENOUGH = "entropilot/v1/hardening", 0.9995', 'ENOUGH = "entropilot/v1/hardening", 0.0'),
        ("tiny_device.py", "def measure(request): return", "def measure(request): time.sleep(0.5); return"),
    ):
        content = (hardening.folder / name).read_text()
        assert words in content
        (hardening.folder / name).write_text(content.replace(words, other))
    with (
        hardening.beside(sys.executable, "-u", "watch.py") as watched,
        started([sys.executable, "tiny_device.py"], cwd=hardening.folder, env=environment()),
    ):
        ended = hardening.entropilot(*hardening.agent, "--set", "campaign.budget=14")
        assert ended.code == 0, ended.err
        until(lambda: "('hardness', " in watched.read_text(), "it has seen no value")
    assert hardening.rows("SELECT * FROM quarantine", CAMPAIGN) == []
    summary = hardening.summary(CAMPAIGN)
    assert (summary["stopped_because"], summary["spent"] < 14) == ("stopped by the operator", True)


def test_a_flow_of_node_red_is_an_instrument(hardening: Hardening) -> None:
    require("node-red")
    flow = FLOW.read_text(encoding="utf-8").replace("1883", str(hardening.port))
    (hardening.folder / "flow.json").write_text(flow)
    (hardening.folder / "settings.js").write_text(
        "module.exports = {httpAdminRoot: false, httpNodeRoot: false, flowFile: 'flow.json', "
        f"uiHost: '{LOOPBACK}', uiPort: {free_port()}, userDir: __dirname}};"
    )
    with hardening.beside("node-red", "--settings", "settings.js"):
        hardening.run_campaign()
    hardening.assert_closed_the_loop()


def test_the_flow_of_node_red_says_nothing_but_messages_of_ours() -> None:
    """Also where Node-RED is not installed: what its broker node says when it comes and goes."""
    (broker,) = [each for each in json.loads(FLOW.read_text(encoding="utf-8")) if each["type"] == "mqtt-broker"]
    said = [decode(broker[f"{when}Topic"], broker[f"{when}Payload"].encode()) for when in ("birth", "close", "will")]
    assert [each.health for each in said if isinstance(each, Status)] == ["online", "offline", "offline"]
