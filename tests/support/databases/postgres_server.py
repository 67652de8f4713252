"""A PostgreSQL server of our own, from the programs of the system's packages: started once, ended with this process.

PostgreSQL refuses to run as root; then it runs as the user that its package has made.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg
import pytest

from scenarios.broker.broker import LOOPBACK
from tests.support.commands import PATIENCE_S, free_port
from tests.support.processes import MARK, keep

OWNER: Final = "lab"
"""The server's superuser."""

PASSWORD: Final = "open/se@same"
"""Of the role `guest`: with characters that mean something in a URL."""

SYSTEM_USER: Final = "postgres"


class PostgresServer:
    """One server in a folder of its own.

    Args:
        programs: Where `initdb` and `pg_ctl` are.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="entropilot-pg-"))
        self.port = free_port()
        self._files = self._folder / "server"
        self._files.mkdir()
        if os.getuid() == 0:
            self._folder.chmod(0o711)
            shutil.chown(self._files, SYSTEM_USER, SYSTEM_USER)
        self._do("initdb", "-D", self._data, "-U", OWNER, "-A", "trust", "--no-sync", "--encoding=UTF8")
        first = f"host all guest {LOOPBACK}/32 scram-sha-256\n"
        (self._data / "pg_hba.conf").write_text(first + (self._data / "pg_hba.conf").read_text())
        stop = ["pg_ctl", "stop", "-m", "immediate", "-D", str(self._data)]
        words = " ".join(self._command(*stop))
        guard = subprocess.Popen(
            ["/bin/sh", "-c", f"cat >/dev/null; {words} >/dev/null 2>&1; rm -rf '{self._folder}'"],
            stdin=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        keep(guard)
        self.start()
        with self.asking() as connection:
            connection.execute(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")

    @property
    def socket_folder(self) -> Path:
        """Where its socket is."""
        return self._files

    @property
    def _data(self) -> Path:
        return self._files / "data"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -h {LOOPBACK} -k {self._files} -c fsync=off"
        self._do("pg_ctl", "start", "-w", "-D", self._data, "-l", self._files / "log", "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop it.

        Args:
            mode: "fast" ends its sessions in order, "immediate" is a crash.
        """
        self._do("pg_ctl", "stop", "-w", "-m", mode, "-D", self._data)

    def crash(self) -> None:
        """Kill its main process; its others notice, and end."""
        process = psutil.Process(int((self._data / "postmaster.pid").read_text().splitlines()[0]))
        all_of_it = [process, *process.children()]
        process.kill()
        psutil.wait_procs(all_of_it, timeout=PATIENCE_S)

    def new_database(self, owner: str = OWNER) -> str:
        """Make an empty database; return its URL, for the superuser, who needs no password."""
        name = f"d{uuid.uuid4().hex[:12]}"
        with self.asking() as connection:
            connection.execute(f'CREATE DATABASE {name} OWNER "{owner}"')
        return self.url(name)

    def url(self, name: str, user: str = OWNER) -> str:
        """The URL of a database of this server."""
        return f"postgresql+psycopg://{user}@{LOOPBACK}:{self.port}/{name}"

    @contextmanager
    def asking(self, name: str = "postgres") -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection as the superuser, that commits every statement."""
        with psycopg.connect(host=LOOPBACK, port=self.port, user=OWNER, dbname=name, autocommit=True) as connection:
            yield connection

    def rows(self, url: str, query: str) -> list[tuple[Any, ...]]:
        """Ask a database; nothing while its tables, or the server, are not there."""
        try:
            with self.asking(url.rpartition("/")[2]) as connection:
                return connection.execute(query).fetchall()
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
            return []

    def count(self, url: str, kind: str) -> int:
        """How many events of a kind a journal holds."""
        rows = self.rows(url, f"SELECT count(*) FROM journal WHERE kind = '{kind}'")
        return int(rows[0][0]) if rows else 0

    def sessions(self, url: str) -> list[int]:
        """The processes of the server that talk to agents in a database."""
        found = self.rows(
            url,
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'entropilot' AND datname = current_database()",
        )
        return [row[0] for row in found]

    def kill_session(self, url: str, number: signal.Signals = signal.SIGKILL) -> bool:
        """Kill the server's processes of agents' sessions; after SIGKILL the server restarts itself."""
        sessions = self.sessions(url)
        for process_id in sessions:
            os.kill(process_id, number)
        return bool(sessions)

    def _command(self, program: str, *arguments: object) -> list[str]:
        switch = ["setpriv", f"--reuid={SYSTEM_USER}", f"--regid={SYSTEM_USER}", "--clear-groups"]
        return [*(switch if os.getuid() == 0 else []), str(self._programs / program), *map(str, arguments)]

    def _do(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            self._command(program, *arguments), cwd=self._files, env=_environment(), check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{program} {arguments} ended with {done.returncode}"


def _environment() -> dict[str, str]:
    """Without our mark: the server is a process of nobody's test, and ends with the guard."""
    return {name: value for name, value in os.environ.items() if name != MARK and not name.startswith("PG")} | {
        "LC_ALL": "C.UTF-8"
    }


def programs() -> Path | None:
    """Where PostgreSQL's server programs are; None where there are none."""
    on_path = shutil.which("initdb")
    places: Sequence[Path] = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = [Path(on_path).resolve().parent] if on_path else [*places]
    return next((each for each in reversed(found) if (each / "pg_ctl").is_file()), None)


@functools.cache
def _server() -> PostgresServer | None:
    found = programs()
    return None if found is None else PostgresServer(found)


def postgres_server() -> PostgresServer:
    """The server of this process, started when it is first wanted; skips where PostgreSQL is not installed."""
    server = _server()
    if server is None:
        pytest.skip("PostgreSQL's server programs are not installed")
    return server
