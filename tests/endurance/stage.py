"""A campaign as real processes in one folder: Mosquitto, an agent and labs, each of which may be killed at any moment.

The labs write ledgers (`tests.support.checker.ledgered_simulator`); the agent is the one that users start. All is
started by this process and ends with it.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import numpy as np
import pytest

from protocols.errors import BrokerError
from scenarios.broker.mosquitto import CONFIG, LOOPBACK, find_mosquitto, mosquitto_config
from tests.endurance.verdict import Decisions, Journal, Verdict, judge, read_journal
from tests.support.commands import Part, Workbench, free_port, until

CAMPAIGN: Final = "lab"
LABS: Final = ("lab-1", "lab-2")
START: Final = 24
"""Candidates that are known from the start."""

END_S: Final = 120.0
"""How long a campaign may take to end in peace: seconds, or a minute where others want the processors too."""

STEP_S: Final = 0.01
"""How often we look whether something happened."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a campaign is, and how fast its labs are.

    Attributes:
        budget: Candidates that may be requested.
        policy: Who chooses.
        parallel: Candidates in flight.
        latency_s: Mean time of an evaluation [s], exponential.
        extra: Further settings, as `--set` takes them.
    """

    budget: int
    policy: str = "random"
    parallel: int = 4
    latency_s: float = 0.05
    extra: tuple[str, ...] = ()

    @property
    def pool(self) -> int:
        """Candidates in the pool: some more than are needed, so that there is a choice to the end."""
        return max(80, self.budget + START + 40)

    def toml(self) -> str:
        """Return the scenario: impatient, so that tests are short; many attempts, so that kills use up no candidate."""
        return f"""
name = "{CAMPAIGN}"
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
size = {START}
minimum_per_family = 5
[campaign]
budget = {self.budget}
policy = "{self.policy}"
parallel = {self.parallel}
seed = 3
max_attempts = 100
recipients = {json.dumps(LABS)}
request_timeout_s = 20.0
[simulator]
concurrency = {self.parallel}
resend_min_s = 0.3
resend_max_s = 2.0
[simulator.latency]
distribution = "exponential"
mean_s = {self.latency_s}
[broker]
version = "5"
reconnect_min_s = 0.1
reconnect_max_s = 1.0
publish_timeout_s = 3.0
"""


def write_pool(path: Path, candidates: int) -> None:
    """Write a table of three families whose property is smooth in its features."""
    rng = np.random.default_rng(5)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "family", "f0", "f1", "energy"])
        for number in range(candidates):
            f0, f1 = (round(float(x), 6) for x in rng.normal(size=2))
            energy = round(float(np.sin(f0) + 0.5 * f1 + 0.05 * rng.normal()), 6)
            rows.writerow([f"m{number:06d}", ("cubic", "hexagonal", "trigonal")[number % 3], f0, f1, energy])


def open_to_all(config: str) -> str:
    """A configuration that asks for no password: those who are killed and started here have none."""
    asked = ("allow_anonymous", "password_file", "acl_file")
    kept = [line for line in config.splitlines() if not line.startswith(asked)]
    return "\n".join([*kept, "allow_anonymous true", ""])


class Mosquitto:
    """A real broker on one port; killed, stopped, wiped and started again.

    Args:
        folder: Its files.
        persistent: Whether it writes its memory after every change (our own settings), or keeps the defaults.
    """

    def __init__(self, folder: Path, *, persistent: bool = True) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"mqtt://{LOOPBACK}:{self.port}"
        self.process: subprocess.Popen[bytes]
        folder.mkdir(parents=True, exist_ok=True)
        text = open_to_all(mosquitto_config(folder.resolve(), self.port))
        if not persistent:  # as packages ship it: written every half hour and at an orderly end
            text = text.replace("autosave_on_changes true\nautosave_interval 1\n", "")
        (folder / CONFIG).write_text(text)

    def start(self, *, env: Mapping[str, str] | None = None) -> Self:
        """Start it and wait until it listens."""
        with (self.folder / "mosquitto.log").open("ab") as log:
            command = [find_mosquitto(), "-c", str(self.folder / CONFIG)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=os.environ | dict(env or {}))  # fmt: skip
        until(lambda: listens(self.port) or self.process.poll() is not None, "Mosquitto does not listen")
        assert self.process.poll() is None, (self.folder / "mosquitto.log").read_text()
        return self

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()

    def wipe(self) -> None:
        """Take its memory away; it must not be running."""
        (self.folder / "mosquitto.db").unlink(missing_ok=True)
        (self.folder / "mosquitto.db.new").unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)


@dataclass
class Stage:
    """The campaign and its processes.

    Attributes:
        folder: An empty folder.
        terms: What the campaign is.
        url: Where the agent looks for its broker; another than the broker's own when a proxy stands between.
        lab_url: The same for the labs.
        env: Environment of agent and labs.
        persistent: Whether the broker writes its memory down at once.
        pool: Candidates in the pool; 0 for some more than the campaign needs.
        agent_module: What runs the command `agent`.
    """

    folder: Path
    terms: Terms
    url: str = ""
    lab_url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    persistent: bool = True
    pool: int = 0
    agent_module: str = "entropilot"
    labs: dict[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bench = Workbench(self.folder)
        write_pool(self.folder / "table.csv", self.pool or self.terms.pool)
        (self.folder / "lab.toml").write_text(self.terms.toml(), encoding="utf-8")
        self.broker = Mosquitto(self.folder / "mosquitto", persistent=self.persistent)
        self.agent: Part

    def __enter__(self) -> Self:
        self.broker.start()
        return self

    def __exit__(self, *_: object) -> None:
        for part in self.bench.parts:
            if part.process.poll() is None:
                part.process.send_signal(signal.SIGCONT)
                part.kill()
        self.broker.kill()

    @property
    def database(self) -> Path:
        """The agent's database."""
        return self.bench.runs / CAMPAIGN / "campaign.db"

    def ledger(self, lab: str) -> Path:
        """The ledger of a lab."""
        return self.folder / f"{lab}.ledger"

    def start_agent(self, *further: str) -> Part:
        """Start the agent, or start it again."""
        resume = ["--resume"] * self.database.exists()
        url = self.url or self.broker.url
        self.agent = self.bench.start(
            "agent", "lab.toml", "--broker", url, "--quiet", "--campaign", CAMPAIGN, *resume, *self._settings, *further,
            module=self.agent_module, env=self.env,
        )  # fmt: skip
        return self.agent

    def start_lab(self, lab: str, *further: str) -> Part:
        """Start a lab, or start it again."""
        url = self.lab_url or self.url or self.broker.url
        self.labs[lab] = self.bench.start(
            "lab.toml", "--broker", url, "--id", lab, "--memory", "memory", "--ledger", self.ledger(lab),
            *self._settings, *further,
            module="tests.support.checker.ledgered_simulator", env=self.env,
        )  # fmt: skip
        return self.labs[lab]

    def start(self) -> Self:
        """Start everything beside the broker."""
        for lab in LABS:
            self.start_lab(lab)
        self.start_agent()
        return self

    def rows(self) -> int:
        """How many events the journal holds, read from outside."""
        return journal_rows(self.database)

    def wait_for_results(self, number: int) -> None:
        """Wait until so many results are accepted."""
        self.bench.wait_for_events("ResultAccepted", number, CAMPAIGN)

    def finish(self, patience_s: float = END_S) -> Journal:
        """Wait for the campaign's end; return its journal."""
        try:
            code = self.agent.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the campaign does not end; {self.rows()} events; {self.agent.said[-2000:]}"
            ) from None
        assert code == 0, self.agent.said
        for lab, part in self.labs.items():
            assert part.process.poll() is None, f"{lab} ended: {part.said[-2000:]}"
        self.settle()
        return read_journal(self.database)

    def settle(self) -> None:
        """End the labs in order, so that their ledgers are whole."""
        for part in self.labs.values():
            part.wait_for("simulator_started")  # before that it knows no orderly end
            assert part.end().code == 0, part.said[-2000:]

    def judged(self, twin: Decisions | None, patience_s: float = END_S) -> Verdict:
        """Wait for the end and judge."""
        journal = self.finish(patience_s)
        ledgers = [self.ledger(lab) for lab in self.labs]
        return judge(journal, ledgers, twin, expected=self.terms.budget)

    @property
    def _settings(self) -> list[str]:
        return [word for setting in self.terms.extra for word in ("--set", setting)]


def twin_of(terms: Terms, folder: Path) -> Decisions:
    """Return the decisions of the same campaign left in peace: one process, embedded broker, no latency."""
    folder.mkdir(parents=True, exist_ok=True)
    bench = Workbench(folder)
    write_pool(folder / "table.csv", terms.pool)
    (folder / "lab.toml").write_text(terms.toml(), encoding="utf-8")
    calm = ("simulator.latency.mean_s=0.0", "campaign.recipients=[]", 'broker.version="3.1.1"')
    settings = [word for setting in calm for word in ("--set", setting)]
    with bench:
        ended = bench.entropilot("run", "lab.toml", "--broker", "embedded", "--quiet", *settings)
    assert ended.code == 0, ended.err
    return read_journal(bench.runs / CAMPAIGN / "campaign.db").decisions


def journal_rows(database: Path) -> int:
    """How many events a journal holds; none while it is not there."""
    try:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return 0
    try:
        return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def listens(port: int) -> bool:
    """Whether somebody listens there."""
    import socket

    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def wait_until(happened: Callable[[], bool], seconds: float) -> bool:
    """Wait for something for so long; return whether it happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP_S)
    return True


def require_mosquitto() -> None:
    """Skip a test where there is no Mosquitto."""
    try:
        find_mosquitto()
    except BrokerError as error:
        pytest.skip(error.found)


def keep(folder: Path, name: str) -> Path:
    """Keep the files of a violation beside the current folder; return where."""
    kept = Path("runs") / "violations" / name
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept)
    return kept


def end_in_order_on_sigterm() -> None:
    """Let SIGTERM end a program as Ctrl-C does, with everything that it started."""

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)
