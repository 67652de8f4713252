"""Puts an agent together: store, journal, policy, link. The one place that knows all the parts."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from agent.campaign.context import pool_arrays
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import Phase
from agent.campaign.limits.pace import free_again_at
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Campaign
from agent.campaign.stop_rules import rules_in_vain
from agent.loop import Agent
from agent.opening import CampaignFiles
from agent.pool.candidates import Pool
from agent.run_files import LOG, PACE, POISON_GUARD, RECORDING, SENT
from agent.runtime.admission.admission import Admission
from agent.runtime.admission.live_guard import LiveGuard
from agent.runtime.admission.one_each import OneEach
from agent.runtime.admission.pace import Pace, TurnMemory
from agent.runtime.asked import facts_of
from agent.runtime.link import make_link
from agent.runtime.log import TransactionLog, WaitingLog, log_bands, log_head, open_log
from agent.runtime.messages import MessageBuilder
from agent.runtime.policy_runner import PolicyRunner, make_policy_runner
from agent.runtime.recorder import RunRecorder, fill_up
from agent.runtime.sendable import features_of
from agent.runtime.tracing.assembly import edge_of
from agent.runtime.transaction import Transaction, TransactionBuilder
from agent.settings import CampaignSettings
from agent.versions import versions
from protocols.link.broker_settings import BrokerSettings
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.sessions import SessionEnd
from protocols.mapping.mapping import LabMapping, compile_mapping
from protocols.mapping.settings import LabSettings
from protocols.recording.recorded_transport import RecordedTransport
from protocols.recording.writer import RecordingWriter
from protocols.signing.status_order import StatusOrder
from protocols.signing.transport import UNSIGNED, Signing
from protocols.storage.disk_floor import DiskFloor
from protocols.tables.account import Handling
from protocols.tracing.settings import OFF, TracingSettings
from protocols.wire.topics import AGENT_CLIENT


@contextmanager
def assemble_agent(
    files: CampaignFiles,
    *,
    pool: Pool,
    settings: CampaignSettings,
    broker: BrokerSettings,
    header: dict[str, Any],
    broker_limits: str = "",
    signing: Signing = UNSIGNED,
    lab: LabSettings | None = None,
    is_live: bool = False,
    tracing: TracingSettings = OFF,
    on_commit: Callable[[Transaction], None] = lambda _transaction: None,
) -> Iterator[Agent]:
    """Put the agent of an opened campaign together; close its log and recording afterwards.

    Args:
        files: The run folder.
        pool: The candidates.
        settings: The campaign's plan.
        broker: Where the broker is.
        header: What the recording says of the scenario.
        broker_limits: What this broker cannot do, said once in the log.
        signing: The keys of the agent, its instruments and its operators.
        lab: How a lab's own messages are translated; None where all speak ours.
        is_live: Whether a person has allowed a real lab.
        tracing: Where a trace of each attempt goes.
        on_commit: Called after every commit.
    """
    plan = files.plan
    mapping = None if lab is None else compile_mapping(lab, facts_of(plan, settings, pool))
    with (
        _logging(files, broker_limits, signing) as logger,
        closing(recording_of(files.folder / RECORDING, plan, header)) as recording,
        closing(PoisonMessageGuard(files.folder / POISON_GUARD)) as poison_guard,
        closing(edge_of(tracing, files.ledger.campaign, logger)) as edge,
    ):
        log_transaction = TransactionLog(logger, lambda: files.store.head, plan)
        messages = MessageBuilder(
            plan,
            evaluation_deadline_s=settings.evaluation_deadline_s,
            clock=_clock,
            lab_weight=settings.lab_weight,
            instance=instance_of(files.folder, plan.uid),
            features_of=features_of(files.ledger.campaign) if settings.send_features else None,
        )
        policy_runner = edge.policy_runner(_policy_runner(pool, plan, settings, logger))
        link = make_link(
            broker,
            files.ledger.campaign,
            messages,
            signing,
            mapping=mapping,
            sent=files.folder / SENT,
            unconfirmed=files.store.unconfirmed(),
            ending=lambda: _ending_of(agent),
            on_event=logger.info,
            may_repeat=lambda: _may_repeat(files.ledger.campaign, settings),
            is_traced=edge.is_traced,
        )
        transport = RecordedTransport(link, recording)
        recorder = RunRecorder(recording, transport.write_taken, files.store)

        def after_commit(transaction: Transaction) -> None:
            log_transaction(transaction)
            edge.committed(transaction)
            on_commit(transaction)

        agent = Agent(
            maker=_maker(files.ledger, policy_runner, messages),
            store=files.store,
            transport=edge.transport(transport),
            policy_runner=policy_runner,
            messages=messages,
            request_timeout_s=settings.request_timeout_s,
            now=_now,
            poison_guard=poison_guard,
            disk=_disk(files.folder, settings, logger),
            write_ahead=recorder.write_ahead,
            on_commit=after_commit,
            on_waiting=WaitingLog(logger),
            on_event=logger.warning,
            on_written=edge.written,
            admission=_admission(files, settings, mapping, is_live=is_live, on_event=logger.info),
        )
        yield agent
        recorder.seal(_now())


@contextmanager
def _logging(
    files: CampaignFiles, broker_limits: str, signing: Signing
) -> Iterator[structlog.typing.FilteringBoundLogger]:
    """Open the log of an agent, with its first and last lines; an error that ends the agent is a line too."""
    logger, log_file = open_log(files.folder / LOG)
    with closing(log_file):
        logger = logger.bind(campaign=files.plan.campaign)
        if broker_limits:
            logger.warning("broker_limits", limits=broker_limits)
        logger.info(
            "agent_started",
            sequence=files.store.sequence,
            policy=files.plan.policy,
            budget=files.ledger.campaign.budget,
        )
        for entry in files.reading:
            log = logger.warning if entry.handling is Handling.NOTED else logger.info
            log("table_read", **entry.model_dump(mode="json"))
        if files.note:
            logger.warning("policy_changed", detail=files.note)
        for each in rules_in_vain(files.ledger.campaign):
            logger.warning("stop_rule_never_fires", detail=each)
        if signing.has_keys:
            logger.info("signing", keys_of=sorted(signing.ring.names), required=files.plan.require_signatures)
        TransactionLog(logger)(Transaction(events=list(files.taken_up)))
        log_bands(logger, files.ledger.observation, files.ledger.meter)
        try:
            yield logger
        except Exception:
            logger.exception("agent_failed")
            raise
        finally:
            log_bands(logger, files.ledger.observation, files.ledger.meter)
            log_head(logger, files.store.head)
            logger.info("agent_ended", sequence=files.store.sequence, phase=files.ledger.campaign.phase.value)


def _policy_runner(
    pool: Pool, plan: CampaignPlan, settings: CampaignSettings, logger: structlog.typing.FilteringBoundLogger
) -> PolicyRunner:
    return make_policy_runner(
        pool_arrays(pool),
        plan.policy,
        plan.policy_options,
        settings.code,
        lambda reason: logger.warning("policy_process_died", reason=reason, action="asked again in a new process"),
    )


def _maker(ledger: Ledger, policy_runner: PolicyRunner, messages: MessageBuilder) -> TransactionBuilder:
    return TransactionBuilder(
        ledger,
        policy_runner=policy_runner,
        make_request=messages.request,
        status_order=StatusOrder((AGENT_CLIENT, messages.instance), began=_clock()),
    )


def _admission(
    files: CampaignFiles,
    settings: CampaignSettings,
    mapping: LabMapping | None,
    *,
    is_live: bool,
    on_event: Callable[..., Any],
) -> Admission:
    """Return what the requests of a campaign wait for; those that the broker has confirmed have had their turn."""
    campaign, limits = files.ledger.campaign, settings.limits.pace
    waiting = {each.attempt_id for each in files.store.unconfirmed()}
    pace = Pace(
        limits,
        TurnMemory(files.folder / PACE if limits.requests_per_hour is not None else None),
        had_turn=campaign.in_flight.keys() - waiting,
        is_paused=lambda: campaign.phase in {Phase.PAUSED, Phase.STOPPING},
        on_event=on_event,
    )
    one_each = None
    if mapping is not None and mapping.needs_one_each:
        asked = (each for each in campaign.in_flight.values() if each.attempt_id not in waiting)
        one_each = OneEach(lambda: campaign.in_flight, asked)
    return Admission(pace, LiveGuard(is_live=is_live, recipients=campaign.plan.recipients), one_each)


def _disk(folder: Path, settings: CampaignSettings, logger: structlog.typing.FilteringBoundLogger) -> DiskFloor:
    def log(reason: str) -> None:
        if reason:
            logger.warning("disk_is_nearly_full", detail=reason)
        else:
            logger.info("disk_has_room")

    return DiskFloor(folder, settings.disk_floor_mb, on_change=log)


def _may_repeat(campaign: Campaign, settings: CampaignSettings) -> bool:
    """Tell whether a lab of its own messages may be asked again: it may begin work."""
    now = _clock()
    return campaign.phase is Phase.RUNNING and free_again_at(settings.limits.pace, now) <= now


def _ending_of(agent: Agent) -> SessionEnd:
    """Return what becomes of the broker's session when an agent ends."""
    if agent.outbound.gave_way:
        return SessionEnd.ENDED
    return SessionEnd.CLEARED if agent.campaign.phase is Phase.FINISHED else SessionEnd.KEPT


def complete_recording(files: CampaignFiles, header: dict[str, Any]) -> None:
    """Note in the recording of a finished campaign what a power cut took: no agent will."""
    with closing(recording_of(files.folder / RECORDING, files.plan, header)) as recording:
        fill_up(recording, files.store)


def recording_of(path: Path, plan: CampaignPlan, header: dict[str, Any]) -> RecordingWriter:
    """Open the recording of a run, with what its first line says of agent and scenario."""
    ours = {"campaign": plan.campaign, "pool_digest": plan.pool_digest, "started_at": _now(), "versions": versions()}
    return RecordingWriter(path, ours | header)


def instance_of(folder: Path, uid: str) -> str:
    """Return the name of the agent that works in a run folder: the same after every restart, another in a copy.

    The client id is made of it, so that a broker keeps our session for us, and no agent of another run folder, or of
    a copy on another machine, takes our link away.
    """
    place = f"{socket.gethostname()}|{folder.resolve()}|{uid}"
    return f"{AGENT_CLIENT}-{hashlib.sha256(place.encode()).hexdigest()[:12]}"


def _clock() -> datetime:
    return datetime.now(UTC)


def _now() -> str:
    return _clock().isoformat()
