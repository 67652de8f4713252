"""What a simulator sends: answers, repeated with back-off until their receipt, what it can do, and its status.

Nothing here decides. The service commits first and then says what is to go out; each send is a task of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from protocols.errors import BrokerError
from protocols.link.transport import LinkLost, PublishRefused, Transport
from protocols.wire.attribution import message_id_of
from protocols.wire.messages import Health, ReceiptStatus, ResultReceipt
from protocols.wire.topics import EVERY_CAMPAIGN
from simulators.messages import Messages
from simulators.outbox import Answer
from simulators.serving.capabilities import capabilities_of
from simulators.settings import SimulatorSettings

STATUS_EVERY_S: Final = 30.0
"""Pause between two words that we are here. One of them may get lost, or an older one come last; an agent that takes us
for offline would wait for our answer for ever."""

SAID_AGAIN_S: Final = 1.0
"""Least pause between two announcements: whoever asks without end does not make us speak without end."""

SHUTDOWN_GRACE_S: Final = 2.0
"""How long the offline status may take at the end; SIGTERM has five seconds in all."""


class Outbound:
    """The sends of one simulator over one transport.

    Args:
        settings: Its pauses between repetitions.
        transport: The link.
        messages: Writes the status.
        campaign: The campaign whose status topic it keeps; None when it serves every campaign on the broker.
        undelivered: Answers of an earlier start that have no receipt.
        counts: Told how often an answer is repeated.
        jitter: Spreads the repetitions.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        transport: Transport,
        messages: Messages,
        *,
        campaign: str | None,
        undelivered: Iterable[Answer],
        counts: Counter[str],
        jitter: random.Random,
    ) -> None:
        self.connected = False
        self.undelivered = {answer.attempt_id: answer for answer in undelivered}
        """Answers that have no receipt, by attempt."""
        self.due: dict[str, tuple[float, int]] = {}
        """When an answer is to be repeated [s, monotonic], and how often it was sent."""
        self._refused: set[str] = set()
        """Of those, the attempts whose answer was refused once."""
        self._settings = settings
        self._capabilities = capabilities_of(settings)
        self._transport = transport
        self._messages = messages
        self._campaign = campaign
        self._counts = counts
        self._jitter = jitter
        self._said_s: float | None = None
        self._says_soon = False
        self._group: asyncio.TaskGroup

    @property
    def task_name(self) -> str:
        """The name of every task that sends."""
        return f"simulator {self._settings.id}"

    def run_in(self, group: asyncio.TaskGroup) -> None:
        """Let every send be a task of this group; call it first."""
        self._group = group

    def link_up(self) -> list[Answer]:
        """Say what we can do and that we are here; return the answers that may be lost."""
        self.connected = True
        self._spawn(self._publish_capabilities())
        if self._campaign is not None:
            self._spawn(self._publish_status(self._campaign, Health.ONLINE))
        return list(self.undelivered.values())

    def link_down(self) -> None:
        """Start no send until the link is up again."""
        self.connected = False

    def say_again(self, now: float) -> None:
        """Say again what we can do and that we are here; a moment later where we just did [now: s, monotonic]."""
        if not self.connected or self._says_soon:
            return
        wait_s = 0.0 if self._said_s is None else self._said_s + SAID_AGAIN_S - now
        if wait_s > 0:
            self._says_soon = True
            self._spawn(self._say_after(wait_s))
            return
        self._said_s = now
        self._spawn(self._publish_capabilities())
        if self._campaign is not None:
            self._spawn(self._publish_status(self._campaign, Health.ONLINE))

    async def _say_after(self, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        self._says_soon = False
        self.say_again(asyncio.get_running_loop().time())

    def take_receipt(self, receipt: ResultReceipt) -> bool:
        """Repeat an answer no more; return whether it was waiting for this receipt.

        One refusal is not enough: what was refused may have been damaged on its way, or be a stranger's with the id of
        our message. The answer goes out once more, and is taken then, or refused again.
        """
        attempt_id = receipt.attempt_id
        answer = self.undelivered.get(attempt_id)
        if answer is None or not _is_of(receipt, answer):
            return False
        if receipt.status is ReceiptStatus.REFUSED and attempt_id not in self._refused:
            self._refused.add(attempt_id)
            return False
        del self.undelivered[attempt_id]
        self._refused.discard(attempt_id)
        self.due.pop(attempt_id, None)
        self._counts["delivered"] += 1
        return True

    def wait_s(self, now: float) -> float | None:
        """Return the time to the next repetition [s], or None without one."""
        next_due = min((due for due, _ in self.due.values()), default=None) if self.connected else None
        return None if next_due is None else max(0.0, next_due - now)

    def pop_due(self, now: float) -> list[Answer]:
        """Return the answers that are due again."""
        answers = []
        for attempt_id in [known for known, (due, _) in self.due.items() if self.connected and due <= now]:
            if attempt_id in self.undelivered:
                self._counts["repeated answers"] += 1
                answers.append(self.undelivered[attempt_id])
            else:
                del self.due[attempt_id]
        return answers

    def send_answers(self, answers: Iterable[Answer], now: float) -> None:
        """Send committed answers, and set when those without a receipt are repeated."""
        for answer in answers:
            if answer.attempt_id in self.undelivered:
                self._schedule_repetition(answer.attempt_id, now)
            if self.connected:
                self._spawn(self._send(answer.topic, answer.payload))

    async def repeat_status(self, *, unless: Callable[[], bool]) -> None:
        """Say now and then that we are here, unless we are to end."""
        while self._campaign is not None:
            await asyncio.sleep(STATUS_EVERY_S)
            if self.connected and not unless():
                await self._publish_status(self._campaign, Health.ONLINE)

    async def shut_down(self) -> None:
        """Say that we leave, then close the link in order."""
        if self.connected and self._campaign is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SHUTDOWN_GRACE_S):
                    await self._publish_status(self._campaign, Health.OFFLINE)
        await self._transport.close()

    def _schedule_repetition(self, attempt_id: str, now: float) -> None:
        """Set when an answer is repeated: pauses double, with jitter, so that many simulators do not answer at once."""
        _, tries = self.due.get(attempt_id, (0.0, 0))
        settings = self._settings
        pause = min(settings.resend_max_s, settings.resend_min_s * 2.0 ** min(tries, 16))
        self.due[attempt_id] = (now + pause * self._jitter.uniform(0.75, 1.25), tries + 1)

    async def _send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        try:
            await self._transport.publish(topic, payload, retain=retain)
        except LinkLost:
            pass  # repeated until the receipt
        except PublishRefused as error:
            raise BrokerError(
                f"The broker refuses a message on {error.topic}: {error.reason}",
                expected=error.expected,
                action=f"{error.action}; the simulator's answers are kept",
            ) from None

    async def _publish_capabilities(self) -> None:
        """Say what we can do; where an access list of before forbids it, we are asked without."""
        topic, payload = self._messages.capabilities(self._campaign or EVERY_CAMPAIGN, self._capabilities)
        with contextlib.suppress(LinkLost, PublishRefused):
            await self._transport.publish(topic, payload, retain=True)

    async def _publish_status(self, campaign: str, health: Health) -> None:
        topic, payload = self._messages.status(campaign, health)
        await self._send(topic, payload, retain=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._group.create_task(work, name=self.task_name)


def _is_of(receipt: ResultReceipt, answer: Answer) -> bool:
    """Tell whether a receipt is of this very answer.

    Agents of old do not say whose message a receipt answers; they refuse each only once, and then call it a duplicate.
    Ours say so of every message that has an id. So a refusal of no message is none of ours.
    """
    if receipt.answers is None:
        return receipt.status not in {ReceiptStatus.REFUSED, ReceiptStatus.WITHDRAWN}
    return message_id_of(answer.payload) in {receipt.answers, None}
