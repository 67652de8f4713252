"""Keeps a command running for as long as our own standard input is open, and no longer.

    python -m scenarios.leash COMMAND [ARGUMENT …]

When the parent dies, however, its end of the pipe closes and the command is ended: nothing is left over. When the
command dies after it had settled, it is started again; one that ends at once has something to say, and is not.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Final

SETTLED_S: Final = 1.0
"""A command that ends sooner than this after its start did not start: a port in use, a wrong configuration."""

PAUSE_S: Final = 0.5
"""Pause before a command that died is started again: a crash in a loop shall not take a core."""


def main(command: list[str]) -> int:
    """Keep the command running until the parent is gone or it does not start; return its exit code."""
    parent_gone = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def wait_for_parent() -> None:
        sys.stdin.buffer.read()
        parent_gone.set()
        for process in running:
            process.terminate()

    threading.Thread(target=wait_for_parent, daemon=True).start()
    while True:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        running[:] = [process]
        if parent_gone.is_set():
            process.terminate()
        code = process.wait()
        if parent_gone.wait(PAUSE_S) or time.monotonic() - began < SETTLED_S + PAUSE_S:
            return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
