"""What the agent sends, and what of it is still on its way: requests, receipts, reports, statuses, the last words.

Nothing here decides. The loop commits first and then says what is to go out; each send is a task of its own, and may be
repeated for ever: a request until the broker confirms it or nobody waits for its answer, a receipt with the repetition
of its result. The synchronous methods choose what goes out and start it; the asynchronous ones only publish and wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any, Final

from agent.campaign.decide import ResultAck
from agent.campaign.people.controls import ControlAck
from agent.campaign.state import Attempt
from agent.runtime.admission.admission import Admission
from agent.runtime.messages import MessageBuilder, OutgoingMessage, figures_of
from agent.runtime.transaction import Transaction, TransactionBuilder
from agent.store.commit import JournalHead, OutboxItem
from agent.store.store import NOTHING_TOLD, JournalView
from protocols.errors import BrokerError
from protocols.link.election import LISTEN_S, Election, another_agent
from protocols.link.transport import LinkLost, PublishRefused, Transport
from protocols.wire.limits import MAX_BANDED_FAMILIES
from protocols.wire.messages import Health, ReceiptStatus

IDLE_FLUSH_S: Final = 0.25
"""How long confirmations of the broker may wait for a transaction to share."""

MAX_PENDING_SENDS: Final = 512
"""Receipts on their way at once; when a broker takes our messages more slowly than it sends us others, we wait."""

PENDING_CHECK_S: Final = 0.5
"""How often we look whether we are asked to end while too many are pending: a broker may confirm nothing for long."""

SHUTDOWN_GRACE_S: Final = 2.0
"""How long the last receipts and the offline status may take at the end; SIGTERM has five seconds in all."""

RETRY_REQUEST_S: Final = 2.0
"""Pause before a request goes out again that nobody listened to, or whose outcome is unknown: a lab that starts after
the agent waits no longer than this."""

NO_LONGER_AWAITED: Final = "nobody waits for this attempt any more"
"""What an instrument is told of an attempt that is withdrawn."""

METRICS_REPORT_EVERY_S: Final = 0.5
"""The retained metrics report is for people and dashboards: twice a second is live."""

STATE_EVERY_S: Final = 0.5
"""The same for the retained state of the campaign."""


class Outbound:
    """The agent's sends over one transport.

    Args:
        maker: Holds the campaign and its bias; only read.
        transport: The link.
        messages: Makes our messages.
        unconfirmed: Requests of an earlier start that the broker has not confirmed.
        journal: What of the journal receipts, reports and the campaign's state tell.
        admission: What a request waits for before it goes out; by default nothing.
        on_event: Called with a name and fields, for the log.
    """

    def __init__(
        self,
        maker: TransactionBuilder,
        transport: Transport,
        messages: MessageBuilder,
        unconfirmed: Iterable[OutboxItem],
        journal: JournalView = NOTHING_TOLD,
        *,
        admission: Admission | None = None,
        on_event: Callable[..., Any] = lambda _name, **_told: None,
    ) -> None:
        self.connected = False
        self.unconfirmed = {item.attempt_id: item for item in unconfirmed}
        """Requests that the broker has not confirmed, by attempt."""
        self.confirmed: list[str] = []
        """Attempts whose outbox rows are to be marked by the next commit."""
        self.tasks: set[asyncio.Task[Any]] = set()
        self.pending: set[asyncio.Task[Any]] = set()
        """Sends that the end waits for: receipts."""
        self._maker = maker
        self._campaign = maker.campaign
        self._transport = transport
        self._messages = messages
        self._head = journal.head
        self._admission = admission or Admission()
        self._election = Election(messages.instance, lambda: another_agent(self._campaign.plan.campaign))
        self._sending: set[str] = set()
        self._row_at = journal.row_at
        self._report_due = 0.0
        self._state_due = 0.0
        self._state_told: dict[str, Any] = {}
        self._since: tuple[int, datetime | None] = (0, None)
        """Number of the row since which the campaign stands as it does, and its time."""
        self._on_event = on_event
        self._refused: set[str] = set()
        """Topics for people that the broker has refused; each is told once."""
        self._group: asyncio.TaskGroup

    @property
    def gave_way(self) -> bool:
        """Whether another agent of this campaign goes on."""
        return self._election.gave_way

    def run_in(self, group: asyncio.TaskGroup) -> None:
        """Let every send be a task of this group; call it first."""
        self._group = group

    def link_up(self, now: float) -> None:
        """Say that we are here, and send again what may be lost [now: s, monotonic]."""
        self.connected = True
        if self._election.connected(now):
            self._spawn(self._election.listen())
        self._announce(now)
        self._spawn(self._ask_for_capabilities())
        self._resend(None)
        self._state_due, self._state_told = now, {}  # a broker that was started again may have forgotten it
        self.tell_state(now)

    def link_down(self) -> None:
        """Start no send until the link is up again."""
        self.connected = False

    def flush_wait_s(self) -> float | None:
        """Return how long what the broker confirmed may wait for the next transaction [s], or None without any."""
        return IDLE_FLUSH_S if self.confirmed else None

    def take_confirmed(self) -> tuple[str, ...]:
        """Return the attempts whose outbox rows are to be marked, and forget them."""
        confirmed, self.confirmed = tuple(self.confirmed), []
        return confirmed

    def send_requests(self, items: Iterable[OutboxItem]) -> None:
        """Send committed requests, now or when the link is up."""
        for item in items:
            self.unconfirmed[item.attempt_id] = item
            if self.connected:
                self._spawn(self._send_request(item.attempt_id))

    def send_receipts(self, receipts: Iterable[ResultAck]) -> None:
        """Send the receipts of committed results; one that gets lost is asked for again by its result."""
        if self.connected:
            head = self._head()
            for receipt in receipts:
                self.send_tracked(self.send(*self._messages.receipt(receipt, head)))

    def send_control_receipts(self, receipts: Iterable[ControlAck]) -> None:
        """Send the receipts of committed controls; one that gets lost is asked for again by its control."""
        if self.connected:
            for receipt in receipts:
                row = None if receipt.row is None else self._row_at(receipt.row)
                at = None if row is None else JournalHead(row.sequence, row.digest)
                self.send_tracked(self._tell(*self._messages.control_receipt(receipt, at)))

    def tell_state(self, now: float) -> None:
        """Say where the campaign stands, if that has changed, and was not said just now [now: s, monotonic]."""
        figures = figures_of(self._maker.ledger)
        if self._may_tell and now >= self._state_due and figures != self._state_told:
            self._state_told, self._state_due = figures, now + STATE_EVERY_S
            self._spawn(self._send_state(self._state()))

    def state_wait_s(self, now: float) -> float | None:
        """Return how long what has changed in the campaign may wait to be told [s]; None where all of it is."""
        if not self.connected:
            return None
        if not self._may_tell:
            return LISTEN_S  # the loop itself tells it then, for a commit may be using the database in between
        is_told = figures_of(self._maker.ledger) == self._state_told
        return None if is_told else max(0.0, self._state_due - now)

    def withdraw(self, attempts: Iterable[Attempt], there: Iterable[str]) -> None:
        """Tell instruments that nobody waits for an attempt any more; whoever has not begun it leaves it.

        Args:
            attempts: The attempts.
            there: The instruments that are there: of a request to "any" nobody knows who has it.
        """
        if not self.connected:
            return
        for attempt in attempts:
            shared = attempt.recipient in self._messages.shared_recipients
            for instrument in there if shared else (attempt.recipient,):
                word = ResultAck(attempt.attempt_id, instrument, ReceiptStatus.WITHDRAWN, NO_LONGER_AWAITED)
                self.send_tracked(self.send(*self._messages.receipt(word)))

    def forget_answered(self) -> None:
        """Give up the requests whose answer nobody waits for any more: answered, expired or closed."""
        for attempt_id in [known for known in self.unconfirmed if known not in self._campaign.in_flight]:
            del self.unconfirmed[attempt_id]
            self.confirmed.append(attempt_id)

    def follow(self, transaction: Transaction, now: float) -> None:
        """Send what a committed transaction lets people and other clients know, and what they made necessary.

        Raises:
            BrokerError: When another agent of this campaign is there, and we must give way.
        """
        for status in transaction.statuses:
            if status.health is Health.ONLINE and self.connected:
                self._resend(status.client)  # what was sent before it listened is lost on some brokers
        for status, retained in transaction.agents_heard:
            if self._election.meet(status, retained=retained, now=now) and self.connected:
                self._announce(now)
                self._state_told = {}  # a newcomer may have said it otherwise before it gave way
        if self.connected and transaction.bias and now >= self._report_due:
            self._report_due = now + METRICS_REPORT_EVERY_S
            self._spawn(self.send(*self._metrics_report(), retain=True))
        self.tell_state(now)

    async def wait_for_room(self, *, unless: Callable[[], bool]) -> None:
        """Wait while too many sends are pending, unless we are to end."""
        while len(self.pending) >= MAX_PENDING_SENDS and not unless():
            await asyncio.wait(self.pending, timeout=PENDING_CHECK_S, return_when=asyncio.FIRST_COMPLETED)

    async def send(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Publish; return whether the broker confirmed it.

        Raises:
            BrokerError: When the broker refuses it for good.
        """
        try:
            await self._transport.publish(topic, payload, retain=retain)
        except LinkLost:
            return False  # it may arrive or not; the next LinkUp or the result's repetition sends it again
        except PublishRefused as error:
            raise BrokerError(
                f"The broker refuses a message on {error.topic}: {error.reason}",
                expected=error.expected,
                action=f"{error.action}, then run again with --resume",
            ) from None
        return True

    def send_tracked(self, work: Coroutine[Any, Any, Any]) -> None:
        """Send something that the end waits for."""
        task = self._spawn(work)
        self.pending.add(task)
        task.add_done_callback(self.pending.discard)

    async def shut_down(self) -> None:
        """Send what is still pending, the last report and that we leave; then close the link in order."""
        if self.connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SHUTDOWN_GRACE_S):
                    await asyncio.gather(*self.pending)
                    await self.send(*self._metrics_report(), retain=True)
                    await self._tell(*self._state(), retain=True)
                    await self.send(*self._messages.status(Health.OFFLINE), retain=True)
        await self._transport.close()

    def cancel(self) -> None:
        """Give up every send that is on its way."""
        for task in self.tasks:
            task.cancel()

    async def _send_request(self, attempt_id: str) -> None:
        """Publish a request until the broker confirms it, or nobody waits for its answer any more."""
        if attempt_id in self._sending:
            return
        self._sending.add(attempt_id)
        try:
            await self._election.may_act.wait()
            while self._is_wanted(attempt_id):
                attempt = self._campaign.attempts[attempt_id]
                if not await self._admission.admit(attempt, lambda: self._is_wanted(attempt_id)):
                    continue
                item = self.unconfirmed.get(attempt_id) or self._maker.request(attempt)
                if await self.send(item.topic, item.payload):
                    if self.unconfirmed.pop(attempt_id, None) is not None:
                        self.confirmed.append(attempt_id)
                    return
                await asyncio.sleep(RETRY_REQUEST_S)
        finally:
            self._sending.discard(attempt_id)

    def _is_wanted(self, attempt_id: str) -> bool:
        """Tell whether a request is to go out: the link is up, and its answer awaited."""
        return self.connected and attempt_id in self._campaign.in_flight

    def _resend(self, recipient: str | None) -> None:
        """Send again what may be lost: everything unconfirmed, and what is in flight to an addressed recipient.

        A simulator answers a repeated attempt from its store. A request to "any" could reach a second simulator, so
        it is repeated only while the broker has not confirmed it.
        """
        for attempt in list(self._campaign.in_flight.values()):
            addressed = attempt.recipient not in self._messages.shared_recipients
            mine = recipient is None or attempt.recipient == recipient
            if mine and (addressed or attempt.attempt_id in self.unconfirmed):
                self._spawn(self._send_request(attempt.attempt_id))

    def _announce(self, now: float) -> None:
        """Say that we run this campaign, and whether we did before."""
        incumbent = self._election.is_incumbent(now)
        self._spawn(self.send(*self._messages.status(Health.ONLINE, incumbent=incumbent), retain=True))

    async def _ask_for_capabilities(self) -> None:
        """Let instruments say what they can do, where the broker retains nothing, or not for a wildcard.

        A broker whose access list is older than this word refuses it: then what is retained must do.
        """
        with contextlib.suppress(LinkLost, PublishRefused):
            await self._transport.publish(*self._messages.capabilities_request())

    @property
    def _may_tell(self) -> bool:
        """Whether we speak for the campaign: there is a link, and nobody else does."""
        return self.connected and self._election.may_act.is_set()

    async def _send_state(self, state: OutgoingMessage) -> None:
        if not await self._tell(*state, retain=True):
            self._state_told = {}  # it is said again with the next change, or when the link is back

    async def _tell(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Send what is for people; return False only where it got lost. What a broker refuses ends no campaign.

        An access list that is older than these topics does.
        """
        try:
            await self._transport.publish(topic, payload, retain=retain)
        except LinkLost:
            return False
        except PublishRefused as error:
            if topic not in self._refused:
                self._refused.add(topic)
                self._on_event("message_refused", topic=error.topic, reason=error.reason, action=error.action)
        return True

    def _state(self) -> OutgoingMessage:
        number = self._campaign.stands_since
        if self._since[0] != number:
            row = self._row_at(number)
            self._since = (number, None if row is None else _aware(row.recorded_at))
        return self._messages.campaign_state(self._maker.ledger, self._since[1], self._head())

    def _metrics_report(self) -> OutgoingMessage:
        meter = self._maker.ledger.meter
        point = self._maker.ledger.point()
        bands = meter.bands() if len(point.families) <= MAX_BANDED_FAMILIES else ()
        return self._messages.metrics_report(self._maker.ledger.observation, point, bands, self._head())

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._group.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


def _aware(time: str) -> datetime | None:
    """Return a time of the journal; None of a label without an offset, which says none."""
    try:
        read = datetime.fromisoformat(time)
    except ValueError:
        return None
    return read if read.tzinfo is not None else None
