"""Commands in forks of one process that has imported everything: what a start costs is imports, two seconds of them.

A fork is a process like any other, with a session, a folder, files, an environment and signals of its own, and it runs
what `python -m entropilot` runs. What Python itself does at a start is not in it; so whatever is about a start (the
import path, variables such as PYTHONPATH or LD_PRELOAD) asks for a fresh process. The process that forks
(`server`) is started at the first command of a test process, and ends with it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from tests.support import processes

FRESH_ONLY: Final = ("PYTHON", "LD_", "MALLOC_")
"""How the variables begin that act only when a process starts."""

FORKED_WITHIN_S: Final = 60.0
"""How long the first fork may take on a loaded machine: it waits for the imports."""


class Forked:
    """A command in a fork, as `subprocess.Popen` shows one.

    Args:
        connection: To the process that watches it.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._said = connection.makefile("r", encoding="ascii")
        connection.settimeout(FORKED_WITHIN_S)
        self.pid = int(self._said.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code as `subprocess` counts it, or None while it runs."""
        return self._code_within(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: When it does not come in time.
        """
        code = self._code_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(["entropilot"], timeout or 0.0)
        return code

    def _code_within(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            self.returncode = int(self._said.readline())
            self._said.close()
            self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, unless it has ended."""
        self.send_signal(signal.SIGKILL)


def can_be_forked(module: str, env: Mapping[str, str]) -> bool:
    """Whether a module is one that runs, and no variable is among these that acts only when a process starts."""
    runs = module == "entropilot" or module.startswith("tests.support.")
    return runs and hasattr(os, "fork") and not any(name.startswith(FRESH_ONLY) for name in env)


def fork(
    arguments: Sequence[str],
    *,
    module: str = "entropilot",
    folder: Path,
    env: Mapping[str, str],
    out: Path,
    err: Path,
) -> Forked:
    """Run a module with these arguments in a fork, as `python -m` does.

    Args:
        arguments: What follows the module.
        module: Its name.
        folder: Where it runs.
        env: The whole environment.
        out: Where its standard output goes.
        err: Where its standard error goes.
    """
    processes.count_start()
    for path in (out, err):
        path.touch()  # whoever looks at it may be sooner than the fork
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(_server(os.getpid()))
    place = {"folder": str(folder), "env": dict(env), "out": str(out), "err": str(err)}
    connection.sendall(json.dumps({"module": module, "arguments": list(arguments), **place}).encode() + b"\n")
    return Forked(connection)


_STARTING: Final = threading.Lock()


def _server(owner: int) -> str:
    """Return the address of the process that forks, started at the first call."""
    with _STARTING:
        return _started(owner)


@cache
def _started(_owner: int) -> str:
    address = str(Path(tempfile.mkdtemp(prefix="forked-")) / "s")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ENTROPILOT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forked.server", address],
        cwd=Path(__file__).parents[3], env=ours | {"PYTHONUNBUFFERED": "1", "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    processes.keep(process)
    assert process.stdout is not None
    assert process.stdout.readline() == b"listening\n"
    return address
