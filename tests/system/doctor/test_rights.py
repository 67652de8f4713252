"""The doctor shows rights by messages: what is denied without a word is found, and nothing of a lab is disturbed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.wire.topics import PREFIX
from scenarios.broker.broker import LOOPBACK
from tests.endurance.stage import require_mosquitto
from tests.support.commands import Workbench
from tests.system.connections.stage import Place
from tests.system.doctor.stage import FAULT_FOUND, LEVELS, PASSWORD, as_user, examined, lets_in

pytestmark = pytest.mark.system

AGENT_MAY = (
    *(
        f"write {LEVELS}/{each}"
        for each in ("request/+", "receipt/+", "metrics", "campaign", "status/agent", "announce")
    ),
    *(
        f"read {LEVELS}/{each}"
        for each in ("result/+", "failure/+", "status/+", "capabilities/+", "control", "control/+")
    ),
)
"""All that an agent needs, and nothing more: it hears none of what it says but its status."""

VERSIONS = pytest.mark.parametrize("version", ["5", "3.1.1"])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    (tmp_path / "bench").mkdir()
    with Workbench(tmp_path / "bench") as opened:
        yield opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    require_mosquitto()
    with Place(tmp_path) as made:
        yield made


def at(place: Place, version: str) -> tuple[str, ...]:
    return ("lab.toml", "--broker", f"mqtt://{LOOPBACK}:{place.port}", "--set", f'broker.version="{version}"')


def witness(bench: Workbench) -> tuple[str, ...]:
    """One who may hear and say everything."""
    file = bench.folder / "witness.toml"
    file.write_text(f'[broker]\nusername = "witness"\npassword = "{PASSWORD}"\n')
    return ("--witness", str(file))


@VERSIONS
def test_all_rights_of_an_agent_are_shown_with_a_witness(
    bench: Workbench, place: Place, tmp_path: Path, version: str
) -> None:
    place.mosquitto(*lets_in(tmp_path, {"agent": AGENT_MAY, "witness": ("readwrite #",)}))
    told = examined(bench, *at(place, version), *witness(bench), env=as_user("agent"))
    assert told.verdicts("say") == told.verdicts("hear") == {"pass"}
    assert [len(told.of(name)) for name in ("say", "hear")] == [6, 6]


@VERSIONS
@pytest.mark.parametrize("denied", ["write request/+", "write metrics", "read result/+", "read control/+"])
def test_a_right_that_lacks_is_found_with_a_witness_whatever_the_return_codes_say(
    bench: Workbench, place: Place, tmp_path: Path, version: str, denied: str
) -> None:
    """Over MQTT 3.1.1 Mosquitto confirms a denied message; over both it grants a subscription that hears nothing."""
    action, channel = denied.split(" ")
    rights = tuple(each for each in AGENT_MAY if each != f"{action} {LEVELS}/{channel}")
    place.mosquitto(*lets_in(tmp_path, {"agent": rights, "witness": ("readwrite #",)}))
    told = examined(bench, *at(place, version), *witness(bench), env=as_user("agent"))
    name = "say" if action == "write" else "hear"
    assert told.ended.code == FAULT_FOUND
    assert told.fails == [name]
    found = told.one(name, f"{LEVELS}/{channel}")
    assert found["verdict"] == "fail"
    assert "access list" in found["action"]
    if (name, version) == ("say", "5"):
        assert "code 135" in found["found"]


def test_what_one_account_cannot_show_alone_is_a_warning_with_how_to_show_it(
    bench: Workbench, place: Place, tmp_path: Path
) -> None:
    place.mosquitto(*lets_in(tmp_path, {"agent": AGENT_MAY}))
    told = examined(bench, *at(place, "5"), env=as_user("agent"))
    assert told.ended.code == 0
    assert told.one("say", f"{LEVELS}/status/agent")["verdict"] == "pass", "it hears its own status"
    alone = told.one("say", f"{LEVELS}/request/+")
    assert (alone["verdict"], "--witness" in alone["action"]) == ("warn", True)
    strict = bench.entropilot("doctor", *at(place, "5"), "--strict", "--json", env=as_user("agent"))
    assert strict.code == FAULT_FOUND


@pytest.mark.parametrize(
    "part", [(), ("--instrument", "furnace"), ("--operator", "ada"), ("--observer",)], ids=" ".join
)
@pytest.mark.parametrize("kind", ["mosquitto", "embedded"])
def test_every_part_has_the_rights_that_our_own_access_list_gives_it(
    bench: Workbench, place: Place, kind: str, part: tuple[str, ...]
) -> None:
    parts = ("--instrument", "furnace", "--operator", "ada")
    bench.start("broker", kind, "--port", str(place.port), *parts).wait_for("broker_started")
    told = examined(bench, *at(place, "5" if kind == "mosquitto" else "3.1.1"), *part)
    assert told.verdicts("say") | told.verdicts("hear") == {"pass"}
    name = "agent" if not part else part[-1].lstrip("-")
    assert told.one("credentials")["found"].endswith(f"'{name}'")


def test_nothing_is_said_to_an_instrument_and_nothing_is_left(bench: Workbench, place: Place) -> None:
    from tests.system.cases.bench import stranger

    place.mosquitto("sys_interval 1")
    heard: list[tuple[str, bool]] = []
    with stranger(place.port) as client:
        client.on_message = lambda _client, _given, message: heard.append((message.topic, bool(message.payload)))
        client.subscribe(f"{PREFIX}/#", qos=1)
        told = examined(bench, *at(place, "5"))
        assert told.verdicts("say") == told.verdicts("hear") == {"pass"}
        time.sleep(0.5)
        asked = {topic for topic, _ in heard if "/request/" in topic or "/receipt/" in topic}
        assert asked == {f"{LEVELS}/request/doctor", f"{LEVELS}/receipt/doctor"}, "nobody is called so"
        left: list[str] = []
        away: list[bytes] = []
        client.on_message = lambda _client, _given, message: (
            away.append(bytes(message.payload)) if message.topic.startswith("$SYS") else left.append(message.topic)
        )
        client.subscribe([(f"{PREFIX}/#", 1), ("$SYS/broker/clients/disconnected", 1)])
        time.sleep(2.5)
    assert left == []
    assert away
    assert max(map(int, away)) <= 0, "Mosquitto counts below nothing at times"


def test_a_campaign_that_is_at_work_hears_nothing_of_it(bench: Workbench, place: Place) -> None:
    place.mosquitto()
    reached = ("--broker", f"mqtt://{LOOPBACK}:{place.port}")
    lab = bench.start("simulator", "lab.toml", *reached, "--set", "simulator.latency.mean_s=1").wait_for("link_up")
    agent = bench.start("agent", "lab.toml", *reached, "--quiet", "--budget", "20")
    bench.wait_for_events("RequestIssued", 1)
    told = examined(bench, *at(place, "5"))
    alone = [each for each in (*told.of("say"), *told.of("hear")) if "would hear it" in each["found"]]
    assert {each["subject"].removeprefix(f"{LEVELS}/") for each in alone} == {
        "metrics", "campaign", "status/agent", "announce",
        "result/+", "failure/+", "status/+", "capabilities/+", "control", "control/+",
    }  # fmt: skip
    assert any("an agent of campaign 'lab'" in each["found"] for each in told.of("retained"))
    assert told.one("clocks")["verdict"] == "pass"
    assert agent.finish().code == 0
    assert lab.end().code == 0
    assert bench.rows("SELECT * FROM quarantine") == []
    assert bench.summary()["spent"] == 20
