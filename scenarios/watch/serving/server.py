"""The life of the server: its socket, its loop, its end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn

from protocols.concurrency.signals import ending_on_signals
from protocols.errors import SettingsError
from scenarios.watch.serving.app import Serving
from scenarios.watch.serving.gate import Application
from scenarios.watch.serving.limits import MAX_CONNECTIONS, MAX_HEAD_BYTES, SHUTDOWN_S

BACKLOG: Final = 128
"""Connections that wait to be taken in."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises:
        SettingsError: When the port is in use, may not be used, or the address is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise SettingsError(
            f"--host {host} is no address: {getattr(error, 'strerror', None) or error}",
            expected="an address or a name of this machine",
            action="leave it out, and the page is for this machine alone",
        ) from None
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        raise _unusable(error, host, port) from None
    return made


def run_server(
    build: Callable[[Callable[[Callable[[], None]], object]], Serving],
    listening: socket.socket,
    on_ready: Callable[[], None],
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        build: Puts the server together; it is given what makes a call in the server's loop, from any thread.
        listening: The socket.
        on_ready: Called when it takes requests.
    """
    # Not the loop of Windows: aiomqtt runs on this one alone, and it is what we test.
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_serve(build, listening, on_ready))


async def _serve(
    build: Callable[[Callable[[Callable[[], None]], object]], Serving],
    listening: socket.socket,
    on_ready: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    made = build(loop.call_soon_threadsafe)
    server = _Server(made.app, made.streams.end, on_ready)
    try:
        with ending_on_signals(server.ask_to_end):
            await server.serve(sockets=[listening])
    finally:
        made.close()


class _Server(uvicorn.Server):
    """Uvicorn, but for signals, which are ours, and for streams, which are told of the end first."""

    def __init__(self, app: Application, end_streams: Callable[[], None], on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",  # strict, and the same everywhere
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MAX_CONNECTIONS,
                h11_max_incomplete_event_size=MAX_HEAD_BYTES,
                timeout_graceful_shutdown=int(SHUTDOWN_S),
            )
        )
        self._end_streams = end_streams
        self._on_ready = on_ready

    def ask_to_end(self) -> None:
        """End in order."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take requests, and say so."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say goodbye to viewers, then end."""
        self._end_streams()
        await super().shutdown(sockets)


def _unusable(error: OSError, host: str, port: int) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"Port {port} of {host} is in use",
            expected="a free port",
            action="choose another with --port (0 takes a free one), or end what listens there: a page of before, say",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return SettingsError(
            f"The system lets nobody but its administrator listen on port {port}",
            expected="a port from 1024 on",
            action="choose another with --port",
        )
    return SettingsError(
        f"Nothing can listen on {host}, port {port}: {error.strerror or error}",
        expected="an address of this machine",
        action="correct --host",
    )
