"""A command that is started with SIGINT ignored, as under nohup, goes on ignoring it; SIGTERM ends it in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.display.terminal import INTERRUPTED
from tests.support.commands import PATIENCE_S, Workbench
from tests.support.processes import started

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to ignore"),
]

IN_THE_BACKGROUND = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
)
"""What a shell without job control does for `program &`."""

SLOW = ("--set", "simulator.latency.mean_s=0.3", "--quiet", "--campaign", "lab")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as made:
        yield made


def running(bench: Workbench, *more: str) -> subprocess.Popen[bytes]:
    """A run in the background that has its first results."""
    command = [sys.executable, "-m", "entropilot", "run", "lab.toml", *SLOW, *more]
    process = bench.enter(started([sys.executable, "-c", IN_THE_BACKGROUND, *command], cwd=bench.folder))
    bench.wait_for_events("ResultAccepted", 2)
    return process


@pytest.mark.parametrize("more", [(), ("--set", "crashes.at=[3]")], ids=["run", "run with crashes"])
def test_a_run_in_the_background_does_not_hear_ctrl_c(bench: Workbench, more: tuple[str, ...]) -> None:
    process = running(bench, *more)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 0
    assert bench.summary()["spent"] == 12


def test_a_run_in_the_background_ends_in_order_on_sigterm(bench: Workbench) -> None:
    process = running(bench)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == INTERRUPTED
    resumed = bench.entropilot("run", "lab.toml", *SLOW, "--resume")
    assert (resumed.code, bench.summary()["spent"]) == (0, 12), resumed.err
