"""The worlds that the transport contract is kept in: a broker, clients of it, and what that broker can do at all."""

from __future__ import annotations

import asyncio
import socket
import sys
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.credentials import Account, Role
from protocols.link.memory.transport import MemoryTransport
from protocols.link.mqtt import MqttSession
from protocols.link.transport import LastWill, Transport
from scenarios.broker.broker import embedded_broker
from scenarios.broker.mosquitto import ACCESS_LIST, CONFIG, LOOPBACK, find_mosquitto, write_mosquitto_files
from tests.support.memory_bus import MemoryBus

USER: Final = "lab"
PASSWORD: Final = "open sesame"
REFUSED: Final = "refused/"
"""Where the access list lets nobody publish, for brokers that have one."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a broker can do. The contract asserts each one either way, or says why it cannot be asked."""

    tells_refused_publish: bool
    """Says so when its access list denies a message, rather than dropping it as if it had been sent."""
    tells_nobody_listens: bool
    """Says so when it took a message and gave it to nobody."""
    tells_takeover: bool
    """Says so to a client whose id another one took."""


class World(ABC):
    """A broker and the means to trouble it."""

    can: Capabilities

    @abstractmethod
    async def start(self) -> None:
        """Start the broker, at the same address as before."""

    @abstractmethod
    async def stop(self) -> None:
        """End the broker; it forgets everything."""

    @abstractmethod
    def transport(
        self,
        client_id: str,
        *subscriptions: str,
        will: LastWill | None = None,
        password: str = PASSWORD,
        first_connect_timeout_s: float = 10.0,
    ) -> Transport:
        """Make a client's link; it connects when it runs."""

    @abstractmethod
    def cut(self, transport: Transport) -> None:
        """Break a client's connection without a goodbye."""

    @abstractmethod
    def held(self, transport: Transport) -> int:
        """How many messages wait in the client's memory."""


class MemoryWorld(World):
    """The bus in memory."""

    can = Capabilities(
        tells_refused_publish=True,
        tells_nobody_listens=True,
        tells_takeover=True,
    )

    def __init__(self) -> None:
        self._bus = MemoryBus(password=PASSWORD, may_publish=lambda _client, topic: not topic.startswith(REFUSED))
        self._ids: dict[int, str] = {}

    async def start(self) -> None:
        """Start the bus."""
        self._bus.start()

    async def stop(self) -> None:
        """End the bus."""
        self._bus.stop(forget=True)

    def transport(
        self,
        client_id: str,
        *subscriptions: str,
        will: LastWill | None = None,
        password: str = PASSWORD,
        first_connect_timeout_s: float = 10.0,
    ) -> Transport:
        """Make a client's link."""
        transport = self._bus.transport(client_id, subscriptions, will=will, password=password)
        self._ids[id(transport)] = client_id
        return transport

    def cut(self, transport: Transport) -> None:
        """Break a client's connection."""
        self._bus.cut(self._ids[id(transport)])

    def held(self, transport: Transport) -> int:
        """Count the client's waiting messages."""
        assert isinstance(transport, MemoryTransport)
        return transport.held


class MqttWorld(World):
    """A real broker on loopback, reached by `MqttSession`."""

    def __init__(self, version: MqttVersion) -> None:
        self._version = version
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            self.port = int(probe.getsockname()[1])

    def transport(
        self,
        client_id: str,
        *subscriptions: str,
        will: LastWill | None = None,
        password: str = PASSWORD,
        first_connect_timeout_s: float = 10.0,
    ) -> Transport:
        """Make a client's link, quick to come back."""
        settings = BrokerSettings(
            url=f"mqtt://{LOOPBACK}:{self.port}",
            username=USER,
            password=SecretStr(password),
            version=self._version,
            first_connect_timeout_s=first_connect_timeout_s,
            publish_timeout_s=5.0,
            reconnect_min_s=0.02,
            reconnect_max_s=0.05,
        )
        return MqttSession(settings, client_id=client_id, subscriptions=subscriptions, will=will)

    def cut(self, transport: Transport) -> None:
        """Shut the client's socket under it."""
        assert isinstance(transport, MqttSession)
        assert transport._client is not None
        link = transport._client._client.socket()
        assert isinstance(link, socket.socket)
        link.shutdown(socket.SHUT_RDWR)

    def held(self, transport: Transport) -> int:
        """Count what aiomqtt and the session hold."""
        assert isinstance(transport, MqttSession)
        assert transport._client is not None
        return transport._incoming.qsize() + len(transport._client.messages)


class EmbeddedWorld(MqttWorld):
    """The embedded broker of a default run."""

    can = Capabilities(
        tells_refused_publish=False,
        tells_nobody_listens=False,
        tells_takeover=False,
    )

    def __init__(self) -> None:
        super().__init__(MqttVersion.V311)
        self._running = AsyncExitStack()

    async def start(self) -> None:
        """Start it."""
        accounts = [Account(USER, Role.ALL, PASSWORD)]
        await self._running.enter_async_context(embedded_broker(port=self.port, accounts=accounts))

    async def stop(self) -> None:
        """End it."""
        await self._running.aclose()


class MosquittoWorld(MqttWorld):
    """Mosquitto with our settings, a password and an access list."""

    def __init__(self, folder: Path, version: MqttVersion) -> None:
        super().__init__(version)
        v5 = version is MqttVersion.V5
        self.can = Capabilities(
            tells_refused_publish=v5,
            tells_nobody_listens=v5,
            tells_takeover=False,  # measured with 2.0.11: it closes the link without a DISCONNECT, in both versions
        )
        self.further: tuple[str, ...] = ()
        """Further lines of its configuration."""
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it listens."""
        assert self._process is None
        await asyncio.to_thread(self._write_files)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "scenarios.broker.child_guard",
            find_mosquitto(), "-c", str(self._folder / CONFIG),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection(LOOPBACK, self.port)
                except OSError:
                    assert self._process.returncode is None, "Mosquitto ended at its start"
                    await asyncio.sleep(0.01)
                    continue
                writer.close()
                await writer.wait_closed()
                return

    async def stop(self) -> None:
        """End it and remove its memory."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            await process.wait()
        (self._folder / "mosquitto.db").unlink(missing_ok=True)

    def _write_files(self) -> None:
        write_mosquitto_files(self._folder, [Account(USER, Role.ALL, PASSWORD)], port=self.port)
        with (self._folder / ACCESS_LIST).open("a") as rules:
            rules.write(f"topic deny {REFUSED}#\n")
        with (self._folder / CONFIG).open("a") as config:
            config.write("".join(f"{line}\n" for line in self.further))
