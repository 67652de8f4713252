"""Whatever its connection hangs in, a part that is asked to end ends in time."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from scenarios.broker.broker import LOOPBACK
from scenarios.broker.tcp_proxy import BOTH
from tests.endurance.conftest import Open
from tests.endurance.endings import SIGTERM_S, seconds_to_end
from tests.endurance.stage import LABS, Stage, Terms
from tests.support.commands import Part, until
from tests.support.tcp_proxy import SpoilingProxy

pytestmark = pytest.mark.system

TERMS: Final = Terms(60, latency_s=0.5, extra=("broker.keepalive_s=60",))
"""The keep-alive is long, so that a link that falls silent is not noticed before the end."""

PARTS: Final = ("agent", "lab", "run")
ALONE: Final = ("--set", "campaign.recipients=[]")
"""Of a run: its own simulator answers."""

SLOW_NAMES: Final = """
import socket, time
socket.getaddrinfo = lambda *asked, **more: time.sleep(600)
"""
"""A resolver that answers nothing; Python runs it before anything else."""


def started(part: str, stage: Stage) -> Part:
    """Start one part; return when it has begun to look for its broker."""
    if part == "lab":
        return stage.start_lab(LABS[0]).wait_for("simulator_started")
    if part == "agent":
        process = stage.start_agent()
    else:
        process = stage.bench.start("run", "lab.toml", "--broker", stage.url, "--quiet", *ALONE, env=stage.env)
    log = stage.database.with_name("agent.jsonl")
    until(lambda: log.exists() and "agent_started" in log.read_text(), "the agent does not start")
    return process


def assert_ends_in_time(part: Part) -> None:
    """Ask a part to end; it does so in order and in time."""
    took = seconds_to_end(part.process)
    ended = part.finish()
    assert ended.code in {0, 130}, ended.err
    assert "Traceback" not in ended.err
    assert took < SIGTERM_S, ended.err


@pytest.fixture
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Where a broker is looked for in vain, and the environment in which it is."""
    trouble: str = request.param
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((LOOPBACK, 0))
        host, port = listener.getsockname()
        if trouble == "no address":
            (tmp_path / "sitecustomize.py").write_text(SLOW_NAMES)
            yield f"mqtt://broker.invalid:{port}", {"PYTHONPATH": str(tmp_path)}
            return
        listener.listen(0 if trouble == "no greeting" else 16)
        for _ in range(4 if trouble == "no greeting" else 0):  # fill its queue; the system drops what knocks then
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex((host, port))
        scheme = {"no handshake": "mqtts", "no upgrade": "ws"}.get(trouble, "mqtt")
        yield f"{scheme}://{host}:{port}", {}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse when the queue is full")
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "address", ["no address", "no greeting", "no handshake", "no upgrade", "no answer"], indirect=True
)
def test_a_part_that_never_reached_its_broker_does_not_wait_for_it_at_the_end(
    address: tuple[str, dict[str, str]], part: str, opened: Open
) -> None:
    """The call that connects blocks, in the system's name service, in TCP, in TLS: nothing must wait for it."""
    url, env = address
    stage = opened(TERMS, env=env)
    stage.url = url
    process = started(part, stage)
    time.sleep(0.5)  # until it connects
    assert_ends_in_time(process)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_whose_link_has_fallen_silent_does_not_wait_for_it_at_the_end(part: str, opened: Open) -> None:
    stage = opened(TERMS)
    with SpoilingProxy(stage.broker.port) as proxy:
        stage.url = proxy.url
        if part == "run":
            process = started(part, stage)
        else:
            stage.start()
            process = stage.agent if part == "agent" else stage.labs[LABS[0]]
        stage.wait_for_results(5)
        proxy.faults.hold = BOTH
        time.sleep(0.5)
        assert_ends_in_time(process)
