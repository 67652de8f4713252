"""Whatever becomes of the terminal, pipe or file that a command speaks to: it says so, and shows no traceback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.display.terminal import CANNOT_WRITE, INTERRUPTED, NOBODY_READS
from tests.support.commands import PATIENCE_S, Workbench
from tests.support.processes import started

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has other pipes and signals"),
]

COMMANDS = [("report", "lab"), ("report", "lab", "--json"), ("list",), ("why", "lab", "0"), ("--help",), ("--version",)]

PROGRESS = re.compile(r" \d+/\d+, \d+ s$")
"""A line of progress, as a command writes it into a log after two seconds."""

FROM_A_TERMINAL = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)
"""So begins what a person starts, whatever the tests were started from."""


OURS = ("entropilot", "scenarios", "agent", "protocols", "simulators")
"""Our packages, as folders in the lines of a traceback."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    with Workbench(tmp_path_factory.mktemp("terminal")) as made:
        done = made.entropilot("run", "lab.toml", "--quiet", "--campaign", "lab", "--budget", "3")
        assert done.code == 0, done.err
        yield made


def command_line(command: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "entropilot", *command]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_output_that_is_full_is_named_and_nothing_else_is_blamed(bench: Workbench, command: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command_line(command), cwd=bench.folder, stdout=full, stderr=subprocess.PIPE, check=False)
    said = done.stderr.decode()
    assert done.returncode == CANNOT_WRITE, said
    assert "error: Standard output cannot be written (No space left on device)." in said
    assert not any(word in said for word in ("Traceback", "--runs", "fault of Entropilot", "Exception ignored"))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_pipe_that_nobody_reads_ends_the_command_without_a_word(bench: Workbench, command: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            command_line(command), cwd=bench.folder, stdout=writing, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writing)
    said = [line for line in done.stderr.decode().splitlines() if not PROGRESS.search(line)]  # a slow machine shows it
    assert (done.returncode, said) == (NOBODY_READS, [])


def test_a_run_whose_log_nobody_reads_any_more_goes_on_to_its_end(bench: Workbench) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = ("run", "lab.toml", "--campaign", "unread", "--budget", "3")
    try:
        done = subprocess.run(
            command_line(command), cwd=bench.folder, stdout=subprocess.PIPE, stderr=writing, check=False
        )
    finally:
        os.close(writing)
    assert done.returncode == 0
    assert b"unread" in done.stdout


@pytest.mark.parametrize("command", [("report", "lab"), ("run", "lab.toml", "--campaign", "closed", "--budget", "3")])
def test_with_all_of_its_outputs_closed_a_command_writes_into_no_file_of_its_own(
    bench: Workbench, command: tuple[str, ...]
) -> None:
    closing = "import os, sys; [os.close(number) for number in range(3)]; os.execv(sys.argv[1], sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", closing, *command_line(command)], cwd=bench.folder, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 0
    checked = bench.entropilot("verify", command[1] if command[0] == "report" else "closed")
    assert checked.code == 0, checked.out


@pytest.mark.parametrize("encoding", ["ascii:strict", "cp1252", "utf-16"])
@pytest.mark.parametrize("command", [COMMANDS[0], COMMANDS[1], ("--help",)], ids=" ".join)
def test_what_an_encoding_lacks_is_replaced(bench: Workbench, command: tuple[str, ...], encoding: str) -> None:
    done = subprocess.run(
        command_line(command),
        cwd=bench.folder,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    said = done.stdout.decode(encoding.partition(":")[0])
    assert (done.returncode, done.stderr.decode(encoding.partition(":")[0])) == (0, "")
    assert said.strip()
    if "--json" in command:
        assert json.loads(said) == json.loads(bench.entropilot(*command).out)


@pytest.mark.parametrize("after_s", [0.2, 0.35, 0.6, 0.9, 1.4])
@pytest.mark.parametrize(
    "command", [("why", "lab", "0"), ("run", "lab.toml", "--quiet", "--budget", "12")], ids=" ".join
)
def test_three_interrupts_at_any_moment_end_a_command_without_a_traceback(
    bench: Workbench, command: tuple[str, ...], after_s: float
) -> None:
    more = ("--campaign", f"c{after_s * 100:.0f}", "--set", "simulator.latency.mean_s=1") if command[0] == "run" else ()
    line = [sys.executable, "-c", FROM_A_TERMINAL, *command_line((*command, *more))]
    with started(line, cwd=bench.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        time.sleep(after_s)
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.03)
        said, _ = process.communicate(timeout=PATIENCE_S)
    if b"Traceback" in said and not any(f"/{name}/".encode() in said for name in OURS):
        pytest.skip("Python itself had not started yet")
    ended_before_it = {0} if command[0] == "why" else set()
    assert process.returncode in {INTERRUPTED, -signal.SIGINT} | ended_before_it, said.decode()
    assert b"Traceback" not in said, said.decode()
    assert b"a fault of Entropilot" not in said
