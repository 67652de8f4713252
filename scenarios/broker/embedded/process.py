"""The process of the embedded broker.

    python -m scenarios.broker.embedded.process

The first line of its standard input says where to listen and who is let in (JSON; so no password is on a command line
or in an environment); the first line of its output says on which port it listens, or why on none, and each later one
what it has refused or dropped since the one before. It ends when its standard input does: with its parent, however
that ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections import Counter
from functools import partial
from typing import Any

from scenarios.broker.embedded.limits import TOLD_EVERY_S
from scenarios.broker.embedded.router import Router
from scenarios.broker.embedded.server import Server
from scenarios.broker.embedded.users import Action, User, user_with


def order(host: str, port: int, users: tuple[User, ...]) -> bytes:
    """Write what the process is told first."""
    people = [[each.name, each.password, each.rules] for each in users]
    return json.dumps({"host": host, "port": port, "users": people}).encode() + b"\n"


def main() -> None:
    """Serve until standard input ends."""
    said = json.loads(sys.stdin.buffer.readline())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which needs us for its goodbyes
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_serve(said))


async def _serve(said: dict[str, Any]) -> None:
    users = tuple(
        User(name, password, tuple((Action(action), topics) for action, topics in rules))
        for name, password, rules in said["users"]
    )
    server = Server(Router(partial(user_with, users)))
    try:
        port = await server.listen(said["host"], said["port"])
    except OSError as error:
        _tell({"error": os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)})
        return
    try:
        _tell({"port": port})
        told: Counter[str] = Counter()
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            if new := server.counts - told:
                _tell(dict(new))
                told = server.counts.copy()
    finally:
        await server.end()


def _tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _end_with_the_parent() -> None:
    """End as soon as nobody holds the other end of standard input."""
    while os.read(0, 1024):
        pass
    os._exit(0)  # nothing is kept, so nothing is lost


if __name__ == "__main__":
    main()
