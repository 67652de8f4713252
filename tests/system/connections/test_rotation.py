"""A campaign goes on through the life of certificates: nobody is started again, and nothing is lost or decided anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.broker.broker import LOOPBACK
from tests.endurance.stage import require_mosquitto
from tests.support.commands import Workbench, until
from tests.support.tls.authority import EXPIRED, Authority
from tests.system.connections.stage import Files, Place, shows

pytestmark = pytest.mark.system

BUDGET = 12


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    require_mosquitto()
    return Authority(tmp_path)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path) as made:
        yield made


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    (tmp_path / "bench").mkdir()
    with Workbench(tmp_path / "bench") as opened:
        yield opened


def states_of(log: Path) -> list[str]:
    """The states that an agent's log names, in order, without repetitions."""
    lines = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    told = [line["state"] for line in lines if line["event"] == "link_down"]
    return [state for at, state in enumerate(told) if told[at - 1 : at] != [state]]


def test_a_campaign_outlives_a_certificate_that_expires_one_that_is_revoked_and_both_renewals(
    bench: Workbench, place: Place, authority: Authority, tmp_path: Path
) -> None:
    ours = {name: (tmp_path / f"{name}.pem", tmp_path / f"{name}.key") for name in ("agent", "simulator-1")}

    def put(name: str, files: Files) -> None:
        for one, other in zip(files, ours[name], strict=True):
            shutil.copy(one, other)

    def as_part(name: str) -> dict[str, str]:
        told = {"CA_FILE": authority.certificate, "CERT_FILE": ours[name][0], "KEY_FILE": ours[name][1]}
        return {f"ENTROPILOT_BROKER__{setting}": str(value) for setting, value in told.items()}

    agents, good = authority.issue("agents"), authority.issue("good")
    asks = (f"cafile {authority.certificate}", "require_certificate true")
    put("agent", agents)
    put("simulator-1", authority.issue("simulators"))
    place.mosquitto(*shows(good), *asks)
    reached = ("lab.toml", "--broker", f"mqtts://{LOOPBACK}:{place.port}", "--set", "broker.reconnect_max_s=0.5")
    slow = ("--set", "simulator.latency.mean_s=1.0")
    lab = bench.start("simulator", *reached, *slow, env=as_part("simulator-1")).wait_for("link_up")
    agent = bench.start("agent", *reached, "--quiet", "--budget", str(BUDGET), env=as_part("agent"))
    bench.wait_for_events("ResultAccepted", 1)
    log = bench.runs / "lab" / "agent.jsonl"

    place.mosquitto(*shows(authority.issue("old", valid=EXPIRED)), *asks)
    until(lambda: "certificate_expired" in states_of(log), f"no such state: {agent.said}")
    lab.wait_for("certificate_expired")
    place.mosquitto(*shows(authority.issue("renewed")), *asks)
    before = bench.count("ResultAccepted")
    bench.wait_for_events("ResultAccepted", before + 1)

    authority.revoke(agents[0])
    place.mosquitto(*shows(good), *asks, f"crlfile {authority.revocations()}")
    until(lambda: "our_certificate_revoked" in states_of(log), f"no such state: {agent.said}")
    put("agent", authority.issue("agents-again"))
    assert agent.finish().code == 0
    assert lab.end().code == 0
    assert bench.summary()["spent"] == bench.count("ResultAccepted") == BUDGET
    assert bench.entropilot("verify", "lab").code == 0
    assert json.loads(bench.entropilot("replay", "lab", "--json").out)["all_identical"]
