"""How long a process takes to end when it is asked to, whoever else wants the processors."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Final

from tests.support.commands import PATIENCE_S, Process

SIGTERM_S: Final = 5.0 + 1.0
"""What the design promises, and what a shared machine may add, although the time in which a part wanted a processor and
got none is taken off: disks and memory are shared as well."""

LOOK_S: Final = 0.01
"""How often we look whether it has ended."""


def seconds_to_end(process: Process) -> float:
    """Send SIGTERM; return how long the process took to end, without the time in which others had its processor [s]."""
    began, first = time.monotonic(), starved_s(process.pid)
    process.send_signal(signal.SIGTERM)
    last = first
    while process.poll() is None:
        last = max(last, starved_s(process.pid))
        assert time.monotonic() - began < PATIENCE_S, "it hangs"
        time.sleep(LOOK_S)
    return time.monotonic() - began - (last - first)


def starved_s(pid: int) -> float:
    """How long a process has been ready to run while others ran [s]; Linux counts it, of the first thread."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):  # it has just ended, or this kernel does not count
        return 0.0
