"""The command line as a user has it: commands that run to their end, parts that run until they are ended, a table."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self, TypeVar

from scenarios.broker.broker import LOOPBACK
from tests.support.forked.command import Forked, can_be_forked, fork
from tests.support.processes import kill_session
from tests.support.table_run import write_table

PATIENCE_S: Final = 120.0
"""How long a command may take on a loaded machine before the test says that it hangs."""

POLL_S: Final = 0.02

T = TypeVar("T")

Process = subprocess.Popen[Any] | Forked

LAB_TOML: Final = """
name = "lab"

[pool]
source = "table"
path = "table.csv"

[pool.columns]
id = "id"
family = "family"
property = "energy"
unit = "eV"
features = ["f0", "f1"]
valid_range = [-9.0, 9.0]

[start]
size = 24
minimum_per_family = 5

[campaign]
budget = 12
policy = "random"
parallel = 4

[simulator]
concurrency = 4
resend_min_s = 0.3
"""
"""A scenario on the small table of `tests.support.table_run`, answered without latency."""


PROGRESS: Final = re.compile(r"^.+ [\d,]+/[\d,]+, \d+ s\n", re.MULTILINE)
"""A line of progress where nobody watches."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended; `err` is without lines of progress, which come on slow machines and not on others."""

    code: int
    out: str
    err: str


class Part:
    """A command that runs beside the test; what it says goes to a file.

    Args:
        process: The process.
        log: Where its standard error goes.
        out: Where its standard output goes.
    """

    def __init__(self, process: Process, log: Path, out: Path) -> None:
        self.process = process
        self._log = log
        self._out = out

    @property
    def said(self) -> str:
        """What it has said on standard error."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def printed(self) -> str:
        """What it has said on standard output."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, words: str) -> Self:
        """Wait until it has said something."""
        until(lambda: words in self.said or self.process.poll() is not None, f"{words!r} was not said: {self.said}")
        assert words in self.said, self.said
        return self

    def finish(self) -> Finished:
        """Wait for its end."""
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it hangs; it said: {self.said}") from None
        out = self._out.read_text(encoding="utf-8", errors="replace")
        return Finished(code, out, PROGRESS.sub("", self.said))

    def end(self) -> Finished:
        """Ask it to end, as Ctrl-C or an init system does."""
        self.process.send_signal(signal.SIGTERM)
        return self.finish()

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait(PATIENCE_S)


class Workbench:
    """A folder with the scenario `lab.toml` and its table, in which commands are run.

    Args:
        folder: An empty folder.
        fresh: Whether Python is started for every command; see `start`.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder
        self._fresh = fresh
        self.runs = folder / "runs"
        self.parts: list[Part] = []
        self._entered = contextlib.ExitStack()
        write_table(folder / "table.csv")
        (folder / "lab.toml").write_text(LAB_TOML, encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._entered.close()
        for part in self.parts:
            kill_session(part.process.pid)
            part.process.wait(PATIENCE_S)

    def enter(self, context: AbstractContextManager[T]) -> T:
        """Enter a context that ends with the workbench."""
        return self._entered.enter_context(context)

    def entropilot(self, *arguments: str | Path, **options: Any) -> Finished:
        """Run a command to its end; see `start`."""
        return self.start(*arguments, **options).finish()

    def start(
        self,
        *arguments: str | Path,
        module: str = "entropilot",
        file_limit: int = 0,
        env: Mapping[str, str] = MappingProxyType({}),
        fresh: bool = False,
    ) -> Part:
        """Start a command; it is ended with the workbench, and so is all that it started.

        Args:
            arguments: What follows `entropilot`.
            module: The module that Python runs.
            file_limit: Largest file that it may write [byte]: beyond it, a write fails as on a full disk.
            env: Further environment variables.
            fresh: Whether Python is started for it, instead of a fork (`tests.support.forked`).
        """
        number = len(self.parts)
        log, out = self.folder / f"part-{number}.err", self.folder / f"part-{number}.out"
        if not (fresh or self._fresh or file_limit) and can_be_forked(module, env):
            told, whole = [*map(str, arguments)], clean_environment() | dict(env)
            forked = fork(told, module=module, folder=self.folder, env=whole, out=out, err=log)
            return self._part(forked, log, out)
        command = [sys.executable, "-m", module, *map(str, arguments)]
        if file_limit:
            limited = f"import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, ({file_limit},) * 2)"
            command[1:3] = ["-c", f"{limited}; runpy.run_module({module!r}, run_name='__main__')"]
        with log.open("wb") as err_file, out.open("wb") as out_file:
            process = subprocess.Popen(
                command, cwd=self.folder, env=clean_environment() | dict(env),
                stdin=subprocess.DEVNULL, stdout=out_file, stderr=err_file, start_new_session=True,
            )  # fmt: skip
        return self._part(process, log, out)

    def _part(self, process: Process, log: Path, out: Path) -> Part:
        self.parts.append(Part(process, log, out))
        return self.parts[-1]

    def start_broker(self, kind: str) -> str:
        """Start a broker on a free port; return its URL, whose name and password every part finds by itself."""
        port = free_port()
        self.start("broker", kind, "--port", str(port)).wait_for("broker_started")
        return f"mqtt://{LOOPBACK}:{port}"

    def summary(self, campaign: str = "lab") -> dict[str, Any]:
        """Return the summary of a run."""
        content: dict[str, Any] = json.loads((self.runs / campaign / "summary.json").read_text(encoding="utf-8"))
        return content

    def rows(self, query: str, campaign: str = "lab") -> list[tuple[Any, ...]]:
        """Ask the database of a run, which another process may have open; nothing while it is not there."""
        with contextlib.suppress(sqlite3.OperationalError):
            connection = sqlite3.connect(f"file:{self.runs / campaign / 'campaign.db'}?mode=ro", uri=True)
            try:
                return connection.execute(query).fetchall()
            finally:
                connection.close()
        return []

    def count(self, kind: str, campaign: str = "lab") -> int:
        """How many events of a kind the journal holds."""
        rows = self.rows(f"SELECT count(*) FROM journal WHERE kind = '{kind}'", campaign)
        return int(rows[0][0]) if rows else 0

    def wait_for_events(self, kind: str, number: int, campaign: str = "lab") -> None:
        """Wait until the journal holds so many events of a kind."""
        until(lambda: self.count(kind, campaign) >= number, f"no {number} events {kind} in {PATIENCE_S:g} s")


def clean_environment() -> dict[str, str]:
    """The environment without settings of the person who runs the tests, and with a wide screen."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ENTROPILOT_")}
    return ours | {"COLUMNS": "160", "PYTHONUNBUFFERED": "1"}


def live_at(port: int) -> tuple[str, ...]:
    """Flags of an agent whose instruments do not call themselves simulated, at a broker of this machine."""
    return ("--live", "--set", f'live.brokers=["{LOOPBACK}:{port}"]')


def until(condition: Callable[[], bool], otherwise: str) -> None:
    """Wait for something that happens soon."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(POLL_S)


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
