"""An operator who intervenes: watches how far the campaign is, and says what the scenario wants, over MQTT.

It counts what the agent has committed, not what travels: a receipt may be lost or come twice. A wish goes out again
until the broker has given it to the agent, and anew after every restart; the agent carries out each message id once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from protocols.broker_settings import BrokerSettings
from protocols.codec import encode, topic_of
from protocols.errors import BrokerError
from protocols.failures import explained
from protocols.messages import Control
from protocols.mqtt import MqttSession
from protocols.transport import LinkLost, PublishRefused, Transport
from scenarios.wishes import OperatorWish

AGAIN_S: Final = 0.2
"""Pause before a control is sent again whose outcome is unknown."""


class Operator:
    """Carries out a list of wishes, in its order.

    Args:
        wishes: When.
        letters: What: the control of each wish.
        transport: The link.
        acquired: Tells how many results the campaign has accepted.
    """

    def __init__(
        self,
        wishes: Sequence[OperatorWish],
        letters: Sequence[Control],
        *,
        transport: Transport,
        acquired: Callable[[], int],
    ) -> None:
        self._due = list(zip(wishes, letters, strict=True))
        self._transport = transport
        self._acquired = acquired
        self._committed = asyncio.Event()

    def note(self) -> None:
        """Look again how far the campaign is: called after every commit."""
        self._committed.set()

    async def run(self) -> None:
        """Say everything that is wanted, then leave.

        Raises:
            BrokerError: When the broker refuses us for good.
        """
        try:
            async with asyncio.TaskGroup() as group:
                link = [group.create_task(self._transport.run()), group.create_task(self._drain())]
                for wish, letter in self._due:
                    await self._reached(wish.at)
                    await asyncio.sleep(wish.after_s)
                    await self._send(letter)
                await self._transport.close()
                for task in link:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise explained(failures) from None

    async def _reached(self, at: int) -> None:
        while self._acquired() < at:
            self._committed.clear()
            await self._committed.wait()

    async def _send(self, letter: Control) -> None:
        while True:
            try:
                await self._transport.publish(topic_of(letter), encode(letter))
            except LinkLost:
                await asyncio.sleep(AGAIN_S)
            except PublishRefused as error:
                raise BrokerError(
                    f"The broker refuses a control on {error.topic}: {error.reason}",
                    expected="the right to publish there",
                    action="let the broker's access list grant it, or leave out [[operator]]",
                ) from None
            else:
                return

    async def _drain(self) -> None:
        """Take in what the link tells: nobody speaks to an operator, and a full queue would stop the link."""
        while True:
            await self._transport.receive()


def operator_session(campaign: str, broker: BrokerSettings) -> MqttSession:
    """Return the operator's own link, which only speaks."""
    return MqttSession(broker, client_id=f"entropilot-{campaign}-operator", subscriptions=())
