"""A shadow beside a lab: it hears a campaign of somebody else's, and says nowhere what it would have chosen.

    hear      what was recorded before, then the link; each message is recorded, folded, acknowledged
    ask       the policy, wherever the lab chose, with what was known then; one question after the other

Nothing is published, and there is no last will: the lab cannot tell that somebody listens. The policy runs in a child
process, so the link never waits for it; if it is slower than the lab by `MAX_UNASKED` decisions, the broker keeps the
messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from agent.acquisition.registry import make_policy, require_fixed_pool
from agent.assembly import instance_of
from agent.campaign.context import pool_arrays
from agent.run_files import LOG
from agent.runtime.log import MAX_QUARANTINE_LINES, open_log
from agent.runtime.policy_runner import make_policy_runner
from protocols.concurrency.signals import ending_on_signals
from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import CampaignHalted, MessageError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.credentials import OBSERVER
from protocols.link.failures import never_linked
from protocols.link.mqtt import MqttSession
from protocols.link.sessions import SessionEnd
from protocols.link.transport import Delivery, LinkDown, LinkUp
from protocols.recording.lines import MessageRow
from protocols.settings.user_code import CodeSource
from protocols.signing.signature import require_signature
from protocols.signing.transport import SignedTransport, Signing
from protocols.wire.topics import removes_retained, shadow_subscriptions
from scenarios.settings.model import Scenario
from scenarios.shadow.choices import LabChoice, compare_choice
from scenarios.shadow.comparison import ShadowSummary
from scenarios.shadow.files import ShadowFiles, open_shadow
from scenarios.shadow.lab_campaign import Shadow
from scenarios.shadow.outcome import gaps_before, write_outcome
from scenarios.world.world import World

MAX_UNASKED: Final = 64
"""Decisions of the lab that wait for the policy: each holds what was known then."""

LAST_ASK_S: Final = 2.0
"""How long the policy may still think when we are asked to end: a child process that has to start for it takes over a
second, and SIGTERM has five in all. What it does not get to is counted, and --resume asks it."""

FOLDER_ENDING: Final = "-shadow"


@dataclass(frozen=True, slots=True)
class ShadowRequest:
    """What is to be followed.

    Attributes:
        scenario: The settings.
        world: Pool and start set.
        campaign: The lab's campaign.
        runs: Where run folders are.
        resume: Whether to take a shadow up.
    """

    scenario: Scenario
    world: World
    campaign: str
    runs: Path
    resume: bool = False

    @property
    def folder(self) -> Path:
        """The folder of the shadow, beside that of a run of the same name."""
        return self.runs / f"{self.campaign}{FOLDER_ENDING}"


@dataclass(frozen=True, slots=True)
class ShadowProgress:
    """How things are, for a watching person.

    Attributes:
        connected: Whether there is a link.
        chosen: Candidates that the lab chose.
        forming: Requests beyond these, of a decision that may have more.
        held: Messages that wait for it to be complete, and are in no figure yet.
        in_flight: Candidates without their outcome.
        results: Results of the lab.
        compared: Decisions with ours beside them.
        same: Candidates in them that both chose.
        last: The last of them, in words.
    """

    connected: bool
    chosen: int
    forming: int
    held: int
    in_flight: int
    results: int
    compared: int
    same: int
    last: str


OnProgress = Callable[[ShadowProgress], None]


def follow_lab(request: ShadowRequest, on_progress: OnProgress) -> ShadowSummary:
    """Follow a lab until as many of its choices as the budget says have their outcome, or until asked to end.

    Args:
        request: What is to be followed.
        on_progress: Called after every message and every comparison.

    Raises:
        StoreError: When the folder cannot be used.
        BrokerError: When the broker cannot be reached, or refuses us.
        CampaignHalted: When the policy failed; what was compared so far is written.
    """
    settings = request.scenario.campaign
    make_policy(settings.policy, settings.policy_options, settings.code)  # before a folder is made for it
    require_fixed_pool(settings.policy, settings.code)
    signing = request.scenario.signing.signing()
    with open_shadow(
        request.folder, request.scenario, request.world, campaign=request.campaign, resume=request.resume
    ) as files:
        files.gaps = gaps_before(files.folder) if request.resume else 0
        logger, log_file = open_log(files.folder / LOG)
        with contextlib.closing(log_file):
            listener = _Listener(
                files,
                request.world,
                settings.code,
                logger.bind(campaign=request.campaign),
                on_progress,
                signing=signing,
            )
            halted: CampaignHalted | None = None
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                try:
                    runner.run(listener.run(request.scenario.broker.as_part(OBSERVER)))
                except CampaignHalted as error:
                    halted = error
            summary = write_outcome(files, listener.shadow, request.scenario.name)
            logger.info("shadow_ended", stopped_because=summary.stopped_because, same=summary.same)
        if halted is not None:
            raise halted
        return summary


class _Listener:
    """Hears, asks, and writes."""

    def __init__(
        self,
        files: ShadowFiles,
        world: World,
        code: CodeSource,
        logger: structlog.typing.FilteringBoundLogger,
        on_progress: OnProgress,
        *,
        signing: Signing,
    ) -> None:
        self.shadow = Shadow(world.pool, files.plan, files.start_set)
        self._files = files
        self._start = pool_arrays(world.pool)
        self._code = code
        self._logger = logger
        self._on_progress = on_progress
        self._connected = False
        self._is_unlinked = False
        self._last_down: LinkDown | None = None
        self._has_heard = False
        self._last = ""
        self._quarantined = 0
        self._signing = signing
        self._require_signatures = signing.has_keys and files.plan.require_signatures
        self._unsolicited: asyncio.Queue[LabChoice] = asyncio.Queue(maxsize=MAX_UNASKED)
        self._late: deque[LabChoice] = deque()

    async def run(self, broker: BrokerSettings) -> None:
        """Hear and ask until it is over, or the process is asked to end."""
        plan = self._files.plan
        self._logger.info("shadow_started", policy=plan.policy, seed=plan.seed, broker=broker.redacted_url)
        ended = asyncio.Event()
        try:
            with ending_on_signals(ended.set):
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(work) for work in (self._ask(), self._hear(broker), ended.wait())]
                    await asyncio.wait(tasks[1:], return_when=asyncio.FIRST_COMPLETED)
                    tasks[1].cancel()
                    await asyncio.wait([tasks[1]])
                    await self._ask_last()
                    for task in tasks:
                        task.cancel()
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None
        if self._is_unlinked:
            raise never_linked(broker.address(), self._last_down)

    async def _hear(self, broker: BrokerSettings) -> None:
        """Hear what is recorded, then the link, until it is over; return when all questions have their answer."""
        for row in self._files.heard():
            self._has_heard = True
            await self._take(row)
        if not self.shadow.is_over:
            await self._listen(broker)
        await self._unsolicited.join()

    async def _listen(self, broker: BrokerSettings) -> None:
        plan = self._files.plan
        self._is_unlinked = True
        link = MqttSession(
            broker,
            client_id=f"entropilot-shadow-{instance_of(self._files.folder, plan.uid)}",
            subscriptions=shadow_subscriptions(plan.campaign),
            ending=lambda: SessionEnd.ENDED if self.shadow.is_over else SessionEnd.KEPT,
            on_event=self._logger.info,
        )
        session = SignedTransport(link, self._signing)
        async with asyncio.TaskGroup() as group:
            linked = group.create_task(session.run())
            try:
                while not self.shadow.is_over:
                    item = await session.receive()
                    if isinstance(item, Delivery):
                        self._files.record(item)
                        await self._take(item)
                        session.acknowledge(item)
                    else:
                        self._note_link(item)
                    self._tell()
                await session.close()
            finally:
                linked.cancel()

    def _note_link(self, item: LinkUp | LinkDown) -> None:
        self._connected = isinstance(item, LinkUp)
        if isinstance(item, LinkUp):
            self._files.gaps += self._has_heard and not item.session_present
            self._has_heard = True
            self._is_unlinked = False
        else:
            self._last_down = item

    async def _take(self, item: Delivery | MessageRow) -> None:
        """Fold a message, and let the policy be asked where the lab chose."""
        try:
            if not removes_retained(item.topic, item.payload):  # which nobody signs
                require_signature(item, always=self._require_signatures)
        except MessageError as error:
            self.shadow.quarantine(error)
        else:
            await self._line_up(self.shadow.on_message(item.topic, item.payload))
        if self.shadow.problem:
            self._quarantined += 1
            if self._quarantined <= MAX_QUARANTINE_LINES:
                self._logger.warning("message_quarantined", topic=item.topic[:200], detail=self.shadow.problem)

    async def _line_up(self, choices: Iterable[LabChoice]) -> None:
        """Let the policy be asked about choices of the lab, in order; one that waits for room outlives a cancel."""
        self._late.extend(choices)
        while self._late:
            if not self._files.recall(self._late[0]):
                await self._unsolicited.put(self._late[0])
            self._late.popleft()

    async def _ask_last(self) -> None:
        """Let the policy be asked about a decision that the lab never filled, as far as there is time.

        Its line gives way to that of the whole decision, should more of it be heard after a start with --resume.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_ASK_S):
                await self._line_up(self.shadow.finish())
                await self._unsolicited.join()

    async def _ask(self) -> None:
        """Ask the policy, question by question."""
        plan = self._files.plan
        policy_runner = make_policy_runner(self._start, plan.policy, plan.policy_options, self._code)
        try:
            while True:
                choice = await self._unsolicited.get()
                count = len(choice.candidate_ids)
                proposal = await policy_runner.propose(choice.context, count)
                pool = self.shadow.campaign.pool
                row = compare_choice(choice, proposal, plan, pool)
                self._files.add(row)
                self._last = f"{', '.join(row.lab)}; the shadow: {', '.join(row.shadow) or 'nothing'}"
                agreements = [each.value for each in row.agreements(pool)]
                self._logger.info("lab_chose", **dataclasses.asdict(row), agreement=agreements)
                self._tell()
                self._unsolicited.task_done()
        finally:
            await policy_runner.close()

    def _tell(self) -> None:
        campaign, rows = self.shadow.campaign, self._files.rows
        self._on_progress(
            ShadowProgress(
                connected=self._connected,
                chosen=campaign.requested,
                forming=self.shadow.forming,
                held=self.shadow.held,
                in_flight=campaign.open_count,
                results=len(self.shadow.points) - 1,
                compared=len(rows),
                same=self._files.same,
                last=self._last,
            )
        )
