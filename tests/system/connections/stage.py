"""A place at which a broker stands that may be another one a moment later, and a session that looks for it there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from protocols.link.broker_settings import BrokerSettings
from protocols.link.codes import LinkState
from protocols.link.mqtt import MqttSession
from protocols.link.transport import Delivery, LinkDown, LinkUp
from scenarios.broker.broker import LOOPBACK, find_mosquitto
from tests.endurance.stage import listens
from tests.support.commands import free_port, until
from tests.support.processes import started

PATIENCE_S: Final = 60.0
"""After which a test that waits is taken to hang."""

Files = tuple[Path, Path]
"""A certificate and its key."""


def shows(files: Files) -> tuple[str, ...]:
    """The lines of a Mosquitto that shows a certificate."""
    return (f"certfile {files[0]}", f"keyfile {files[1]}")


def encrypted(scheme: str, files: Files) -> tuple[str, ...]:
    """The lines of a Mosquitto that is reached by `mqtts` or `wss`."""
    return (*plain(scheme), *shows(files))


def plain(scheme: str) -> tuple[str, ...]:
    """The lines of one that is reached by `mqtt` or `ws`."""
    return ("protocol websockets",) * scheme.startswith("ws")


class Place:
    """A port at which one server stands at a time; the next one takes its place.

    Args:
        folder: Where the servers' files go.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._there = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_told: object) -> None:
        self.nobody()

    def nobody(self) -> None:
        """Let nobody be there."""
        self._there.close()

    def mosquitto(self, *lines: str) -> None:
        """Let a Mosquitto be there, with lines of its configuration."""
        self.nobody()
        self._there.enter_context(mosquitto_at(self.port, self._folder, *lines))

    def server(self, answer: Callable[[socket.socket], None]) -> None:
        """Let a server of ours be there that does something with each connection."""
        self.nobody()
        self._there.enter_context(listener_at(self.port, answer))


@contextmanager
def mosquitto_at(port: int, folder: Path, *lines: str) -> Iterator[None]:
    """A Mosquitto at a port."""
    usual = ["user root"] * (hasattr(os, "getuid") and os.getuid() == 0)
    if "protocol websockets" in lines:
        usual.append(f"listener {free_port()} {LOOPBACK}")  # it does not start with websockets alone
    usual += ["persistence false", f"listener {port} {LOOPBACK}"]
    if not any(line.startswith("allow_anonymous") for line in lines):
        usual.append("allow_anonymous true")
    config = folder / "at.conf"
    config.write_text("\n".join((*usual, *lines)) + "\n")
    with (folder / "at.log").open("wb") as log:
        command, nothing = [find_mosquitto(), "-c", str(config)], subprocess.DEVNULL
        with started(command, stdin=nothing, stdout=log, stderr=log) as process:
            until(lambda: process.poll() is not None or listens(port), "Mosquitto does not listen")
            assert process.poll() is None, (folder / "at.log").read_text()
            yield


@contextmanager
def listener_at(port: int, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    """A server of ours that is no broker: a thread that does something with each connection.

    Args:
        port: Where.
        answer: What it does; whatever goes wrong in it is the client's to notice.
    """
    with socket.create_server((LOOPBACK, port)) as server:
        opened: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    link, _ = server.accept()
                except OSError:  # it is closed
                    return
                opened.append(link)
                threading.Thread(target=converse, args=(link,), daemon=True).start()

        def converse(link: socket.socket) -> None:
            with contextlib.suppress(OSError, ValueError), link:
                answer(link)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for link in opened:
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)
                link.close()


def says_nothing(link: socket.socket) -> None:
    """Take what comes, and never answer."""
    while link.recv(4096):
        pass


def greets_and_says_nothing(files: Files) -> Callable[[socket.socket], None]:
    """Speak TLS, and then never answer."""

    def converse(link: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        with context.wrap_socket(link, server_side=True) as greeted:
            while greeted.recv(4096):
                pass

    return converse


def speaks_old_tls(files: Files) -> Callable[[socket.socket], None]:
    """Speak TLS 1.1 and no later one."""

    def converse(link: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_1  # what the test is about
        with context.wrap_socket(link, server_side=True):
            pass

    return converse


def at(port: int, scheme: str, **options: Any) -> BrokerSettings:
    """How to reach it, impatiently."""
    return BrokerSettings(
        url=f"{scheme}://{LOOPBACK}:{port}",
        reconnect_min_s=0.05, reconnect_max_s=0.2, publish_timeout_s=2.0,
        **{name: str(value) if isinstance(value, Path) else value for name, value in options.items()},
    )  # fmt: skip


class Watched:
    """A session, and the states that it went through.

    Args:
        settings: How to reach the broker.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self.logged: list[dict[str, Any]] = []
        """The fields of each `link_down` of its log."""
        self.session = MqttSession(
            settings, client_id="watched", subscriptions=("lab/x",), on_event=self._note, listens_only=True
        )

    def _note(self, name: str, **fields: Any) -> None:
        if name == "link_down":
            self.logged.append(fields)

    async def up(self) -> None:
        """Wait until it is up, and see that a message passes."""
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(await self.session.receive(), LinkUp):
                pass
            await self.session.publish("lab/x", b"hello")
            while not isinstance(came := await self.session.receive(), Delivery):
                pass
            self.session.acknowledge(came)

    async def down(self, state: LinkState) -> str:
        """Wait until it is in a state; return what is said of it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                item = await self.session.receive()
                if isinstance(item, LinkDown) and item.state is state:
                    assert {"state": state.value, "reason": item.reason}.items() <= self.logged[-1].items()
                    return item.reason


@contextlib.asynccontextmanager
async def watched(settings: BrokerSettings) -> AsyncIterator[Watched]:
    """Run a session as long as the block."""
    found = Watched(settings)
    task = asyncio.create_task(found.session.run())
    try:
        yield found
        assert not task.done(), "it goes on whatever becomes of the link"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
