"""The main path of the agent: receive, decide, commit, send. One screen, and no rule of its own.

    receive   the link's messages, deadlines that passed, the policy's answer
    decide    fold them into the campaign by the rules (`agent.campaign.decide`), synchronously
    commit    one transaction for all of it
    send      publish the requests, then acknowledge to the broker and publish the receipts

Nothing is sent before its commit, and every send may be repeated: requests stay in the outbox until the broker
confirms them, receipts are repeated with their result. A failed commit ends the process; a restart folds the journal
and asks the same questions, so recovery is the main path too. Only a server that is away is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from agent.campaign.events import Event
from agent.campaign.lab.announcements import events_of_announcement
from agent.campaign.life_cycle import Phase
from agent.campaign.presence import decide_away
from agent.runtime.admission.admission import Admission
from agent.runtime.approvals import Approvals
from agent.runtime.commits import Commits
from agent.runtime.deadlines import Deadlines
from agent.runtime.ending import is_over
from agent.runtime.gathering import Gathering
from agent.runtime.messages import MessageBuilder
from agent.runtime.outbound import Outbound
from agent.runtime.policy_query import PolicyQuery
from agent.runtime.policy_runner import PolicyRunner
from agent.runtime.presence import Presence
from agent.runtime.transaction import (
    DeadlinePassed,
    Input,
    InstrumentGone,
    PolicyAnswer,
    Transaction,
    TransactionBuilder,
)
from agent.runtime.withdrawals import Withdrawals
from agent.store.store import JournalView, Store
from protocols.concurrency.inbox import Inbox
from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import BrokerError
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.transport import Delivery, LinkDown, LinkUp, Transport
from protocols.storage.disk_floor import DiskFloor

MAX_INPUTS_PER_COMMIT: Final = 64
"""Inputs folded into one transaction under load: a FULL commit costs up to 4 ms on a shared disk."""

INBOX_SIZE: Final = 256
"""Inputs that may wait for the next transaction; when full, the link is not read (back-pressure, never a drop)."""

NOT_HEARD_OF: Final = "it was not heard of when the campaign began"
"""Why an instrument is away from the beginning on."""


class Agent:
    """Runs one campaign over one transport.

    Args:
        maker: Holds the campaign, and folds inputs into it by the rules.
        request_timeout_s: Time an attempt has to answer, while its recipient is there.
        poison_guard: Notes what is being handled; without one, a message that kills its handler is never found out.
        disk: Where is written; while it is nearly full nothing is taken and nothing asked.
        write_ahead: Called just before every commit that takes or brings something; for the recording.
        on_commit: Called after every commit; for the log, the live view and tests. It must be quick.
        on_waiting: Called with whom the campaign waits for, whenever that changes; for the log.
        on_event: Called with what happens to the database's server; for the log.
        on_written: Called with when each commit began and ended [ns since 1970], before `on_commit`.
        admission: What requests wait for before they go out; by default nothing.

    Attributes:
        waiting_for: Recipients that hold attempts and are not there.
    """

    def __init__(
        self,
        *,
        maker: TransactionBuilder,
        store: Store,
        transport: Transport,
        policy_runner: PolicyRunner,
        messages: MessageBuilder,
        request_timeout_s: float,
        now: Callable[[], str],
        poison_guard: PoisonMessageGuard | None = None,
        disk: DiskFloor | None = None,
        write_ahead: Callable[[Transaction], None] = lambda _transaction: None,
        on_commit: Callable[[Transaction], None] = lambda _transaction: None,
        on_waiting: Callable[[tuple[str, ...]], None] = lambda _recipients: None,
        on_event: Callable[..., Any] = lambda _name, **_told: None,
        on_written: Callable[[int, int], None] = lambda _began, _ended: None,
        admission: Admission | None = None,
    ) -> None:
        self.campaign = maker.campaign
        self.link_trouble = ""
        """Why the link is down; empty while it is up, and before it was."""
        self.admission = admission or Admission()
        journal = JournalView(lambda: store.head, store.row_at)
        self.outbound = Outbound(
            maker, transport, messages, store.unconfirmed(), journal, admission=self.admission, on_event=on_event
        )
        self._maker = maker
        self._store = store
        self._transport = transport
        self.presence = Presence(self.campaign.plan.recipients, request_timeout_s)
        self.waiting_for: tuple[str, ...] = ()
        self._deadlines = Deadlines(request_timeout_s)
        self._approvals = Approvals(self.campaign)
        self.admission.follow(
            lambda: self.presence.there, lambda attempt_id: self._deadlines.start([attempt_id], _time())
        )
        self._withdrawals = Withdrawals(self.campaign)
        away = self.campaign.absence.away
        first = () if self.campaign.attempts else self.presence.recipients
        self._gathering = Gathering(
            (each for each in first if each not in away),
            require_signatures=self.campaign.plan.require_signatures,
        )
        self._poison_guard = poison_guard or PoisonMessageGuard(None)
        self._commits = Commits(
            store, now=now, poison_guard=self._poison_guard, on_event=on_event, on_written=on_written
        )
        self.disk = disk or DiskFloor(None)
        self._write_ahead = write_ahead
        self._on_step = on_commit
        self._on_waiting = on_waiting
        self.inbox: Inbox[Input | LinkUp | LinkDown] = Inbox(
            size=INBOX_SIZE, batch=MAX_INPUTS_PER_COMMIT, is_suspect=self._poison_guard.is_suspect
        )
        self._query = PolicyQuery(policy_runner, self.inbox.put)
        self._background: asyncio.TaskGroup
        self._shutdown = False

    @property
    def connected(self) -> bool:
        """Whether the link is up."""
        return self.outbound.connected

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
                self.outbound.run_in(group)
                link = [group.create_task(self._transport.run()), group.create_task(self._read_link())]
                try:
                    await self._rounds()
                except BrokerError:  # another agent goes on: nobody comes back to our session
                    await self._transport.close()
                    raise
                finally:
                    await self._query.shut_down()
                    for task in link:
                        task.cancel()
                    self.outbound.cancel()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None

    def request_shutdown(self) -> None:
        """End after the current transaction; what is in flight stays in the store for the next start."""
        self._shutdown = True
        self._gathering.wake()
        self._store.give_up()
        self.inbox.wake()

    async def _rounds(self) -> None:
        await self.disk.wait_for_room(unless=lambda: self._shutdown)
        await self._gather()
        await self._commit_and_send(self._settled(Transaction()))
        while not is_over(self.campaign) and not self._shutdown:
            transaction, items = Transaction(), await self._once_there_is_room(await self._receive())
            with self._poison_guard.handling(items):
                for item in items:
                    self._decide(transaction, item)
            await self._commit_and_send(self._settled(transaction))
        await self.outbound.shut_down()
        await self._commits.write(Transaction().commit(self.outbound.take_confirmed()))

    async def _gather(self) -> None:
        """Give the first work to those that are there and can do it; by events of their own, which no input brought."""
        gathering = self._gathering
        await gathering.wait(unless=lambda: self._shutdown)
        transaction, heard = Transaction(), list[Event]()
        for word, signed_by in gathering.announced.values():
            self.admission.live.hear(word)
            heard.extend(events_of_announcement(self.campaign, word, signed_by=signed_by))
        for event in heard:
            self._maker.fold(transaction, event)
        for instrument in gathering.absent:
            for event in decide_away(self.campaign, instrument, NOT_HEARD_OF).events:
                self._maker.fold(transaction, event)
        if transaction.events:
            await self._commits.write(transaction.commit(()))
            self._on_step(transaction)

    async def _receive(self) -> list[Input | LinkUp | LinkDown]:
        """Wait for the next input, deadline or flush; return all that is there, up to a bound."""
        await self.outbound.wait_for_room(unless=lambda: self._shutdown)
        now = _time()
        waits_s = (
            self._deadlines.wait_s(now),
            self._approvals.wait_s(now),
            self.presence.wait_s(self.campaign, now),
            self.outbound.flush_wait_s(),
            self.outbound.state_wait_s(now),
        )
        items = await self.inbox.receive(min((each for each in waits_s if each is not None), default=None))
        # Answers first: one that waited in the inbox is not late, however long this process was suspended.
        items.extend(self.presence.due(self.campaign, _time()))
        items.extend(DeadlinePassed(attempt_id) for attempt_id in self._deadlines.pop_due(_time()))
        items.extend(self._approvals.overdue(_time()))
        return items

    async def _once_there_is_room(self, items: list[Input | LinkUp | LinkDown]) -> list[Input | LinkUp | LinkDown]:
        """Hold what came while the disk is nearly full; nobody was listened to then: no time passed, nobody left."""
        if not await self.disk.wait_for_room(unless=lambda: self._shutdown):
            return items
        if self.connected:
            self.presence.link_up(_time())
            self._deadlines.start(self.campaign.in_flight, _time())
        return [item for item in items if not isinstance(item, DeadlinePassed | InstrumentGone)]

    def _decide(self, transaction: Transaction, item: Input | LinkUp | LinkDown) -> None:
        match item:
            case LinkUp():
                self.link_trouble = ""
                self.outbound.link_up(_time())
                self.outbound.withdraw(self._withdrawals.of(), self.presence.there)
                self.presence.link_up(_time())
                self._deadlines.start(self.campaign.in_flight, _time())
            case LinkDown(reason):
                self.link_trouble = reason
                self.outbound.link_down()
                self.presence.link_down()
                self._deadlines.clear()  # nobody can answer now; everybody gets the whole time again
            case DeadlinePassed(attempt_id) if self._is_unreachable(attempt_id):
                self._deadlines.start([attempt_id], _time())
            case InstrumentGone() if not self.connected:
                pass  # the link went down in the same moment
            case Delivery() if self._poison_guard.is_dead_lettered(item):
                self._maker.dead_letter(transaction, item)
            case PolicyAnswer():
                self._query.close()
                self._maker.take(transaction, item)
            case _:
                self._maker.take(transaction, item)

    def _settled(self, transaction: Transaction) -> Transaction:
        """Add what follows by itself; ask the policy in the background when it takes time."""
        question = self._maker.settle(transaction)
        if question is not None and not self._query.is_open:
            self._query.ask(self._background, question)
        return transaction

    async def _commit_and_send(self, transaction: Transaction) -> None:
        confirmed = self.outbound.take_confirmed()
        if transaction.took or transaction.events:
            self._write_ahead(transaction)
        await self._commits.write(transaction.commit(confirmed), transaction.deliveries)
        self.outbound.send_requests(transaction.outbox)
        await asyncio.sleep(0)  # the requests go out now, for the lab waits for them; all else can follow
        for delivery in transaction.deliveries:
            self._transport.acknowledge(delivery)
        self.outbound.send_receipts(transaction.receipts)
        self.outbound.send_control_receipts(transaction.control_receipts)
        self._follow_instruments(transaction)
        self.outbound.forget_answered()
        self.outbound.follow(transaction, _time())
        self._on_step(transaction)

    def _follow_instruments(self, transaction: Transaction) -> None:
        """Start the clocks of what was asked, tell what is awaited no longer, and see who has come, and what it is."""
        for word in transaction.announced:
            self.admission.live.hear(word)
        now, in_flight, there = _time(), self.campaign.in_flight, self.presence.there
        came = self.presence.hear(transaction.statuses, transaction.events, now)
        if self.connected:
            asked = [item.attempt_id for item in transaction.outbox]
            returned = [each.attempt_id for each in in_flight.values() if each.recipient in came]
            self._deadlines.move_up(self.campaign, transaction.events, now)
            self._deadlines.start([*asked, *returned], now)
        self._deadlines.keep_only(in_flight)
        self.outbound.withdraw(self._withdrawals.new(), there)
        for recipient in came:
            self.outbound.withdraw(self._withdrawals.of(recipient), self.presence.there)
        waiting_for = self.presence.waiting_for(self.campaign, now)
        if waiting_for != self.waiting_for:
            self.waiting_for = waiting_for
            self._on_waiting(waiting_for)

    def _is_unreachable(self, attempt_id: str) -> bool:
        """Tell whether nobody could answer an attempt that is awaited: its deadline does not run out.

        Its recipient is away, or was not asked yet, for requests wait for their turn. In a campaign that an operator
        stopped it does, or one whose lab was taken away would never end.
        """
        attempt = self.campaign.in_flight.get(attempt_id)
        if attempt is None or not self.connected:
            return attempt is not None
        may_answer = self.presence.is_there(attempt.recipient) and not self.admission.is_held(attempt_id)
        return self.campaign.phase is not Phase.STOPPING and not may_answer

    async def _read_link(self) -> None:
        while True:
            item = await self._transport.receive()
            self._gathering.note(item, _time())
            await self.inbox.put(item)


def _time() -> float:
    return asyncio.get_running_loop().time()
