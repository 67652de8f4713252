"""The main path of the agent: receive, decide, commit, send. One screen, and no rule of its own.

    receive   the link's messages, deadlines that passed, the policy's answer
    decide    fold them into the campaign by the rules (`agent.campaign.decide`), synchronously
    commit    one transaction for all of it
    send      publish the requests, then acknowledge to the broker and publish the receipts

Nothing is sent before its commit, and every send may be repeated: requests stay in the outbox until the broker
confirms them, receipts are repeated with their result. A failed commit ends the process; a restart folds the journal
and asks the same questions, so recovery is the main path too.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.campaign.ledger import Question
from agent.campaign.life_cycle import Phase
from agent.runtime.deadlines import Deadlines
from agent.runtime.election import Incumbency
from agent.runtime.messages import Correspondence, Letter
from agent.runtime.policy_runner import Acquirer
from agent.runtime.transaction import Expired, Input, Proposed, Step, StepMaker
from agent.store.store import Store
from protocols.concurrency.task_group_errors import explained
from protocols.errors import BrokerError, CampaignHalted
from protocols.link.poison_guard import InHand
from protocols.link.transport import Delivery, LinkDown, LinkLost, LinkUp, PublishRefused, Transport
from protocols.wire.limits import MAX_BANDED_FAMILIES
from protocols.wire.messages import Health

MAX_INPUTS_PER_COMMIT: Final = 64
"""Inputs folded into one transaction under load: a FULL commit costs up to 4 ms on a shared disk."""

INBOX_SIZE: Final = 256
"""Inputs that may wait for the next step; when full, the link is not read (back-pressure, never a drop)."""

IDLE_FLUSH_S: Final = 0.25
"""How long confirmations of the broker may wait for a transaction to share."""

MAX_OWED: Final = 512
"""Receipts on their way at once; when a broker takes our messages more slowly than it sends us others, we wait."""

GOODBYE_S: Final = 2.0
"""How long the last receipts and the offline status may take at the end; SIGTERM has five seconds in all."""

OWED_LOOK_S: Final = 0.5
"""How often we look whether we are asked to end while we owe too much: a broker may confirm nothing for long."""

RETRY_REQUEST_S: Final = 2.0
"""Pause before a request goes out again that nobody listened to, or whose outcome is unknown: a lab that starts after
the agent waits no longer than this."""

BIAS_REPORT_EVERY_S: Final = 0.5
"""The retained bias report is for people and dashboards: twice a second is live."""


class Agent:
    """Runs one campaign over one transport.

    Args:
        maker: Holds the campaign, and folds inputs into it by the rules.
        store: The memory.
        transport: The link.
        acquirer: Asks the policy.
        letters: Makes our messages.
        request_timeout_s: Time an attempt has to answer, while its recipient is not known to be offline.
        in_hand: Notes what is being handled; without one, a message that kills its handler is never found out.
        write_ahead: Called just before every commit that takes or brings something; for the recording.
        on_step: Called after every commit; for the log, the live view and tests. It must be quick.
    """

    def __init__(
        self,
        *,
        maker: StepMaker,
        store: Store,
        transport: Transport,
        acquirer: Acquirer,
        letters: Correspondence,
        request_timeout_s: float,
        now: Callable[[], str],
        in_hand: InHand | None = None,
        write_ahead: Callable[[Step], None] = lambda _step: None,
        on_step: Callable[[Step], None] = lambda _step: None,
    ) -> None:
        self.campaign = maker.campaign
        self.connected = False
        self._maker = maker
        self._store = store
        self._transport = transport
        self._acquirer = acquirer
        self._letters = letters
        self._deadlines = Deadlines(request_timeout_s)
        self._now = now
        self._in_hand = in_hand or InHand(None)
        self._write_ahead = write_ahead
        self._on_step = on_step
        self._inbox: asyncio.Queue[Input | LinkUp | LinkDown | Wake] = asyncio.Queue(maxsize=INBOX_SIZE)
        self._alone: Input | LinkUp | LinkDown | Wake | None = None
        self._incumbency = Incumbency(self.campaign.terms.campaign, letters.instance)
        self._unconfirmed = {item.attempt_id: item for item in store.unconfirmed()}
        self._confirmed: list[str] = []
        self._sending: set[str] = set()
        self._offline: set[str] = set()
        self._asked: Question | None = None
        self._background: asyncio.TaskGroup
        self._sends: set[asyncio.Task[Any]] = set()
        self._owed: set[asyncio.Task[Any]] = set()
        self._asking: asyncio.Task[Any] | None = None
        self._shutdown = False
        self._report_due = 0.0

    async def run(self) -> None:
        """Run until the campaign is finished.

        Raises:
            CampaignHalted: When the campaign paused itself, or its policy failed.
            BrokerError: When the broker refuses us for good.
            StoreError: When a commit failed.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._background = group
                link = [group.create_task(self._transport.run()), group.create_task(self._read_link())]
                try:
                    await self._rounds()
                finally:
                    if self._asking is not None:
                        self._asking.cancel()  # first: it would take the end of its child for a fault of the policy
                    await self._acquirer.close()
                    for task in (*link, *self._sends):
                        task.cancel()
        except BaseExceptionGroup as failures:
            raise explained(failures) from None

    def request_shutdown(self) -> None:
        """End after the current step; what is in flight stays in the store for the next start."""
        self._shutdown = True
        with contextlib.suppress(asyncio.QueueFull):  # full: the loop is awake and sees the flag
            self._inbox.put_nowait(Wake())

    async def _rounds(self) -> None:
        await self._commit_and_send(self._settled(Step()))
        while not self._is_over():
            step, items = Step(), await self._receive()
            with self._in_hand.handling([item for item in items if isinstance(item, Delivery)]):
                for item in items:
                    self._decide(step, item)
            await self._commit_and_send(self._settled(step))
        await self._say_goodbye()

    async def _receive(self) -> list[Input | LinkUp | LinkDown | Wake]:
        """Wait for the next input, deadline or flush; return all that is there, up to a bound."""
        loop = asyncio.get_running_loop()
        while len(self._owed) >= MAX_OWED and not self._shutdown:
            await asyncio.wait(self._owed, timeout=OWED_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
        wait_s = self._deadlines.wait_s(loop.time())
        if self._confirmed:
            wait_s = IDLE_FLUSH_S if wait_s is None else min(wait_s, IDLE_FLUSH_S)
        items: list[Input | LinkUp | LinkDown | Wake] = []
        if self._alone is not None:
            items, self._alone = [self._alone], None
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    items.append(await self._inbox.get())
        while len(items) < MAX_INPUTS_PER_COMMIT and not self._inbox.empty() and not self._is_suspect(items):
            item = self._inbox.get_nowait()
            if self._is_suspect([item]):
                self._alone = item
                break
            items.append(item)
        # Answers first: one that waited in the inbox is not late, however long this process was suspended.
        items.extend(Expired(attempt_id) for attempt_id in self._deadlines.pop_due(loop.time()))
        return items

    def _is_suspect(self, items: Sequence[object]) -> bool:
        """Tell whether these end with a message that may kill us: it gets a step of its own."""
        return bool(items) and isinstance(items[-1], Delivery) and self._in_hand.is_suspect(items[-1])

    def _decide(self, step: Step, item: Input | LinkUp | LinkDown | Wake) -> None:
        now = asyncio.get_running_loop().time()
        match item:
            case Wake():
                pass
            case LinkUp():
                self.connected = True
                if self._incumbency.connected(now):
                    self._spawn(self._incumbency.listen())
                self._deadlines.start(self.campaign.in_flight, now)
                self._claim()
                self._resend(None)
            case LinkDown():
                self.connected = False
                self._deadlines.clear()  # nobody can answer now; everybody gets the whole time again
            case Expired(attempt_id) if self._is_unreachable(attempt_id):
                self._deadlines.start([attempt_id], now)
            case Delivery() if self._in_hand.is_condemned(item):
                self._maker.condemn(step, item)
            case Proposed():
                self._asked = None
                self._maker.take(step, item)
            case _:
                self._maker.take(step, item)

    def _settled(self, step: Step) -> Step:
        """Add what follows by itself; ask the policy in the background when it takes time."""
        question = self._maker.settle(step)
        if question is not None and self._asked is None:
            self._asked = question
            self._asking = self._background.create_task(self._ask_policy(question))
        return step

    async def _commit_and_send(self, step: Step) -> None:
        confirmed, self._confirmed = tuple(self._confirmed), []
        if step.took or step.events:
            self._write_ahead(step)
        with self._in_hand.handling(step.deliveries):
            self._store.append(step.commit(confirmed), now=self._now())
        self._in_hand.clear(step.deliveries)
        for item in step.outbox:
            self._unconfirmed[item.attempt_id] = item
            if self.connected:
                self._spawn(self._send_request(item.attempt_id))
        await asyncio.sleep(0)  # the requests go out now, for the lab waits for them; all else can follow
        for delivery in step.deliveries:
            self._transport.acknowledge(delivery)
        for receipt in step.receipts:
            if self.connected:
                self._owe(self._send(*self._letters.receipt(receipt)))
        self._watch_deadlines(step)
        now = asyncio.get_running_loop().time()
        for status in step.statuses:
            self._note_status(status.client, status.health)
        for status, retained in step.agents_heard:
            if self._incumbency.meet(status, retained=retained, now=now) and self.connected:
                self._claim()
        self._report_bias(step)
        self._on_step(step)

    def _watch_deadlines(self, step: Step) -> None:
        """Start the clocks of new requests, and forget the attempts that nobody waits for any more."""
        if self.connected:
            self._deadlines.start([item.attempt_id for item in step.outbox], asyncio.get_running_loop().time())
        self._deadlines.keep_only(self.campaign.in_flight)
        for attempt_id in [known for known in self._unconfirmed if known not in self.campaign.in_flight]:
            del self._unconfirmed[attempt_id]  # answered, expired or closed: nobody needs to be asked any more
            self._confirmed.append(attempt_id)

    def _is_over(self) -> bool:
        campaign = self.campaign
        if campaign.paused_itself:
            raise CampaignHalted(
                f"The campaign paused itself: {campaign.pause_reason}",
                expected="a lab that answers",
                action="look at the failures (`entropilot report`), mend the lab, then run again with --resume",
            )
        return campaign.phase is Phase.FINISHED or self._shutdown

    async def _read_link(self) -> None:
        while True:
            await self._inbox.put(await self._transport.receive())

    async def _ask_policy(self, question: Question) -> None:
        proposal = await self._acquirer.propose(question.context, question.needed.count)
        await self._inbox.put(Proposed(question.needed, question.based_on, proposal))

    async def _send_request(self, attempt_id: str) -> None:
        """Publish a request until the broker confirms it, or nobody waits for its answer any more."""
        if attempt_id in self._sending:
            return
        self._sending.add(attempt_id)
        try:
            await self._incumbency.may_ask.wait()
            while self.connected and attempt_id in self.campaign.in_flight:
                item = self._unconfirmed.get(attempt_id) or self._letters.request(self.campaign.attempts[attempt_id])
                if await self._send(item.topic, item.payload):
                    if self._unconfirmed.pop(attempt_id, None) is not None:
                        self._confirmed.append(attempt_id)
                    return
                await asyncio.sleep(RETRY_REQUEST_S)
        finally:
            self._sending.discard(attempt_id)

    async def _send(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
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
                expected="the right to publish there",
                action="let the broker's access list grant it to the agent, then run again with --resume",
            ) from None
        return True

    def _resend(self, recipient: str | None) -> None:
        """Send again what may be lost: everything unconfirmed, and what is in flight to an addressed recipient.

        A simulator answers a repeated attempt from its store. A request to "any" could reach a second simulator, so
        it is repeated only while the broker has not confirmed it.
        """
        for attempt in list(self.campaign.in_flight.values()):
            addressed = attempt.recipient not in self._letters.shared_recipients
            mine = recipient is None or attempt.recipient == recipient
            if mine and (addressed or attempt.attempt_id in self._unconfirmed):
                self._spawn(self._send_request(attempt.attempt_id))

    def _note_status(self, client: str, health: Health) -> None:
        """Remember who is away: deadlines of a simulator that says it is offline do not run out."""
        if health is Health.OFFLINE:
            self._offline.add(client)
        else:
            self._offline.discard(client)
            if self.connected:
                self._resend(client)  # what was sent before it listened is lost on some brokers

    def _claim(self) -> None:
        """Say that we run this campaign, and whether we did before."""
        incumbent = self._incumbency.is_incumbent(asyncio.get_running_loop().time())
        self._spawn(self._send(*self._letters.status(Health.ONLINE, incumbent=incumbent), retain=True))

    def _is_unreachable(self, attempt_id: str) -> bool:
        attempt = self.campaign.in_flight.get(attempt_id)
        return attempt is not None and (not self.connected or attempt.recipient in self._offline)

    def _report_bias(self, step: Step) -> None:
        now = asyncio.get_running_loop().time()
        if self.connected and step.bias and now >= self._report_due:
            self._report_due = now + BIAS_REPORT_EVERY_S
            self._spawn(self._send(*self._bias_letter(), retain=True))

    def _bias_letter(self) -> Letter:
        meter = self._maker.ledger.meter
        point = meter.point()
        bands = meter.bands() if len(point.families) <= MAX_BANDED_FAMILIES else ()
        return self._letters.bias_report(self._maker.ledger.observation, point, bands)

    async def _say_goodbye(self) -> None:
        """Send what is still owed, then leave in order."""
        if self.connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await asyncio.gather(*self._owed)
                    await self._send(*self._bias_letter(), retain=True)
                    await self._send(*self._letters.status(Health.OFFLINE), retain=True)
        await self._transport.close()
        self._store.append(Step().commit(tuple(self._confirmed)), now=self._now())

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._background.create_task(work)
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)
        return task

    def _owe(self, work: Coroutine[Any, Any, Any]) -> None:
        """Send something that the goodbye waits for."""
        task = self._spawn(work)
        self._owed.add(task)
        task.add_done_callback(self._owed.discard)


@dataclass(frozen=True, slots=True)
class Wake:
    """Nothing happened, but look again."""
