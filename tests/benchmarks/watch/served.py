"""Long runs and the page beside them, each a process of its own; what a benchmark of the page stands on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.processes import kill_session
from tests.system.watch.bench import ADDRESS


@dataclass(slots=True)
class Growing:
    """A run that goes on.

    Attributes:
        committed: Observation -> when its commit was over [s since 1970].
        has_begun: Set with the first one.
    """

    committed: dict[int, float] = field(default_factory=dict)
    has_begun: threading.Event = field(default_factory=threading.Event)

    def read(self, lines: Iterator[bytes]) -> None:
        """Take what the process prints."""
        for line in lines:
            told = json.loads(line)
            if "committed" in told:
                self.committed[int(told["observation"])] = float(told["committed"])
                self.has_begun.set()


@contextmanager
def started(*command: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a module of ours in a session of its own, and end that."""
    with (folder / "said.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    try:
        yield process
    finally:
        kill_session(process.pid)
        process.wait()


def write_run(folder: Path, name: str, observations: int) -> None:
    """Write a finished run below `runs` of a folder."""
    subprocess.run(
        [sys.executable, "-m", "tests.support.large_runs", str(folder / "runs" / name), "--observations",
         str(observations)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def growing_run(folder: Path, name: str, observations: int, per_second: float) -> Iterator[Growing]:
    """Write a run that goes on at a pace, and wait until it does."""
    command = ("tests.support.large_runs", str(folder / "runs" / name), "--observations", str(observations),
               "--live", str(per_second))  # fmt: skip
    found = Growing()
    with started(*command, folder=folder) as process:
        assert process.stdout is not None
        threading.Thread(target=found.read, args=(iter(process.stdout.readline, b""),), daemon=True).start()
        assert found.has_begun.wait(600), "the run does not begin"
        yield found


@dataclass(frozen=True, slots=True)
class Server:
    """The server of the page.

    Attributes:
        url: Where it is.
        token: Of its start.
        process: It.
    """

    url: str
    token: str
    process: psutil.Process

    def cpu_s(self) -> float:
        """Return the processor's time that it has taken [s]."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Serve the runs below a folder."""
    with started("entropilot", "watch", "--no-browser", "--port", "0", folder=folder) as process:
        assert process.stdout is not None
        found = ADDRESS.search(process.stdout.readline().decode())
        assert found is not None, (folder / "said.log").read_text()
        yield Server(found[1], found[2], psutil.Process(process.pid))
