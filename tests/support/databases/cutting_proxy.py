"""Stands between an agent and its PostgreSQL, and takes the answer of a commit away: was it kept, or not?"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from scenarios.broker.broker import LOOPBACK

COMMIT: Final = b"COMMIT"
"""How the driver's word to the server begins to matter."""

CHUNK_BYTES: Final = 65_536


class Cut(StrEnum):
    """What happens to the next commit."""

    BEFORE = "before"
    """The server never hears of it: the connection is cut first."""
    AFTER = "after"
    """The server keeps it; the answer is thrown away and the connection cut."""
    SILENCE = "silence"
    """The server keeps it; the answer never comes, and the connection stays open."""
    HALF = "half"
    """The agent's side is cut before the server hears of it; the server is not told, and keeps the session."""


class CuttingProxy:
    """Passes bytes on, until it is armed.

    Args:
        port: Of the server.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listener.getsockname()[1])
        self.armed: Cut | None = None
        self.last: Cut | None = None
        self.let_through = 0
        """Commits that are left alone before that."""
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Cut everything."""
        _shut(self._listener)
        for each in self._open:
            _shut(each)
        for thread in self._threads:
            thread.join(10)
        for each in (self._listener, *self._open):
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection((LOOPBACK, self._to))
            except OSError:
                return
            self._open += [client, server]
            silent = threading.Event()
            for work in (self._up, self._down):
                thread = threading.Thread(target=work, args=(client, server, silent), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _up(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        for chunk in _chunks(client):
            cut = self.armed if COMMIT in chunk else None
            if cut is not None and self.let_through:
                self.let_through, cut = self.let_through - 1, None
            if cut is not None:
                self.armed, self.last = None, cut
                silent.set()
            if cut in {Cut.BEFORE, Cut.HALF}:
                _shut(client)
                if cut is Cut.BEFORE:
                    _shut(server)
                return
            with contextlib.suppress(OSError):
                server.sendall(chunk)
        if not silent.is_set():
            _shut(server)

    def _down(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        for chunk in _chunks(server):
            if not silent.is_set():
                with contextlib.suppress(OSError):
                    client.sendall(chunk)
            elif self.last is Cut.AFTER:
                _shut(client)
                _shut(server)
        if not silent.is_set():
            _shut(client)


@contextmanager
def cutting_proxy(port: int) -> Iterator[CuttingProxy]:
    """A proxy before a server."""
    proxy = CuttingProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


def _chunks(wire: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        while chunk := wire.recv(CHUNK_BYTES):
            yield chunk


def _shut(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
