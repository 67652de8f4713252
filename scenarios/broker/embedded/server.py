"""Listens, asks everybody who they are, and gives each client to its connection; the number of both is bounded."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Final

from scenarios.broker.embedded.connection import Connection, read_packet
from scenarios.broker.embedded.limits import BACKLOG, GREETING_S, MAX_CONNECTIONS, MAX_GREETING_BYTES, MAX_STRANGERS
from scenarios.broker.embedded.packets import (
    Greeting,
    Malformed,
    OtherVersion,
    greeting_of,
)
from scenarios.broker.embedded.router import NotTakenIn, Router
from scenarios.broker.embedded.writing import connack, refusal, refusal_of_version

GONE: Final = (EOFError, OSError, TimeoutError)
"""How a connection ends that nobody ended in order."""


class Server:
    """The broker as it listens.

    Args:
        router: Decides who is let in, and who gets what.
    """

    def __init__(self, router: Router) -> None:
        self._router = router
        self._strangers: dict[Connection, None] = {}  # the oldest first
        self._clients = 0
        self._served: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    @property
    def counts(self) -> Counter[str]:
        """What was refused or dropped until now."""
        return self._router.counts

    async def listen(self, host: str, port: int) -> int:
        """Listen; return the port.

        Raises:
            OSError: When it cannot.
        """
        self._listener = await asyncio.start_server(self._accept, host, port, backlog=BACKLOG)
        return int(self._listener.sockets[0].getsockname()[1])

    async def end(self) -> None:
        """Hang up on everybody, and listen no more."""
        if self._listener is not None:
            self._listener.close()
        for task in self._served:
            task.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task of its own."""
        task = asyncio.get_running_loop().create_task(self._serve(Connection(reader, writer)))
        self._served.add(task)
        task.add_done_callback(self._served.discard)

    async def _serve(self, connection: Connection) -> None:
        try:
            greeting = await self._greeting(connection)
            if greeting is not None:
                await self._admit(greeting, connection)
        finally:
            connection.close()

    async def _greeting(self, connection: Connection) -> Greeting | None:
        """Return what somebody says first; None when it is nothing that lets them in."""
        if len(self._strangers) == MAX_STRANGERS:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.hang_up()
            self.counts["strangers hung up on"] += 1
        self._strangers[connection] = None
        try:
            async with asyncio.timeout(GREETING_S):
                return greeting_of(await read_packet(connection.reader, MAX_GREETING_BYTES))
        except OtherVersion as other:
            with contextlib.suppress(*GONE):
                await connection.say(refusal_of_version(other.level))
        except Malformed:
            self.counts["malformed"] += 1
        except GONE:
            self.counts["strangers who said nothing"] += 1
        finally:
            self._strangers.pop(connection, None)
        return None

    async def _admit(self, greeting: Greeting, connection: Connection) -> None:
        """Serve a client that is let in, until it is gone."""
        try:
            session, present = self._router.take_in(greeting, connection, is_full=self._clients == MAX_CONNECTIONS)
        except NotTakenIn as error:
            with contextlib.suppress(*GONE):
                await connection.say(refusal(error.why))
            return
        self._clients += 1
        says_goodbye = False
        try:
            await connection.say(connack(session_present=present))
            says_goodbye = await connection.converse(session, self._router, greeting.keepalive_s)
        except Malformed:
            self.counts["malformed"] += 1
        except GONE:
            pass
        finally:
            self._clients -= 1
            self._router.leave(session, connection, says_goodbye=says_goodbye)
