"""Runs a scenario: broker, lab, operator and agent in one process, all through real MQTT on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agent.acquisition.registry import make_policies
from agent.assembly import assemble_agent, complete_recording
from agent.campaign.events import CandidateAbandoned
from agent.campaign.life_cycle import Phase
from agent.campaign.stop_rules import rules_in_vain
from agent.opening import CampaignFiles, open_campaign
from agent.run_files import LOG
from agent.runtime.log import open_log
from agent.runtime.transaction import Transaction
from protocols.concurrency.signals import ending_on_signals
from protocols.concurrency.task_group_errors import first_failure
from protocols.errors import CampaignHalted
from protocols.link.broker_settings import EMBEDDED, BrokerSettings
from protocols.signing.transport import Signing
from scenarios.broker.broker import EMBEDDED_LIMITS, broker_for
from scenarios.broker.flaky_network import network_for
from scenarios.display.console import progress_on_stderr, tell
from scenarios.display.progress import late
from scenarios.run.before.leave import require_leave
from scenarios.run.connection import told_connection
from scenarios.run.crashes import crash_at
from scenarios.run.interrupts import Interrupts
from scenarios.run.live.view import LiveView
from scenarios.run.operator import ScheduledControls, operator_of
from scenarios.run.outcome import RunOutcome, known_outcome, write_outcome
from scenarios.run.reach import ceilings_of, skills_of
from scenarios.run.reach_words import what_is_hardly_known, who_falls_short
from scenarios.run.request import RunRequest, require_answers
from scenarios.run.signing import given_signing, own_signing, settings_of_signing
from scenarios.run.simulators import running_simulators
from scenarios.run.watch import RunWatch
from scenarios.settings.model import Scenario
from scenarios.settings.operator_actions import OPERATOR, controls
from scenarios.settings.stored import recorded_arithmetic, recorded_settings

NETWORK_LOG: Final = "network.jsonl"

BROKER_LOG: Final = "broker.jsonl"
"""What the run's own broker refused or dropped, and whether it died; not there where nothing was."""


def run(request: RunRequest, view: LiveView | None, interrupts: Interrupts | None = None) -> RunOutcome:
    """Run a campaign until it is finished or asked to end; write and return its outcome.

    Args:
        request: What to run.
        view: Shows how things are; None for silence.
        interrupts: Lets other threads end it; signals do where it runs in the main one.

    Raises:
        CampaignHalted: When the campaign cannot go on; its outcome so far is written.
    """
    scenario = request.scenario
    require_answers(request)
    require_leave(request)
    wanted = _wanted(request)
    # Before a folder is made for it:
    signing = given_signing(request)
    settings = scenario.campaign
    make_policies(settings.policy, settings.policy_options, settings.code, rest=settings.stop.rest_policy)
    with _opened(request) as files:
        if (known := known_outcome(files)) is not None:
            return known
        _tell_notes(files, is_watched=view is not None)
        began = time.monotonic()
        already = files.ledger.campaign.observations
        halted: CampaignHalted | None = None
        waited_for: tuple[str, ...] = ()
        try:
            waited_for = _run_what_is_left(request, files, wanted, view, signing, interrupts=interrupts or Interrupts())
        except CampaignHalted as error:
            halted = error
        outcome = write_outcome(
            files,
            scenario=scenario,
            world=request.world,
            elapsed_s=time.monotonic() - began,
            accepted_here=files.ledger.campaign.observations - already,
            waited_for=waited_for,
        )
        if halted is not None:
            raise _with_last_failure(halted, files)
        return outcome


def _opened(request: RunRequest) -> contextlib.AbstractContextManager[CampaignFiles]:
    """Open the run folder and the database, of a campaign that begins or goes on."""
    world = request.world
    return open_campaign(
        request.folder,
        pool=world.pool,
        settings=request.scenario.campaign,
        campaign=request.campaign,
        recipients=request.scenario.recipients,
        start=world.start_observations(),
        start_additional=world.start_additional(),
        start_uncertainties=world.start_uncertainties(),
        resume=request.resume,
        database_url=request.database_url,
        reading=world.account,
        approval=request.scenario.approval,
        tell=lambda sentence: tell(f"note: {sentence}", "yellow"),
    )


def _run_what_is_left(
    request: RunRequest,
    files: CampaignFiles,
    wanted: ScheduledControls,
    view: LiveView | None,
    signing: Signing | None,
    *,
    interrupts: Interrupts,
) -> tuple[str, ...]:
    """Run an opened campaign, unless it is over; return whom it waited for when it ended.

    Raises:
        CampaignHalted: When it cannot go on.
    """
    if files.ledger.campaign.phase is Phase.FINISHED:
        complete_recording(files, _header(request.scenario))
        return ()
    loop_factory = asyncio.SelectorEventLoop  # the only loop that aiomqtt runs on everywhere
    with view or contextlib.nullcontext(), asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(_run(request, files, wanted, view, signing or own_signing(request), interrupts=interrupts))


def _tell_notes(files: CampaignFiles, *, is_watched: bool) -> None:
    """Say what a person should know before the campaign begins or goes on."""
    for sentence in (files.note, *rules_in_vain(files.ledger.campaign)):
        if sentence:
            tell(f"note: {sentence}", "yellow")
    if is_watched:
        _tell_who_falls_short(files)


def _tell_who_falls_short(files: CampaignFiles) -> None:
    """Name the families that cannot be helped, and what a model hardly knows, before anything is spent on them."""
    campaign = files.ledger.campaign
    if campaign.phase is Phase.FINISHED or campaign.requested:
        return
    families = len(campaign.pool.families)
    with progress_on_stderr(quiet=False) as progress:
        shown = late(progress)
        found = ceilings_of(campaign, lambda done: shown("what can be reached", done, families))
    for sentence in (*who_falls_short(found), *what_is_hardly_known(skills_of(campaign))):
        tell(f"note: {sentence}", "yellow")


def _with_last_failure(halted: CampaignHalted, files: CampaignFiles) -> CampaignHalted:
    """Say why the last candidate was abandoned, if that is what ended the campaign."""
    last = None
    for event in files.store.journal():
        last = event if isinstance(event, CandidateAbandoned) else last
    if last is None or not files.ledger.campaign.paused_itself:
        return halted
    name = files.ledger.campaign.pool.candidate(last.candidate_id).name
    return CampaignHalted(
        f"{halted.found.rstrip('.')}, {name} because: {last.reason}",
        expected=halted.expected,
        action=f"look for the others in {files.folder / LOG}, fix the lab, then run again with --resume",
    )


def _wanted(request: RunRequest) -> ScheduledControls:
    """Return what the operator of the scenario will say; nothing where the lab, and so its operator, is elsewhere."""
    scenario = request.scenario
    operator_actions = scenario.operator if request.with_simulator else ()
    messages = controls(
        operator_actions,
        campaign=request.campaign,
        pool=request.world.pool,
        property_name=scenario.campaign.property,
        unit=scenario.campaign.unit,
        now=datetime.now(UTC),
    )
    return tuple(zip(operator_actions, messages, strict=True))


async def _run(
    request: RunRequest,
    files: CampaignFiles,
    wanted: ScheduledControls,
    view: LiveView | None,
    signing: Signing,
    *,
    interrupts: Interrupts,
) -> tuple[str, ...]:
    """Run the agent, with what is to be beside it; return whom it waited for when it ended."""
    scenario = request.scenario
    watch = RunWatch(request, files, view)
    campaign = files.ledger.campaign
    may_crash = crash_at(scenario.crashes.at if request.may_crash else (), len(campaign.acquired))
    async with _broker(request) as broker:
        operator = operator_of(wanted, campaign, broker, signing.part_of(OPERATOR))
        told = told_connection(
            request.folder, request.campaign, broker, settings_of_signing(request),
            is_own=scenario.broker.url in BrokerSettings.started_for_you,
        )  # fmt: skip

        def on_commit(transaction: Transaction) -> None:
            may_crash(len(campaign.acquired))
            watch.note(transaction)
            operator.note()

        with (
            told,
            assemble_agent(
                files,
                pool=request.world.pool,
                settings=scenario.campaign,
                broker=broker,
                header=_header(scenario),
                broker_limits=EMBEDDED_LIMITS if scenario.broker.url == EMBEDDED else "",
                signing=signing,
                lab=scenario.lab,
                tracing=scenario.tracing,
                is_live=request.is_live or (request.with_simulator and scenario.broker.is_ours),
                on_commit=on_commit,
            ) as agent,
        ):
            watch.attach(agent, broker)
            shutdown_callbacks = [agent.request_shutdown]

            def end() -> None:
                for each in shutdown_callbacks:  # at once: their shutdowns share the five seconds that SIGTERM has
                    each()

            with ending_on_signals(end), interrupts.ending(end):
                try:
                    async with (
                        asyncio.TaskGroup() as group,
                        _lab(
                            request, broker, signing, group, shutdown_callbacks,
                            is_over=lambda: campaign.phase is Phase.FINISHED,
                        ),
                    ):  # fmt: skip
                        beside = [group.create_task(watch.look()), group.create_task(operator.run())]
                        await agent.run()
                        for task in beside:
                            task.cancel()
                except BaseExceptionGroup as failures:
                    raise first_failure(failures) from None
            return agent.waiting_for


def _header(scenario: Scenario) -> dict[str, Any]:
    """Return what the recording says of the scenario."""
    return {"scenario": recorded_settings(scenario), **recorded_arithmetic()}


@contextlib.asynccontextmanager
async def _broker(request: RunRequest) -> AsyncIterator[BrokerSettings]:
    """Start the broker that the scenario wants, and the network before it; yield where to connect to."""
    async with broker_for(request.scenario.broker, request.folder, _told_in(request.folder / BROKER_LOG)) as reached:
        if request.scenario.network.is_calm:
            yield reached
            return
        logger, file = open_log(request.folder / NETWORK_LOG)
        with contextlib.closing(file):
            async with network_for(request.scenario.network, reached, logger.info) as through:
                yield through


def _told_in(path: Path) -> Callable[..., None]:
    """Return what writes down an event in a log that is there only where there is one."""

    def tell(name: str, **fields: object) -> None:
        logger, file = open_log(path)
        with contextlib.closing(file):
            logger.warning(name, **fields)

    return tell


def _lab(
    request: RunRequest,
    broker: BrokerSettings,
    signing: Signing,
    group: asyncio.TaskGroup,
    shutdown_callbacks: list[Callable[[], None]],
    *,
    is_over: Callable[[], bool],
) -> contextlib.AbstractAsyncContextManager[None]:
    """Play the lab beside the agent, if this run is asked to; add how its parts are asked to end."""
    instruments = request.scenario.instruments if request.with_simulator else ()
    return running_simulators(
        instruments,
        request.folder,
        campaign=request.campaign,
        broker=broker,
        knows_shares=request.scenario.broker.is_ours,
        signing=signing,
        tracing=request.scenario.tracing,
        group=group,
        shutdown_callbacks=shutdown_callbacks,
        is_over=is_over,
    )
