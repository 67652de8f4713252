"""What a broker denies comes to a person with its reason code, and what is granted afterwards goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.link.credentials import Account, Role
from scenarios.broker.broker import LOOPBACK
from scenarios.broker.mosquitto import password_file
from tests.endurance.stage import require_mosquitto
from tests.support.commands import Workbench
from tests.system.connections.stage import Place

pytestmark = pytest.mark.system

PASSWORD = "cretword"
BROKER_ERROR = 4
TOPICS = "entropilot/v1/lab"


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


def lets_in(folder: Path, *, denied: str) -> tuple[str, ...]:
    """The lines of a Mosquitto that lets agent and instrument do all but one thing."""
    users, access = folder / "users", folder / "access"
    names = ("agent", "simulator-1")
    users.write_text(password_file([Account(name, Role.ALL, PASSWORD) for name in names]))
    granted = "".join(f"user {name}\ntopic deny {denied}\ntopic readwrite #\n\n" for name in names)
    access.write_text(granted)
    for file in (users, access):
        file.chmod(0o600)
    return ("allow_anonymous false", f"password_file {users}", f"acl_file {access}")


def as_user(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"ENTROPILOT_BROKER__USERNAME": name, "ENTROPILOT_BROKER__PASSWORD": password}


def test_a_denied_request_ends_the_agent_with_topic_and_code_and_it_goes_on_when_it_is_granted(
    bench: Workbench, place: Place, tmp_path: Path
) -> None:
    place.mosquitto(*lets_in(tmp_path, denied=f"{TOPICS}/request/+"))
    reached = ("lab.toml", "--broker", f"mqtt://{LOOPBACK}:{place.port}")
    lab = bench.start("simulator", *reached, env=as_user("simulator-1")).wait_for("link_up")
    ended = bench.entropilot("agent", *reached, "--quiet", env=as_user("agent"))
    assert ended.code == BROKER_ERROR
    assert f"refuses a message on {TOPICS}/request/simulator-1" in ended.err
    assert "code 135" in ended.err
    assert "access list" in ended.err
    place.mosquitto(*lets_in(tmp_path, denied="nothing"))
    resumed = bench.entropilot("agent", *reached, "--quiet", "--resume", env=as_user("agent"))
    assert resumed.code == 0, resumed.err
    assert bench.summary()["spent"] == 12
    assert lab.end().code == 0


def test_a_denied_result_ends_the_instrument_with_topic_and_code_and_its_answers_are_kept(
    bench: Workbench, place: Place, tmp_path: Path
) -> None:
    place.mosquitto(*lets_in(tmp_path, denied=f"{TOPICS}/result/+"))
    reached = ("lab.toml", "--broker", f"mqtt://{LOOPBACK}:{place.port}")
    lab = bench.start("simulator", *reached, env=as_user("simulator-1")).wait_for("link_up")
    agent = bench.start("agent", *reached, "--quiet", env=as_user("agent"))
    ended = lab.finish()
    assert ended.code == BROKER_ERROR
    assert f"refuses a message on {TOPICS}/result/simulator-1" in ended.err
    assert "code 135" in ended.err
    place.mosquitto(*lets_in(tmp_path, denied="nothing"))
    again = bench.start("simulator", *reached, env=as_user("simulator-1"))
    assert agent.finish().code == 0
    assert bench.summary()["spent"] == 12
    assert again.end().code == 0


@pytest.mark.parametrize("version", ["5", "3.1.1"])
@pytest.mark.parametrize("command", ["agent", "record"])
def test_a_wrong_password_is_told_with_the_brokers_code_and_not_shown(
    bench: Workbench, place: Place, tmp_path: Path, command: str, version: str
) -> None:
    place.mosquitto(*lets_in(tmp_path, denied="nothing"))
    env = as_user("agent", "anothercretword") | {"ENTROPILOT_BROKER__VERSION": version}
    what = ("lab.toml", "--quiet") if command == "agent" else ("--out", "no.jsonl")
    ended = bench.entropilot(command, *what, "--broker", f"mqtt://{LOOPBACK}:{place.port}", env=env)
    assert ended.code == BROKER_ERROR
    assert "code 135" in ended.err
    assert "broker.password_file" in ended.err
    assert "cretword" not in ended.out + ended.err
