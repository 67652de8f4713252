"""The product's broker in memory, which here keeps every message that it routed."""

from __future__ import annotations

from typing import Any

from protocols.link.memory.broker import MemoryBroker
from protocols.link.memory.policy import BrokerPolicy, Message
from protocols.link.memory.transport import MemoryTransport
from protocols.link.transport import LastWill


class Log(BrokerPolicy):
    """Keeps what was routed."""

    def __init__(self) -> None:
        self.routed_messages: list[tuple[str, Message]] = []

    def routed(self, sender: str, message: Message) -> None:
        self.routed_messages.append((sender, message))


class MemoryBus(MemoryBroker):
    """The broker; see `MemoryBroker` for the options."""

    def __init__(self, **options: Any) -> None:
        policy = Log()
        super().__init__(policy=policy, **options)
        self.log = policy.routed_messages

    def transport(
        self,
        client_id: str,
        subscriptions: tuple[str, ...] = (),
        *,
        will: LastWill | None = None,
        password: str | None = None,
    ) -> MemoryTransport:
        """Make a client's link; it connects when it runs."""
        return MemoryTransport(self, client_id, subscriptions, will=will, password=password)
