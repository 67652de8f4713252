"""An operator who intervenes: watches how far the campaign is, and says what the scenario wants, over MQTT.

It looks at what the agent has committed, not at what travels: a receipt may be lost or come twice, and a broker may
lose a control. So a wish goes out again until it is carried out, in this life of the campaign or the next; the agent
carries out each message id once.
"""

from __future__ import annotations

import asyncio
import contextlib
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

AGAIN_S: Final = 0.5
"""Pause before a control is sent again that is not carried out: some fifty times what that takes."""

MAX_SENDS: Final = 5
"""How often a control goes out that is not carried out. Then it cannot be, and the quarantine has it with the reason:
the candidate has been observed already, for example."""


class Operator:
    """Carries out a list of wishes, in its order.

    Args:
        wishes: When.
        letters: What: the control of each wish.
        transport: The link.
        acquired: Tells how many results the campaign has accepted.
        carried_out: Tells whether it has carried out the control of a message id.
    """

    def __init__(
        self,
        wishes: Sequence[OperatorWish],
        letters: Sequence[Control],
        *,
        transport: Transport,
        acquired: Callable[[], int],
        carried_out: Callable[[str], bool],
    ) -> None:
        self._due = list(zip(wishes, letters, strict=True))
        self._transport = transport
        self._acquired = acquired
        self._carried_out = carried_out
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
                    await self._insist(letter)
                await self._transport.close()
                for task in link:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise explained(failures) from None

    async def _reached(self, at: int) -> None:
        while self._acquired() < at:
            self._committed.clear()
            await self._committed.wait()

    async def _insist(self, letter: Control) -> None:
        """Say something until it is carried out."""
        sent = 0
        while not self._carried_out(letter.message_id) and sent < MAX_SENDS:
            sent += await self._send(letter)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    while not self._carried_out(letter.message_id):
                        self._committed.clear()
                        await self._committed.wait()

    async def _send(self, letter: Control) -> bool:
        """Say something; return whether the broker has taken it."""
        try:
            await self._transport.publish(topic_of(letter), encode(letter))
        except LinkLost:
            return False
        except PublishRefused as error:
            raise BrokerError(
                f"The broker refuses a control on {error.topic}: {error.reason}",
                expected="the right to publish there",
                action="let the broker's access list grant it, or leave out [[operator]]",
            ) from None
        return True

    async def _drain(self) -> None:
        """Take in what the link tells: nobody speaks to an operator, and a full queue would stop the link."""
        while True:
            await self._transport.receive()


def operator_session(campaign: str, broker: BrokerSettings) -> MqttSession:
    """Return the operator's own link, which only speaks."""
    return MqttSession(broker, client_id=f"entropilot-{campaign}-operator", subscriptions=())
