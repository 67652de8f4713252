"""A Dask cluster on this machine: a scheduler and workers as processes of their own, each of which may be killed.

They are started as people start them (`dask scheduler`, `dask worker`), without a nanny: who is killed stays dead until
the test starts another one.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import psutil

from tests.support.commands import free_port, until

ROOT: Final = Path(__file__).parents[3]
LOOPBACK: Final = "127.0.0.1"

ORPHAN_S: Final = 20.0
"""How long a child that has just been started may take to notice that its worker is gone: it imports first."""

ENVIRONMENT: Final = {
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "DASK_DISTRIBUTED__WORKER__DAEMON": "false",
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
}


class LocalCluster:
    """A scheduler and its workers; see `local_cluster`.

    Args:
        folder: For logs and what workers write.
        env: Further variables.
    """

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.executor = f"dask://{LOOPBACK}:{self.port}"
        self.address = f"tcp://{LOOPBACK}:{self.port}"
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self._folder = folder
        self._env = os.environ | ENVIRONMENT | dict(env or {})

    def start_scheduler(self) -> None:
        """Start the scheduler, at the same port each time, and wait until it listens."""
        from tests.endurance.stage import listens

        self.scheduler = self._start("scheduler", "--host", LOOPBACK, "--port", str(self.port), "--no-dashboard")
        until(lambda: listens(self.port), "the scheduler does not listen")

    def start_worker(self, threads: int = 2) -> subprocess.Popen[bytes]:
        """Start a worker; it finds the scheduler by itself."""
        worker = self._start(
            "worker", self.address, "--nthreads", str(threads), "--no-nanny", "--no-dashboard", "--host", LOOPBACK,
            "--local-directory", str(self._folder), "--death-timeout", "60",
        )  # fmt: skip
        self.workers.append(worker)
        return worker

    def kill_scheduler(self) -> None:
        """End the scheduler without warning."""
        assert self.scheduler is not None
        self.scheduler.kill()
        self.scheduler.wait()

    def kill_worker(self, worker: subprocess.Popen[bytes]) -> None:
        """End a worker without warning."""
        worker.kill()
        worker.wait()
        self.workers.remove(worker)

    def end(self) -> None:
        """End everything; return when what workers have started has noticed it too."""
        below: list[psutil.Process] = []
        for worker in self.workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                below.extend(psutil.Process(worker.pid).children(recursive=True))
        for process in (*self.workers, *([self.scheduler] if self.scheduler else [])):
            process.kill()
            process.wait()
        psutil.wait_procs(below, timeout=ORPHAN_S)

    def log(self) -> str:
        """Return what its processes said."""
        return (self._folder / "cluster.log").read_text(encoding="utf-8", errors="replace")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / "cluster.log").open("ab") as log:
            command = [sys.executable, "-P", "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._env)


@contextlib.contextmanager
def local_cluster(
    *, workers: int = 1, threads: int = 2, env: Mapping[str, str] | None = None
) -> Iterator[LocalCluster]:
    """Start a cluster; end it with the block."""
    with tempfile.TemporaryDirectory(prefix="entropilot-dask-", ignore_cleanup_errors=True) as name:
        cluster = LocalCluster(Path(name), env)
        try:
            cluster.start_scheduler()
            for _ in range(workers):
                cluster.start_worker(threads)
            yield cluster
        finally:
            cluster.end()
