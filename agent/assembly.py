"""Puts an agent together: store, journal, policy, link. The one place that knows all the parts."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import structlog

from agent.acquisition.registry import declared_metrics, make_meter, policy_fingerprint
from agent.campaign.context import pool_arrays
from agent.campaign.events import Event
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import Phase
from agent.campaign.people.approval import NO_APPROVAL, ApprovalSettings
from agent.campaign.plan import CampaignPlan
from agent.campaign.stop_rules import rules_in_vain
from agent.loop import Agent
from agent.pool.candidates import Pool
from agent.run_files import LOCK, LOG, PACE, POISON_GUARD, RECORDING, SENT
from agent.runtime.admission.admission import Admission
from agent.runtime.admission.live_guard import LiveGuard
from agent.runtime.admission.pace import Pace, TurnMemory
from agent.runtime.asked import facts_of
from agent.runtime.link import make_link
from agent.runtime.log import TransactionLog, WaitingLog, log_bands, log_head, open_log
from agent.runtime.messages import MessageBuilder
from agent.runtime.policy_runner import PolicyRunner, make_policy_runner
from agent.runtime.recorder import RunRecorder, fill_up
from agent.runtime.resume import begin, fresh_uid, other_policy, remember, require_same_plan, take_up
from agent.runtime.sendable import features_of, require_sendable
from agent.runtime.transaction import Transaction, TransactionBuilder
from agent.settings import CampaignSettings
from agent.store.patience import Patience
from agent.store.run_database import RunDatabase
from agent.store.store import Store
from agent.store.views import DatasetLabels
from protocols.errors import StoreError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.sessions import SessionEnd
from protocols.mapping.mapping import compile_mapping
from protocols.mapping.settings import LabSettings
from protocols.recording.recorded_transport import RecordedTransport
from protocols.recording.writer import RecordingWriter
from protocols.signing.status_order import StatusOrder
from protocols.signing.transport import UNSIGNED, Signing
from protocols.storage.database import require_database_url
from protocols.storage.disk_floor import DiskFloor
from protocols.storage.run_lock import RunLock
from protocols.tables.account import Account, Handling
from protocols.wire.topics import AGENT_CLIENT


@dataclass(frozen=True, slots=True)
class CampaignFiles:
    """An opened run folder."""

    folder: Path
    store: Store
    ledger: Ledger
    note: str = ""
    """What a person should know of a campaign that is resumed."""
    reading: Account = ()
    """What of the pool's table was not taken as it stands, where the campaign begins here; nothing of one resumed."""
    taken_up: tuple[Event, ...] = ()
    """What was journalled because the campaign was opened again."""

    @property
    def plan(self) -> CampaignPlan:
        """What the campaign was started with."""
        return self.ledger.campaign.plan


@contextmanager
def open_campaign(
    folder: Path,
    *,
    pool: Pool,
    settings: CampaignSettings,
    campaign: str,
    recipients: tuple[str, ...],
    start: list[tuple[str, float]],
    start_additional: list[tuple[float, ...]] | None = None,
    start_uncertainties: list[tuple[float, ...]] | None = None,
    resume: bool,
    database_url: str | None = None,
    reading: Account = (),
    approval: ApprovalSettings = NO_APPROVAL,
    tell: Callable[[str], None] = lambda _sentence: None,
) -> Iterator[CampaignFiles]:
    """Open or create a run folder and fold its journal; hold its lock meanwhile.

    Args:
        folder: The run folder.
        pool: The candidates.
        settings: The campaign's plan.
        campaign: Its name.
        recipients: Simulators that requests are addressed to.
        start: Candidate id and value of the start set.
        start_additional: Values of the additional properties that are balanced, a row for each candidate of the start
            set.
        start_uncertainties: Standard uncertainties of the property and those, a row for each candidate of the start
            set; nothing where none is known.
        resume: Whether a campaign that has begun is to be resumed.
        database_url: Another database than the folder's own file; the folder remembers it.
        reading: What of the pool's table was not taken as it stands; journalled when the campaign begins.
        approval: Which decisions wait for an operator's approval.
        tell: Called with a sentence when a database's server is away, and when it is back.

    Raises:
        StoreError: When the folder is in use, of another campaign, damaged, or holds a campaign and `resume` is off.
        SettingsError: When the policy that declares the metrics can do nothing with the pool, or a request cannot carry
            the features that are to be sent.
        TableError: When a request cannot carry what is to be set for a candidate.
    """
    # Before a folder is made for it:
    if database_url is not None:
        require_database_url(database_url)
    _require_meter(pool, settings)
    require_sendable(pool, features=settings.send_features)
    advice = "wait for it or end it, then run again with --resume; or choose another --campaign"
    where = RunDatabase.of(folder, database_url)
    with RunLock(folder / LOCK, holder="agent", advice=advice), where.without_other_writers(advice):
        store = _store(where, pool, settings, tell)
        try:
            asked = settings.plan(
                campaign=campaign,
                uid=fresh_uid(),
                fingerprint=policy_fingerprint(settings.policy, settings.policy_options, settings.code),
                recipients=recipients,
                pool=pool,
                start_values=[value for _, value in start],
                start_additional=start_additional or (),
            ).model_copy(update={"approval": approval})
            _claim(where, store, asked, resume=resume)
            told = () if store.sequence else reading
            begin(
                store, pool, asked, start, start_additional or (),
                versions=versions(), now=_now(), code=settings.code,
                uncertainties=start_uncertainties or (), reading=told,
            )  # fmt: skip
            ledger = remember(store, pool, settings.code)
            require_same_plan(ledger.campaign.plan, asked, left_open=settings.left_open())
            taken_up = take_up(store, ledger, now=_now(), budget=asked.budget, limits=asked.limits)
            yield CampaignFiles(folder, store, ledger, other_policy(ledger.campaign.plan, asked), told, taken_up)
        finally:
            store.close()


def _store(where: RunDatabase, pool: Pool, settings: CampaignSettings, tell: Callable[[str], None]) -> Store:
    """Open the database of a run; wait for a server that is away."""
    patience = Patience(settings.database_timeout_s, tell)
    return Store.open(where.url, labels=DatasetLabels.of(pool, settings.unit), now=_now(), patience=patience)


def _claim(where: RunDatabase, store: Store, asked: CampaignPlan, *, resume: bool) -> None:
    """Check that a database is ours, or empty, and let the run folder remember it."""
    meta = store.meta()
    where.require_ours(meta, asked.campaign, resume=resume)
    if store.sequence and not resume:
        raise StoreError(
            f"{where.name} holds a campaign already",
            expected="an empty run folder" if where.is_own else "an empty database",
            action="resume it with --resume, or choose another --campaign (the same for its simulators)",
        )
    where.remember(store, asked.uid if meta is None else meta.uid)


def _require_meter(pool: Pool, settings: CampaignSettings) -> None:
    """Check that the declared metrics can be computed over the pool."""
    name, options = settings.metered_by
    arrays = pool_arrays(pool)
    if declared_metrics(name, options, settings.unit, arrays, settings.code):
        properties = (settings.property, *settings.additional_properties)
        make_meter(name, options, arrays, properties, settings.code, seed=settings.seed)


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
        on_commit: Called after every commit.
    """
    plan = files.plan
    mapping = None if lab is None else compile_mapping(lab, facts_of(plan, settings, pool))
    with (
        _logging(files, broker_limits, signing) as logger,
        closing(_recording(files.folder / RECORDING, plan, header)) as recording,
        closing(PoisonMessageGuard(files.folder / POISON_GUARD)) as poison_guard,
    ):
        log_transaction = TransactionLog(logger, lambda: files.store.head)
        messages = MessageBuilder(
            plan,
            evaluation_deadline_s=settings.evaluation_deadline_s,
            clock=_clock,
            lab_weight=settings.lab_weight,
            instance=instance_of(files.folder, plan.uid),
            features_of=features_of(files.ledger.campaign) if settings.send_features else None,
        )
        policy_runner = _policy_runner(pool, plan, settings, logger)
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
        )
        transport = RecordedTransport(link, recording)
        recorder = RunRecorder(recording, transport.write_taken, files.store)

        def after_commit(transaction: Transaction) -> None:
            log_transaction(transaction)
            on_commit(transaction)

        agent = Agent(
            maker=_maker(files.ledger, policy_runner, messages),
            store=files.store,
            transport=transport,
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
            admission=_admission(files, settings, is_live=is_live, on_event=logger.info),
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
    files: CampaignFiles, settings: CampaignSettings, *, is_live: bool, on_event: Callable[..., Any]
) -> Admission:
    """Return what the requests of a campaign wait for; those that the broker has confirmed have had their turn."""
    campaign, limits = files.ledger.campaign, settings.limits.pace
    waiting = {each.attempt_id for each in files.store.unconfirmed()}
    pace = Pace(
        limits,
        TurnMemory(files.folder / PACE if limits.requests_per_hour is not None else None),
        had_turn=campaign.in_flight.keys() - waiting,
        is_paused=lambda: campaign.phase is Phase.PAUSED,
        on_event=on_event,
    )
    known = {instrument: each.simulated for instrument, each in campaign.lab.announced.items()}
    return Admission(pace, LiveGuard(is_live=is_live, known=known))


def _disk(folder: Path, settings: CampaignSettings, logger: structlog.typing.FilteringBoundLogger) -> DiskFloor:
    def log(reason: str) -> None:
        if reason:
            logger.warning("disk_is_nearly_full", detail=reason)
        else:
            logger.info("disk_has_room")

    return DiskFloor(folder, settings.disk_floor_mb, on_change=log)


def _ending_of(agent: Agent) -> SessionEnd:
    """Return what becomes of the broker's session when an agent ends."""
    if agent.outbound.gave_way:
        return SessionEnd.ENDED
    return SessionEnd.CLEARED if agent.campaign.phase is Phase.FINISHED else SessionEnd.KEPT


def complete_recording(files: CampaignFiles, header: dict[str, Any]) -> None:
    """Note in the recording of a finished campaign what a power cut took: no agent will."""
    with closing(_recording(files.folder / RECORDING, files.plan, header)) as recording:
        fill_up(recording, files.store)


def _recording(path: Path, plan: CampaignPlan, header: dict[str, Any]) -> RecordingWriter:
    ours = {"campaign": plan.campaign, "pool_digest": plan.pool_digest, "started_at": _now(), "versions": versions()}
    return RecordingWriter(path, ours | header)


def instance_of(folder: Path, uid: str) -> str:
    """Return the name of the agent that works in a run folder: the same after every restart, another in a copy.

    The client id is made of it, so that a broker keeps our session for us, and no agent of another run folder, or of
    a copy on another machine, takes our link away.
    """
    place = f"{socket.gethostname()}|{folder.resolve()}|{uid}"
    return f"{AGENT_CLIENT}-{hashlib.sha256(place.encode()).hexdigest()[:12]}"


def versions() -> dict[str, str]:
    """Return the versions of what decides."""
    found = {}
    for package in ("entropilot", "numpy", "scipy", "scikit-learn", "pymatgen", "ase", "aiomqtt"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _clock() -> datetime:
    return datetime.now(UTC)


def _now() -> str:
    return _clock().isoformat()
