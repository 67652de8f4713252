"""An operator who intervenes: watches how far the campaign is, and says what the scenario wants, over MQTT.

It looks at what the agent has committed, not at what travels: a receipt may be lost or come twice, and a broker may
lose a control. So an action goes out again until it is carried out, in this life of the campaign or the next; the agent
carries out each message id once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from agent.campaign.state import Campaign
from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import BrokerError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.client_ids import operator_client_id
from protocols.link.mqtt import MqttSession
from protocols.link.sessions import SessionEnd
from protocols.link.transport import LinkLost, PublishRefused, Transport
from protocols.signing.transport import SignedTransport, Signing
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import Control
from scenarios.settings.operator_actions import OperatorAction

AGAIN_S: Final = 0.5
"""Pause before a control is sent again that is not carried out: some fifty times what that takes."""

MAX_SENDS: Final = 5
"""How often a control goes out that is not carried out. Then it cannot be, and the quarantine has it with the reason:
the candidate has been observed already, for example."""

ScheduledControls = tuple[tuple[OperatorAction, Control], ...]
"""What an operator wants, in order: each action with the control that it becomes."""


class Operator:
    """Says what is wanted, in its order.

    Args:
        wanted: When, and what.
        transport: The link.
        acquired: Tells how many results the campaign has accepted.
        carried_out: Tells whether the control of a message id is in its journal: carried out, or refused.
        awaits: Tells whether a decision waits for approval.
        clock: Returns the wall-clock time: a control says when it goes out, not when it was thought of.
    """

    def __init__(
        self,
        wanted: ScheduledControls,
        *,
        transport: Transport,
        acquired: Callable[[], int],
        carried_out: Callable[[str], bool],
        awaits: Callable[[int], bool] = lambda _decision: True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._wanted = wanted
        self._transport = transport
        self._acquired = acquired
        self._carried_out = carried_out
        self._awaits = awaits
        self._clock = clock
        self._committed = asyncio.Event()

    def note(self) -> None:
        """Look again how far the campaign is: called after every commit."""
        self._committed.set()

    async def run(self) -> None:
        """Say everything that is wanted, then leave.

        Raises:
            BrokerError: When the broker refuses us for good.
        """
        if not self._wanted:
            return
        try:
            async with asyncio.TaskGroup() as group:
                link = [group.create_task(self._transport.run()), group.create_task(self._drain())]
                for action, message in self._wanted:
                    if not self._carried_out(message.message_id):  # in an earlier life
                        await self._reached(action)
                        await asyncio.sleep(action.after_s)
                        await self._insist(message)
                await self._transport.close()
                for task in link:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None

    async def _reached(self, action: OperatorAction) -> None:
        """Wait until the campaign is as far as an action wants it, and what it is about is there."""
        while self._acquired() < action.at or not (action.decision is None or self._awaits(action.decision)):
            self._committed.clear()
            await self._committed.wait()

    async def _insist(self, message: Control) -> None:
        """Say something until it is carried out."""
        sent = 0
        while not self._carried_out(message.message_id) and sent < MAX_SENDS:
            sent += await self._send(message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    while not self._carried_out(message.message_id):
                        self._committed.clear()
                        await self._committed.wait()

    async def _send(self, message: Control) -> bool:
        """Say something; return whether the broker has taken it."""
        said = message.model_copy(update={"sent_at": self._clock()})
        try:
            await self._transport.publish(topic_of(said), encode(said))
        except LinkLost:
            return False
        except PublishRefused as error:
            raise BrokerError(
                f"The broker refuses a control on {error.topic}: {error.reason}",
                expected=error.expected,
                action=f"{error.action}, or leave out [[operator]]",
            ) from None
        return True

    async def _drain(self) -> None:
        """Take in what the link tells: nobody speaks to an operator, and a full queue would stop the link."""
        while True:
            await self._transport.receive()


def operator_of(wanted: ScheduledControls, campaign: Campaign, broker: BrokerSettings, signing: Signing) -> Operator:
    """Return the operator of a campaign, with a link of its own, which only speaks."""
    client_id = operator_client_id(campaign.plan.campaign)
    return Operator(
        wanted,
        transport=SignedTransport(
            MqttSession(broker, client_id=client_id, subscriptions=(), ending=lambda: SessionEnd.ENDED), signing
        ),
        acquired=lambda: len(campaign.acquired),
        carried_out=lambda message_id: message_id in campaign.orders.seen,
        awaits=lambda decision: decision in campaign.awaiting_approval,
    )
