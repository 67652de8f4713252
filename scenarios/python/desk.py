"""A campaign without a link: requests are handed out by hand, and answers are handed in, through the loop's own rules.

What is handed in is made the message that an instrument would have sent, judged by the same rules, and committed with
what follows by itself, the next decisions among it. So a campaign decides here as it would live, for the same order of
results; and what it writes, where it keeps a journal, is a run as any other: it can be verified, replayed, explained.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agent.acquisition.base import AcquisitionContext, Proposal
from agent.acquisition.registry import make_policies, policy_fingerprint
from agent.assembly import recording_of
from agent.campaign.events import CampaignStarted, StartSetLoaded
from agent.campaign.ledger import Ledger
from agent.opening import CampaignFiles, open_campaign
from agent.run_files import RECORDING
from agent.runtime.messages import MessageBuilder
from agent.runtime.recorder import RunRecorder
from agent.runtime.resume import fresh_uid
from agent.runtime.transaction import Transaction, TransactionBuilder
from agent.versions import versions
from protocols.link.transport import Delivery
from protocols.recording.lines import IN, OUT
from protocols.recording.writer import RecordingWriter
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import AnyMessage
from scenarios.run.outcome import write_outcome
from scenarios.settings.model import Scenario
from scenarios.settings.stored import recorded_arithmetic, recorded_settings
from scenarios.world.world import World

RECIPIENT: Final = "python"
"""Whom the requests of such a campaign are addressed to: the program that asks and tells."""


class Desk:
    """Holds a campaign, and takes what is handed in.

    Args:
        scenario: The settings.
        world: Pool and start set.
        folder: The run folder of its journal; None for a campaign in memory.
        campaign: Its name.

    Attributes:
        ledger: The campaign.

    Raises:
        EntropilotError: When settings, pool or folder cannot be used.
    """

    def __init__(self, scenario: Scenario, world: World, folder: Path | None, campaign: str) -> None:
        settings = scenario.campaign
        policy = make_policies(settings.policy, settings.policy_options, settings.code, rest=settings.stop.rest_policy)
        self._open = ExitStack()
        self._scenario, self._world = scenario, world
        self._began, self._already = time.monotonic(), 0
        self._files: CampaignFiles | None = None
        self._recorder: RunRecorder | None = None
        self._recording: RecordingWriter | None = None
        try:
            self.ledger: Final = (
                _begun(scenario, world, campaign) if folder is None else self._opened(scenario, world, folder, campaign)
            )
            plan = self.ledger.campaign.plan
            messages = MessageBuilder(plan, evaluation_deadline_s=settings.evaluation_deadline_s, clock=now)
            self._builder = TransactionBuilder(
                self.ledger, policy_runner=_AtOnce(policy.propose), make_request=messages.request
            )
            self.commit(Transaction())
        except BaseException:
            self._open.close()
            raise

    def take(self, message: AnyMessage) -> Transaction:
        """Take a message: judge it, fold it with what follows, and commit; return what came of it."""
        delivery = Delivery(topic_of(message), encode(message), retain=False, qos=1, ack_token=None)
        transaction = Transaction()
        self._builder.take(transaction, delivery)
        return self.commit(transaction)

    def commit(self, transaction: Transaction) -> Transaction:
        """Add what follows by itself, and write all of it."""
        self._builder.settle(transaction)
        if self._files is not None and self._recorder is not None and self._recording is not None:
            store = self._files.store
            if transaction.took or transaction.events:
                self._recorder.write_ahead(transaction)
            store.append(transaction.commit(()), now=now().isoformat())
            for item in transaction.outbox:
                self._recording.write(OUT, item.topic, item.payload, retain=False)
            if transaction.outbox:
                store.append(Transaction().commit(tuple(item.attempt_id for item in transaction.outbox)), now="")
        return transaction

    def close(self) -> None:
        """Close the journal, and write what a run writes at its end: trajectory, picture and summary."""
        if self._files is not None and self._recorder is not None:
            self._recorder.seal(now().isoformat())
            self._recorder = None
            write_outcome(
                self._files,
                scenario=self._scenario,
                world=self._world,
                elapsed_s=time.monotonic() - self._began,
                accepted_here=self.ledger.campaign.observations - self._already,
            )
        self._open.close()

    def _opened(self, scenario: Scenario, world: World, folder: Path, campaign: str) -> Ledger:
        """Open the journal of a campaign that begins or goes on."""
        files: CampaignFiles = self._open.enter_context(
            open_campaign(
                folder,
                pool=world.pool,
                settings=scenario.campaign,
                campaign=campaign,
                recipients=(RECIPIENT,),
                start=world.start_observations(),
                start_additional=world.start_additional(),
                start_uncertainties=world.start_uncertainties(),
                resume=(folder / RECORDING).exists(),
                reading=world.account,
                approval=scenario.approval,
            )
        )
        header = {"scenario": recorded_settings(scenario), **recorded_arithmetic()}
        self._recording = self._open.enter_context(closing(recording_of(folder / RECORDING, files.plan, header)))
        self._files, self._already = files, files.ledger.campaign.observations
        self._recorder = RunRecorder(self._recording, _taker(self._recording), files.store)
        return files.ledger


class _AtOnce:
    """Asks a policy in this process: whoever asks and tells waits for it anyway."""

    def __init__(self, propose: Callable[[AcquisitionContext, int], Proposal]) -> None:
        self._propose = propose

    def propose_inline(self, context: AcquisitionContext, count: int) -> Proposal:
        """Propose now."""
        return self._propose(context, count)


def _begun(scenario: Scenario, world: World, campaign: str) -> Ledger:
    """Return a campaign in memory that has begun."""
    settings = scenario.campaign
    start, additional = world.start_observations(), world.start_additional()
    plan = settings.plan(
        campaign=campaign,
        uid=fresh_uid(),
        fingerprint=policy_fingerprint(settings.policy, settings.policy_options, settings.code),
        recipients=(RECIPIENT,),
        pool=world.pool,
        start_values=[value for _, value in start],
        start_additional=additional,
    ).model_copy(update={"approval": scenario.approval})
    ledger = Ledger(world.pool, settings.code)
    ledger.fold(CampaignStarted(plan, versions(), world.account, now()))
    ledger.fold(StartSetLoaded.of(start, additional, world.start_uncertainties()))
    return ledger


def _taker(recording: RecordingWriter) -> Callable[[Delivery, str], int | None]:
    """Return what writes a message that was handed in."""

    def write(delivery: Delivery, verdict: str) -> int | None:
        topic, payload = delivery.topic, delivery.payload
        if verdict:
            return recording.write_idle(IN, topic, payload, verdict, retain=False, qos=delivery.qos)
        return recording.write(IN, topic, payload, retain=False, qos=delivery.qos)

    return write


def now() -> datetime:
    """Return the time, a label."""
    return datetime.now(UTC)
