"""Sends an operator's orders one after the other, and waits for what the agent says to each.

An order goes out again until its receipt comes or the time is over: a receipt may be lost on a link that breaks, and
the agent carries out each message id once. Who else speaks on the topic of our receipts is not believed: without keys
a receipt must answer our own message, and with keys it must be signed as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import BrokerError, MessageError
from protocols.link.transport import Delivery, LinkLost, LinkUp, NobodyListens, PublishRefused, Transport
from protocols.signing.signature import require_signature
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import CampaignState, Control, ControlReceipt, ControlStatus, Health, Status
from protocols.wire.topics import AGENT_CLIENT, Channel, Topic, operator_subscriptions

AGAIN_S: Final = 2.0
"""Pause before an order goes out again that nobody has answered [s]: some hundred times what an answer takes."""

LINK_AGAIN_S: Final = 0.2
"""The same where the broker has not confirmed it [s]."""

MAX_REASONS: Final = 3
"""Most reasons that are told of receipts that were not believed."""


class Fate(StrEnum):
    """What became of an order, as far as its operator knows."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    NO_ANSWER = "no answer"
    """It went out, and may be carried out or not."""
    NOT_SENT = "not sent"
    """One before it had no answer, or nobody was there to take it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of an order.

    Attributes:
        message: The order.
        about: Whom or what it is about, for people.
        fate: What became of it.
        detail: Why, in words; empty where there is nothing to explain.
        row: Number of the journal's row that it made; None where it made none, or that is not known.
        digest: Digest of that row.
    """

    message: Control
    about: str
    fate: Fate
    detail: str = ""
    row: int | None = None
    digest: str | None = None


@dataclass(slots=True)
class Heard:
    """What the broker told besides.

    Attributes:
        agent: How the agent is, by its retained status; None while it has not been heard of.
        state: Where the campaign stands; None likewise.
        not_believed: How many receipts were not.
        why_not: Some of the reasons.
    """

    agent: Health | None = None
    state: CampaignState | None = None
    not_believed: int = 0
    why_not: tuple[str, ...] = ()


def subscriptions_for(campaign: str, operator: str) -> tuple[str, ...]:
    """Return what an operator listens to who waits for receipts."""
    return (*operator_subscriptions(campaign, operator), str(Topic(campaign, Channel.STATUS, AGENT_CLIENT)))


class OrderSender:
    """Sends orders and waits for their receipts.

    Args:
        transport: The link, which listens to `subscriptions_for`.
        signs: Whether we have a key: a receipt must then be signed.
        timeout_s: How long each order may wait for its receipt [s].
        clock: Returns the wall-clock time: an order says when it goes out.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        signs: bool,
        timeout_s: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.heard = Heard()
        self._transport = transport
        self._signs = signs
        self._timeout_s = timeout_s
        self._clock = clock
        self._was_up = asyncio.Event()
        self._awaited = ""
        self._receipt: asyncio.Future[ControlReceipt] | None = None

    async def send(self, orders: Sequence[tuple[Control, str]]) -> tuple[Answer, ...]:
        """Send messages in their order, each with what it is about; return what became of each.

        One that is refused keeps none of the others back; after one without an answer nothing more is sent.

        Raises:
            BrokerError: When the broker cannot be reached, or refuses us.
            SettingsError: When a password or a file of TLS cannot be had.
        """
        answers: list[Answer] = []
        try:
            async with asyncio.TaskGroup() as group:
                link = [group.create_task(self._transport.run()), group.create_task(self._listen())]
                for message, about in orders:
                    if answers and answers[-1].fate in {Fate.NO_ANSWER, Fate.NOT_SENT}:
                        answers.append(Answer(message, about, Fate.NOT_SENT, "the one before it had no answer"))
                    else:
                        answers.append(await self._ask(message, about))
                await self._transport.close()
                for task in link:
                    task.cancel()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None
        return tuple(answers)

    async def _ask(self, message: Control, about: str) -> Answer:
        """Say something until it is answered, or the time is over."""
        await self._was_up.wait()  # the link itself gives up on a broker that never answers
        self._awaited = message.message_id
        self._receipt = asyncio.get_running_loop().create_future()
        until = time.monotonic() + self._timeout_s
        is_confirmed = nobody_listens = False
        while not self._receipt.done() and time.monotonic() < until:
            pause_s = AGAIN_S
            try:
                await self._say(message, until)
                is_confirmed = True
            except NobodyListens:
                nobody_listens = True
            except LinkLost:
                pause_s = LINK_AGAIN_S
            await asyncio.wait([self._receipt], timeout=max(min(pause_s, until - time.monotonic()), 0.0))
        if self._receipt.done():
            return _answered(message, about, self._receipt.result())
        if nobody_listens and not is_confirmed:
            said = ["nobody listens to it, says the broker: nothing has changed", *self._standing()]
            return Answer(message, about, Fate.NOT_SENT, "; ".join(said))
        return Answer(message, about, Fate.NO_ANSWER, self._silence(is_confirmed=is_confirmed))

    async def _say(self, message: Control, until: float) -> None:
        """Publish a message, unless the time is over before the broker has taken it."""
        said = message.model_copy(update={"sent_at": self._clock()})
        try:
            async with asyncio.timeout(max(until - time.monotonic(), 0.0)):
                await self._transport.publish(topic_of(said), encode(said))
        except TimeoutError:
            raise LinkLost from None
        except PublishRefused as error:
            raise BrokerError(
                f"The broker refuses an order on {error.topic}: {error.reason}",
                expected=error.expected,
                action=f"{error.action}, or operate as somebody who may (--operator, and that one's account)",
            ) from None

    def _silence(self, *, is_confirmed: bool) -> str:
        """Return what is known of an order that nobody has answered."""
        heard = []
        if not is_confirmed:
            heard.append("the broker has not confirmed it")
        elif self.heard.agent is Health.ONLINE:
            heard.append("the broker has it, and the agent says that it is there")
        elif self.heard.agent is Health.OFFLINE:
            heard.append("the broker has it, and the agent is away: it may be kept, and carried out when that is back")
        else:
            heard.append("the broker took it, and nothing is heard of an agent of this campaign there")
        if self.heard.not_believed:
            heard.append(f"{self.heard.not_believed} receipts were not believed: {'; '.join(self.heard.why_not)}")
        return "; ".join((*heard, *self._standing()))

    def _standing(self) -> tuple[str, ...]:
        """Return where the campaign stands, in words; nothing where that was not said."""
        state = self.heard.state
        if state is None:
            return ()
        why = f" ({state.reason})" if state.reason else ""
        return (f"the campaign is {state.phase.value}{why}, as was said last",)

    async def _listen(self) -> None:
        while True:
            item = await self._transport.receive()
            if isinstance(item, Delivery):
                self._take(item)
                self._transport.acknowledge(item)
            elif isinstance(item, LinkUp):
                self._was_up.set()

    def _take(self, delivery: Delivery) -> None:
        """Note a receipt that is ours, and what is said of agent and campaign; nothing else is for us."""
        try:
            message = decode(delivery.topic, delivery.payload)
        except MessageError as error:
            if f"/{Channel.RECEIPT.value}/" in delivery.topic:
                self._disbelieve(error.found)
            return
        match message:
            case Status():
                self.heard.agent = message.health
            case CampaignState():
                self.heard.state = message
            case ControlReceipt() if message.answers == self._awaited:
                self._take_receipt(delivery, message)
            case _:
                pass

    def _take_receipt(self, delivery: Delivery, receipt: ControlReceipt) -> None:
        try:
            require_signature(delivery, always=self._signs)
        except MessageError as error:
            self._disbelieve(error.found)
            return
        if delivery.retain:
            self._disbelieve("it was kept by the broker, and no agent lets it keep one")
        elif self._receipt is not None and not self._receipt.done():
            self._receipt.set_result(receipt)

    def _disbelieve(self, why: str) -> None:
        self.heard.not_believed += 1
        if why not in self.heard.why_not and len(self.heard.why_not) < MAX_REASONS:
            self.heard.why_not = (*self.heard.why_not, why)


_FATES: Final = {
    ControlStatus.ACCEPTED: Fate.ACCEPTED,
    ControlStatus.DUPLICATE: Fate.DUPLICATE,
    ControlStatus.REFUSED: Fate.REFUSED,
}


def _answered(message: Control, about: str, receipt: ControlReceipt) -> Answer:
    return Answer(message, about, _FATES[receipt.status], receipt.detail, receipt.row, receipt.digest)
