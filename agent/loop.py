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
from collections.abc import Callable
from typing import Final

from agent.runtime.deadlines import Deadlines
from agent.runtime.ending import is_over
from agent.runtime.messages import MessageBuilder
from agent.runtime.outbound import Outbound
from agent.runtime.policy_query import PolicyQuery
from agent.runtime.policy_runner import PolicyRunner
from agent.runtime.transaction import DeadlinePassed, Input, PolicyAnswer, Transaction, TransactionBuilder
from agent.store.store import Store
from protocols.concurrency.inbox import Inbox
from protocols.concurrency.task_group_errors import first_failure
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.transport import Delivery, LinkDown, LinkUp, Transport
from protocols.storage.disk_floor import DiskFloor

MAX_INPUTS_PER_COMMIT: Final = 64
"""Inputs folded into one transaction under load: a FULL commit costs up to 4 ms on a shared disk."""

INBOX_SIZE: Final = 256
"""Inputs that may wait for the next transaction; when full, the link is not read (back-pressure, never a drop)."""


class Agent:
    """Runs one campaign over one transport.

    Args:
        maker: Holds the campaign, and folds inputs into it by the rules.
        request_timeout_s: Time an attempt has to answer, while its recipient is not known to be offline.
        poison_guard: Notes what is being handled; without one, a message that kills its handler is never found out.
        disk: Where is written; while it is nearly full nothing is taken and nothing asked.
        write_ahead: Called just before every commit that takes or brings something; for the recording.
        on_commit: Called after every commit; for the log, the live view and tests. It must be quick.
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
    ) -> None:
        self.campaign = maker.campaign
        self.outbound = Outbound(maker, transport, messages, store.unconfirmed())
        self._maker = maker
        self._store = store
        self._transport = transport
        self._deadlines = Deadlines(request_timeout_s)
        self._now = now
        self._poison_guard = poison_guard or PoisonMessageGuard(None)
        self.disk = disk or DiskFloor(None)
        self._write_ahead = write_ahead
        self._on_step = on_commit
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
        self.inbox.wake()

    async def _rounds(self) -> None:
        await self.disk.wait_for_room(unless=lambda: self._shutdown)
        await self._commit_and_send(self._settled(Transaction()))
        while not is_over(self.campaign) and not self._shutdown:
            transaction, items = Transaction(), await self._once_there_is_room(await self._receive())
            with self._poison_guard.handling(items):
                for item in items:
                    self._decide(transaction, item)
            await self._commit_and_send(self._settled(transaction))
        await self.outbound.shut_down()
        self._store.append(Transaction().commit(self.outbound.take_confirmed()), now=self._now())

    async def _receive(self) -> list[Input | LinkUp | LinkDown]:
        """Wait for the next input, deadline or flush; return all that is there, up to a bound."""
        await self.outbound.wait_for_room(unless=lambda: self._shutdown)
        waits_s = (self._deadlines.wait_s(_time()), self.outbound.flush_wait_s())
        items = await self.inbox.receive(min((each for each in waits_s if each is not None), default=None))
        # Answers first: one that waited in the inbox is not late, however long this process was suspended.
        items.extend(DeadlinePassed(attempt_id) for attempt_id in self._deadlines.pop_due(_time()))
        return items

    async def _once_there_is_room(self, items: list[Input | LinkUp | LinkDown]) -> list[Input | LinkUp | LinkDown]:
        """Hold what came while the disk is nearly full; nobody was listened to then, and no deadline passed."""
        if not await self.disk.wait_for_room(unless=lambda: self._shutdown):
            return items
        if self.connected:
            self._deadlines.start(self.campaign.in_flight, _time())
        return [item for item in items if not isinstance(item, DeadlinePassed)]

    def _decide(self, transaction: Transaction, item: Input | LinkUp | LinkDown) -> None:
        match item:
            case LinkUp():
                self.outbound.link_up(_time())
                self._deadlines.start(self.campaign.in_flight, _time())
            case LinkDown():
                self.outbound.link_down()
                self._deadlines.clear()  # nobody can answer now; everybody gets the whole time again
            case DeadlinePassed(attempt_id) if self.outbound.is_unreachable(attempt_id):
                self._deadlines.start([attempt_id], _time())
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
        with self._poison_guard.handling(transaction.deliveries):
            self._store.append(transaction.commit(confirmed), now=self._now())
        self._poison_guard.clear(transaction.deliveries)
        self.outbound.send_requests(transaction.outbox)
        await asyncio.sleep(0)  # the requests go out now, for the lab waits for them; all else can follow
        for delivery in transaction.deliveries:
            self._transport.acknowledge(delivery)
        self.outbound.send_receipts(transaction.receipts)
        if self.connected:
            self._deadlines.start([item.attempt_id for item in transaction.outbox], _time())
        self._deadlines.keep_only(self.campaign.in_flight)
        self.outbound.forget_answered()
        self.outbound.follow(transaction, _time())
        self._on_step(transaction)

    async def _read_link(self) -> None:
        while True:
            await self.inbox.put(await self._transport.receive())


def _time() -> float:
    return asyncio.get_running_loop().time()
