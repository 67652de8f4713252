"""A person at `watch --tui` operates a campaign that is at work: each key's order is carried out, and shown so then."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from scenarios.control.place import place_of_run
from scenarios.watch.tui.orders import to_place
from scenarios.watch.tui.terminal import opened
from scenarios.watch.watch import WatchRequest, shelf_of
from tests.support.commands import Workbench, clean_environment, free_port
from tests.support.samples.recorded_run import made
from tests.support.shown.terminals import PATIENCE_S, Terminal, play_opened, play_terminal
from tests.system.operating.bench import assert_sound, at_work, connected

pytestmark = pytest.mark.system

TERMINAL = clean_environment() | {"TERM": "xterm-256color"}

LEFT = b"\x1b[?1049l"
"""Gives a terminal its first screen back."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


def payloads(bench: Workbench, kind: str) -> list[dict[str, object]]:
    return [json.loads(row[0]) for row in bench.rows(f"SELECT payload FROM journal WHERE kind = '{kind}'")]


def test_approve_veto_pause_resume_and_stop_by_keys(bench: Workbench) -> None:
    running = at_work(bench)
    connected(bench)
    folder = bench.runs / "lab"

    async def play(terminal: Terminal) -> None:
        async def order(key: str, reason: str, words: str) -> None:
            await terminal.press(key, *reason, "enter")
            done = f"{words}  carried out, journal row"
            await terminal.until(lambda: done in terminal.part("orders"), f"{words} is not carried out")

        def waits_for() -> tuple[int, ...]:
            shown = terminal.shown()
            return () if shown is None else shown.moment.awaiting_approval

        await terminal.until(lambda: len(waits_for()) > 1, "no decision waits")
        first = waits_for()[0]
        await terminal.press("a")
        await terminal.until(lambda: f"Approve decision {first} of lab?" in terminal.text(), "it is not asked")
        assert "is not asked for" not in terminal.text()
        assert "waiting" in terminal.text(), "the decision stands there"
        await terminal.press("escape")
        assert payloads(bench, "DecisionApproved") == []
        await order("a", "good", f"approve {first}")
        await terminal.until(lambda: first not in waits_for(), "it still waits")
        second = waits_for()[0]
        await order("v", "odd", f"veto {second}")
        await order("p", "cold", "pause")
        await terminal.until(lambda: "paused" in terminal.part("strip"), "it is not paused")
        await order("r", "warm", "resume")
        await order("s", "done", "stop")
        assert [each["reason"] for each in payloads(bench, "DecisionApproved")] == ["good"]
        assert [each["reason"] for each in payloads(bench, "DecisionVetoed")] == ["odd"]
        assert [each["reason"] for each in payloads(bench, "CampaignPaused")] == ["cold"]
        assert all(each["operator"] == "ann" for each in payloads(bench, "CampaignPaused"))

    give = to_place(lambda: place_of_run(str(folder), bench.runs, "ann", None))
    play_terminal(folder, play, give=give, size=(100, 30))
    assert running.finish().code == 0
    assert_sound(bench)


def test_a_campaign_is_operated_over_its_broker_which_goes_and_comes_back(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    kept = ("--port", str(port), "--credentials", str(bench.folder / "accounts.json"))
    broker = bench.start("broker", "embedded", *kept).wait_for("broker_started")
    url = f"mqtt://127.0.0.1:{port}"
    account = {"ENTROPILOT_BROKER__CREDENTIALS_FILE": str(bench.folder / "accounts.json")}
    flags = (
        "--budget", "400", "--quiet", "--set", "campaign.parallel=1",
        "--set", 'approval.required="first_n"', "--set", "approval.first=1",
    )  # fmt: skip
    bench.start("simulator", "lab.toml", "--broker", url, "--set", "simulator.latency.mean_s=0.7", env=account)
    bench.start("agent", "lab.toml", "--broker", url, *flags, env=account)
    bench.wait_for_events("DecisionMade", 1)
    for name, value in account.items():
        monkeypatch.setenv(name, value)

    async def play(terminal: Terminal) -> None:
        async def order(key: str, reason: str, words: str) -> None:
            await terminal.press(key, *reason, "enter")
            done = f"{words}  carried out, journal row"
            await terminal.until(lambda: done in terminal.part("orders"), f"{words} is not carried out")

        def seen() -> int:
            shown = terminal.shown()
            return 0 if shown is None else shown.moment.last_observation or 0

        await terminal.until(lambda: "approval of decision 0 is awaited" in terminal.part("strip"), "nothing waits")
        await order("a", "good", "approve 0")
        await terminal.until(lambda: seen() > 3, "nothing comes")
        assert "A broker does not tell" in terminal.part("decision")
        assert all(family in terminal.part("families") for family in ("cubic", "hexagonal", "trigonal"))
        await terminal.press("left")
        assert "the past is not known here" in terminal.part("orders")
        await order("p", "cold", "pause")
        await terminal.until(lambda: "paused" in terminal.part("strip"), "it is not paused")
        await order("r", "warm", "resume")
        broker.process.send_signal(signal.SIGKILL)
        await terminal.until(lambda: "cannot be reached" in terminal.part("orders"), "nobody says so")
        assert "cubic" in terminal.part("families"), "what was known stays"
        before = seen()
        broker.process.wait(PATIENCE_S)
        bench.start("broker", "embedded", *kept).wait_for("broker_started")
        await terminal.until(lambda: "cannot be reached" not in terminal.part("orders"), "it still says so")
        await terminal.until(lambda: seen() > before, "nothing comes any more")

    with closing(shelf_of(WatchRequest(broker=url, operator="ann", runs=bench.runs))) as shelf:
        play_opened(partial(opened, shelf, read_only=False), play, key="lab~broker", size=(100, 30))
    assert [each["reason"] for each in payloads(bench, "CampaignPaused")] == ["cold"]


def test_the_command_draws_on_a_terminal_and_q_ends_it_in_order(tmp_path: Path) -> None:
    folder = made(tmp_path).folder
    terminal, side = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "entropilot", "watch", str(folder), "--tui"]
    process = subprocess.Popen(command, stdin=side, stdout=side, stderr=side, env=TERMINAL, start_new_session=True)
    os.close(side)
    drawn, end, has_left = b"", time.monotonic() + PATIENCE_S, False
    while time.monotonic() < end:
        try:
            drawn += os.read(terminal, 65_536) if select.select([terminal], [], [], 0.1)[0] else b""
        except OSError:  # the other end is closed
            break
        if b"finished" in drawn and not has_left:
            has_left = os.write(terminal, b"q") == 1
    if not has_left:
        process.kill()
    code = process.wait(PATIENCE_S)
    os.close(terminal)
    assert code == 0, drawn[-2_000:]
    assert b"Traceback" not in drawn
    assert LEFT in drawn, "the screen of before is shown again"
