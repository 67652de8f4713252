"""Keeps a command running for as long as our own standard input is open, and no longer.

    python -m scenarios.broker.child_guard COMMAND [ARGUMENT …]

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

ASK_AGAIN_S: Final = 0.3
"""Pause before a command is asked again to end: Mosquitto, which listens before it is ready, forgets the first time."""

KILL_AFTER_S: Final = 3.0
"""How long it may take to end before it is killed; SIGTERM has five seconds in all."""

PAUSE_S: Final = 0.5
"""Pause before a command that died is started again: a crash in a loop shall not take a core."""


def main(command: list[str]) -> int:
    """Keep the command running until the parent is gone or it does not start; return its exit code."""
    parent_gone = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def wait_for_parent() -> None:
        sys.stdin.buffer.read()
        parent_gone.set()
        asked_first = time.monotonic()
        while True:
            for process in running:
                process.kill() if time.monotonic() - asked_first > KILL_AFTER_S else process.terminate()
            time.sleep(ASK_AGAIN_S)

    threading.Thread(target=wait_for_parent, daemon=True).start()
    while True:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        running[:] = [process]
        code = process.wait()
        if parent_gone.wait(PAUSE_S) or time.monotonic() - began < SETTLED_S + PAUSE_S:
            return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
