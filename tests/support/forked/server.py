"""The process that has imported everything and forks commands: `python -m tests.support.forked.server SOCKET`.

Every connection to the socket asks for one command, and is told its number and its exit code, a line each. The process
ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import runpy
import select
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

IMPORTED: Final = (
    "scenarios.cli.app",
    "scenarios.run.run",
    "scenarios.sources.code_sources",
    "agent.acquisition.etal",
    "scipy.special",
    "pandas",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "scenarios.broker.broker",
)
"""What most commands import."""


def main(address: str) -> None:
    """Fork a command for every connection until standard input ends; in a fork, become that command."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("listening", flush=True)
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # else every fork goes through all of it once more when it ends: half a second
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _become(_watched(connection))
            return
        connection.close()
        _reap()
    Path(address).unlink()
    Path(address).parent.rmdir()


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _watched(connection: socket.socket) -> dict[str, Any]:
    """Fork once more: the child returns with what is asked, this process tells its number and its end."""
    with connection, connection.makefile("r", encoding="utf-8") as lines:
        asked: dict[str, Any] = json.loads(lines.readline())
        child = os.fork()
        if child:
            with contextlib.suppress(OSError):  # whoever asked may be gone
                connection.sendall(b"%d\n" % child)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            with contextlib.suppress(OSError):
                connection.sendall(b"%d\n" % code)
            os._exit(0)
    return asked


def _become(asked: Mapping[str, Any]) -> None:
    os.setsid()
    os.chdir(asked["folder"])
    files = ((os.devnull, os.O_RDONLY), (asked["out"], os.O_WRONLY), (asked["err"], os.O_WRONLY))
    for number, (path, mode) in enumerate(files):
        opened = os.open(path, mode | (os.O_TRUNC if number else 0))
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(asked["env"])
    random.seed()
    sys.argv[1:] = asked["arguments"]
    runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
