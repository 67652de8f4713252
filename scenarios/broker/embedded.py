"""The embedded broker, fixed: amqtt leaves a connection open when the client is gone before amqtt could say goodbye.

Every client that first tries MQTT 5 is such a one: amqtt waits for more of its CONNECT until it hangs up, then stumbles
over its own goodbye. The broker would hold a socket for each until the process ends, and show a traceback.
"""

from __future__ import annotations

import asyncio
import contextlib

from amqtt.broker import Broker


class ClosingBroker(Broker):  # type: ignore[misc]  # amqtt has no types
    """A broker that closes whatever connection it is done with.

    Args:
        config: Its configuration, as amqtt takes it.
    """

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """Serve one client until it is gone."""
        try:
            with contextlib.suppress(OSError):  # who is gone hears no goodbye
                await super().stream_connected(reader, writer, listener_name)
        finally:
            writer.close()
