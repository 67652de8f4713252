"""What viewers cost the server, and the run: its processor's time with one and with fifty, and the lateness of commits.

    python -m tests.benchmarks.watch.viewers [SECONDS]

A run of 20,000 observations goes on at 20 a second. Bar: fifty viewers cost less than ten times one (A19). Lateness is
how much later than its turn each commit of the run is over; with viewers it is to be within the noise of none.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from tests.benchmarks.watch.served import Growing, Server, growing_run, served

PER_SECOND: Final = 20.0
VIEWERS: Final = (0, 1, 10, 50)


def watch(server: Server, stack: ExitStack) -> None:
    """Open a stream of events, and read it in a thread."""
    address = urlsplit(server.url)
    link = socket.create_connection((address.hostname, address.port), timeout=60)
    stack.callback(link.shutdown, socket.SHUT_RDWR)  # a close alone waits for who reads
    head = (
        f"GET /api/runs/live/events HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {server.token}\r\n\r\n"
    )
    link.sendall(head.encode())
    assert link.recv(12) == b"HTTP/1.1 200"
    threading.Thread(target=read, args=(link,), daemon=True).start()


def read(link: socket.socket) -> None:
    """Take what comes until the end."""
    with link:
        while link.recv(65_536):
            pass


def measured(server: Server, run: Growing, viewers: int, seconds: float) -> tuple[float, float]:
    """Return the share of a processor that the server takes, and p99 of the run's pauses between commits [s]."""
    with ExitStack() as stack:
        for _ in range(viewers):
            watch(server, stack)
        time.sleep(2.0)  # until all have what was there before
        first, began, cpu = max(run.committed), time.monotonic(), server.cpu_s()
        time.sleep(seconds)
        share = (server.cpu_s() - cpu) / (time.monotonic() - began)
        times = [at for number, at in sorted(run.committed.items()) if number > first]
    return share, float(np.quantile(np.diff(times), 0.99))


def main() -> None:
    """Measure and print, with what was to be reached."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with growing_run(folder, "live", 20_000, PER_SECOND) as run, served(folder) as server:
            measured(server, run, 1, 2.0)  # opens the run, which is read once
            found = {viewers: measured(server, run, viewers, seconds) for viewers in VIEWERS}
    for viewers, (share, pause_s) in found.items():
        print(f"{viewers:3d} viewers: server {share:6.1%} of a processor; p99 between commits {pause_s * 1000:.0f} ms")
    print(f"fifty viewers cost {found[50][0] / found[1][0]:.1f} × one (bar 10 ×)")


if __name__ == "__main__":
    main()
