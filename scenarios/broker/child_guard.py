"""Keeps a command running for as long as our own standard input is open, and no longer.

    python -m scenarios.broker.child_guard COMMAND [ARGUMENT …]

When the parent dies, however, its end of the pipe closes and the command is ended: nothing is left over. When the
command dies after it had settled, it is started again; one that ends at once has something to say, and is not.
When this guard itself is killed, the system kills the command (on Linux; elsewhere our parent does, by the group).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

SETTLED_S: Final = 1.0
"""A command that ends sooner than this after its start did not start: a port in use, a wrong configuration."""

ASK_AGAIN_S: Final = 0.3
"""Pause before a command is asked again to end: Mosquitto, which listens before it is ready, forgets the first time."""

KILL_AFTER_S: Final = 3.0
"""How long it may take to end before it is killed; SIGTERM has five seconds in all."""

PAUSE_S: Final = 0.5
"""Pause before a command that died is started again: a crash in a loop shall not take a core."""

TELL_OF_THE_PARENTS_DEATH: Final = 1
"""PR_SET_PDEATHSIG of Linux's prctl(2): the signal that a process gets when its parent dies. It outlives exec."""


def main(command: list[str]) -> int:
    """Keep the command running until the parent is gone or it does not start; return its exit code."""
    parent_gone = threading.Event()
    running: list[subprocess.Popen[bytes]] = []
    die_with_us = _death_with(os.getpid())

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
        # What runs between fork and exec is two calls of the system; our other thread holds nothing that they need.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_us)  # noqa: PLW1509
        running[:] = [process]
        code = process.wait()
        if parent_gone.wait(PAUSE_S) or time.monotonic() - began < SETTLED_S + PAUSE_S:
            return code


def _death_with(parent: int) -> Callable[[], None] | None:
    """Return what a child calls to be killed when its parent dies; None where the system cannot do it."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def die_with_the_parent() -> None:
        prctl(TELL_OF_THE_PARENTS_DEATH, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we had said so
            os._exit(1)

    return die_with_the_parent


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
