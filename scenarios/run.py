"""Runs a scenario: broker, lab, operator and agent in one process, all through real MQTT on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agent.acquisition.bias import BiasPoint
from agent.acquisition.registry import make_policy
from agent.assembly import LOG, CampaignFiles, assembled_agent, complete_recording, opened_campaign
from agent.campaign.events import AskingEnded, CandidateSetAside, DecisionMade
from agent.campaign.state import Phase
from agent.logs import open_log
from agent.loop import Agent
from agent.step import Step
from protocols.broker_settings import EMBEDDED, BrokerSettings
from protocols.errors import CampaignHalted, SettingsError
from protocols.failures import explained
from protocols.topics import ANY_SIMULATOR
from scenarios.broker import EMBEDDED_LIMITS, broker_for
from scenarios.crashes import crash_at
from scenarios.flaky_network import network_for
from scenarios.lab import lab
from scenarios.live_view import LiveState, LiveView
from scenarios.operator import Wanted, operator_of
from scenarios.outcome import Outcome, known_outcome, write_outcome
from scenarios.recorded import recorded_arithmetic, recorded_settings
from scenarios.settings import Scenario
from scenarios.wishes import controls
from scenarios.world import World
from simulators.settings import TABLE

NETWORK_LOG: Final = "network.jsonl"

LOOK_EVERY_S: Final = 0.1
"""How often the live view asks how things are."""

RATE_WINDOW_S: Final = 5.0
"""Throughput is that of the last seconds."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is asked for.

    Attributes:
        scenario: The settings.
        world: Pool, known values, start set.
        campaign: Name of the campaign.
        folder: The run folder.
        resume: Whether to take a campaign up.
        with_simulator: Whether this process plays the lab and its operator too.
        database_url: Another database than the folder's own.
        may_crash: Whether the process kills itself where the scenario says so.
    """

    scenario: Scenario
    world: World
    campaign: str
    folder: Path
    resume: bool = False
    with_simulator: bool = True
    database_url: str | None = None
    may_crash: bool = False


def run(request: RunRequest, view: LiveView | None) -> Outcome:
    """Run a campaign until it is finished or asked to end; write and return its outcome.

    Args:
        request: What to run.
        view: Shows how things are; None for silence.

    Raises:
        CampaignHalted: When the campaign cannot go on; its outcome so far is written.
    """
    scenario, world = request.scenario, request.world
    _require_answers(request)
    wanted = _wanted(request)
    make_policy(scenario.campaign.policy, scenario.campaign.policy_options)  # before a folder is made for it
    with opened_campaign(
        request.folder,
        pool=world.pool,
        settings=scenario.campaign,
        campaign=request.campaign,
        recipients=scenario.recipients,
        start=world.start_observations(),
        start_further=world.start_further(),
        resume=request.resume,
        database_url=request.database_url,
    ) as files:
        if (known := known_outcome(files)) is not None:
            return known
        began = time.monotonic()
        already = files.remembered.campaign.observations
        halted: CampaignHalted | None = None
        if files.remembered.campaign.phase is Phase.FINISHED:
            complete_recording(files, _header(scenario))
        else:
            loop_factory = asyncio.SelectorEventLoop  # the only loop that aiomqtt runs on everywhere
            with view or contextlib.nullcontext(), asyncio.Runner(loop_factory=loop_factory) as runner:
                try:
                    runner.run(_run(request, files, wanted, view))
                except CampaignHalted as error:
                    halted = error
        elapsed_s = time.monotonic() - began
        outcome = write_outcome(
            files,
            scenario=scenario,
            world=world,
            elapsed_s=elapsed_s,
            accepted_here=files.remembered.campaign.observations - already,
        )
        if halted is not None:
            raise _with_last_failure(halted, files)
        return outcome


def _with_last_failure(halted: CampaignHalted, files: CampaignFiles) -> CampaignHalted:
    """Say why the last candidate was set aside, if that is what ended the campaign."""
    last = None
    for event in files.store.journal():
        last = event if isinstance(event, CandidateSetAside) else last
    if last is None or not files.remembered.campaign.paused_itself:
        return halted
    return CampaignHalted(
        f"{halted.found.rstrip('.')}, {last.candidate_id} because: {last.reason}",
        expected=halted.expected,
        action=f"look for the others in {files.folder / LOG}, mend the lab, then run again with --resume",
    )


def _require_answers(request: RunRequest) -> None:
    """Check that somebody can answer, and only one: a table must know the values of its candidates, for example."""
    scenario = request.scenario
    if not request.with_simulator:
        return
    if len(scenario.lab) > 1 and ANY_SIMULATOR in scenario.recipients and scenario.broker.url == EMBEDDED:
        raise SettingsError(
            f"All {len(scenario.lab)} instruments would take every request to {ANY_SIMULATOR!r}",
            expected="a broker that knows shared subscriptions, which the embedded one does not",
            action="use --broker mosquitto, or leave campaign.recipients out: then each has its turn",
        )
    own = [each for each in scenario.lab if each.table is not None and each.table.path == scenario.pool.path]
    if any(each.evaluator == TABLE for each in own) and not request.world.all_known:
        raise SettingsError(
            "The table does not know the values of its candidates, so it cannot play the lab",
            expected="a table with a value in every row, or a lab that measures",
            action="use `entropilot agent` with your lab's broker, or name another [simulator] evaluator",
        )


def _wanted(request: RunRequest) -> Wanted:
    """Return what the operator of the scenario will say; nothing where the lab, and so its operator, is elsewhere."""
    scenario = request.scenario
    wishes = scenario.operator if request.with_simulator else ()
    letters = controls(
        wishes,
        campaign=request.campaign,
        pool=request.world.pool,
        property_name=scenario.campaign.property,
        unit=scenario.campaign.unit,
        now=datetime.now(UTC),
    )
    return tuple(zip(wishes, letters, strict=True))


async def _run(request: RunRequest, files: CampaignFiles, wanted: Wanted, view: LiveView | None) -> None:
    scenario = request.scenario
    watch = _Watch(request, files, view)
    campaign = files.remembered.campaign
    may_crash = crash_at(scenario.crashes.at if request.may_crash else (), len(campaign.acquired))
    async with _broker(request) as broker:
        operator = operator_of(wanted, campaign, broker)

        def on_step(step: Step) -> None:
            may_crash(len(campaign.acquired))
            watch.note(step)
            operator.note()

        with assembled_agent(
            files,
            pool=request.world.pool,
            settings=scenario.campaign,
            broker=broker,
            header=_header(scenario),
            broker_limits=EMBEDDED_LIMITS if scenario.broker.url == EMBEDDED else "",
            on_step=on_step,
        ) as agent:
            watch.attach(agent, broker)
            ends = [agent.request_shutdown]

            def end() -> None:
                for each in ends:  # at once: their goodbyes share the five seconds that SIGTERM has
                    each()

            with ending_on_signals(end):
                try:
                    async with asyncio.TaskGroup() as group, _lab(request, broker, group, ends):
                        beside = [group.create_task(watch.look()), group.create_task(operator.run())]
                        await agent.run()
                        for task in beside:
                            task.cancel()
                except BaseExceptionGroup as failures:
                    raise explained(failures) from None


def _header(scenario: Scenario) -> dict[str, Any]:
    """Return what the recording says of the scenario."""
    return {"scenario": recorded_settings(scenario), **recorded_arithmetic()}


@contextlib.asynccontextmanager
async def _broker(request: RunRequest) -> AsyncIterator[BrokerSettings]:
    """Start the broker that the scenario wants, and the network before it; yield where to connect to."""
    async with broker_for(request.scenario.broker, request.folder) as reached:
        if request.scenario.network.is_calm:
            yield reached
            return
        logger, file = open_log(request.folder / NETWORK_LOG)
        with contextlib.closing(file):
            async with network_for(request.scenario.network, reached, logger.info) as through:
                yield through


def _lab(
    request: RunRequest, broker: BrokerSettings, group: asyncio.TaskGroup, ends: list[Callable[[], None]]
) -> contextlib.AbstractAsyncContextManager[None]:
    """Play the lab beside the agent, if this run is asked to; add to `ends` how its parts are asked to end."""
    instruments = request.scenario.lab if request.with_simulator else ()
    return lab(instruments, request.folder, campaign=request.campaign, broker=broker, group=group, ends=ends)


@contextlib.contextmanager
def ending_on_signals(end: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT and SIGTERM end what runs in order; a second one ends it at once."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def once() -> None:
        for number in numbers:
            loop.remove_signal_handler(number)
        end()

    try:
        for number in numbers:
            loop.add_signal_handler(number, once)
    except (NotImplementedError, RuntimeError):  # Windows, or not the main thread: Ctrl-C raises as usual
        yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


class _Watch:
    """Collects what the live view shows."""

    def __init__(self, request: RunRequest, files: CampaignFiles, view: LiveView | None) -> None:
        self._request = request
        self._files = files
        self._view = view
        self._began = time.monotonic()
        self._accepted: deque[tuple[float, int]] = deque()
        self._counts = files.store.counts()
        self._last_decision = ""
        self._sent: dict[str, float] = {}
        self._bias = files.remembered.meter.point()
        self._before = _first_point(files)
        self._agent: Agent
        self._broker = ""

    def attach(self, agent: Agent, broker: BrokerSettings) -> None:
        self._agent = agent
        self._broker = broker.redacted_url

    def note(self, step: Step) -> None:
        """Take in a committed step."""
        now = time.monotonic()
        for fate, by in step.counts.items():
            self._counts[fate] = self._counts.get(fate, 0) + by
        for event in step.events:
            if isinstance(event, DecisionMade):
                self._last_decision = f"{', '.join(event.candidate_ids)}: {event.reason}"
            elif isinstance(event, AskingEnded):
                self._last_decision = f"nothing more to ask for: {event.reason}"
        for item in step.outbox:
            self._sent[item.attempt_id] = now
        if step.bias:
            self._bias = step.bias[-1].point
            self._accepted.append((now, step.bias[-1].step))
        self._forget(now)

    async def look(self) -> None:
        """Show how things are until cancelled."""
        while self._view is not None:
            self._view.show(self.state())
            await asyncio.sleep(LOOK_EVERY_S)

    def state(self) -> LiveState:
        campaign = self._agent.campaign
        now = time.monotonic()
        phases: dict[Phase, Any] = {Phase.PAUSED: "paused", Phase.STOPPING: "finishing", Phase.FINISHED: "finishing"}
        return LiveState(
            campaign=campaign.terms.campaign,
            policy=campaign.terms.policy,
            phase=phases.get(campaign.phase, "running" if campaign.asking_ended is None else "finishing"),
            step=campaign.observations,
            budget=campaign.terms.budget,
            spent=campaign.spent,
            elapsed_s=now - self._began,
            per_second=self._rate(now),
            bias=self._bias,
            before=self._before,
            last_decision=self._last_decision,
            in_flight=tuple(
                (
                    a.candidate_id,
                    self._family(a.candidate_id),
                    a.number,
                    now - self._sent.get(a.attempt_id, self._began),
                )
                for a in list(campaign.in_flight.values())
            ),
            retries=campaign.retries,
            quarantined=sum(by for fate, by in self._counts.items() if fate.startswith("quarantined")),
            duplicates=self._counts.get("candidate_result: duplicate", 0),
            broker=self._broker,
            connected=self._agent.connected,
        )

    def _family(self, candidate_id: str) -> str:
        pool = self._request.world.pool
        return pool.candidates[pool.index_of[candidate_id]].family

    def _forget(self, now: float) -> None:
        """Drop what is no longer shown, whether anybody looks or not: a run of weeks must not fill the memory."""
        while self._accepted and now - self._accepted[0][0] > RATE_WINDOW_S:
            self._accepted.popleft()
        in_flight = self._agent.campaign.in_flight
        if len(self._sent) > 2 * len(in_flight):
            self._sent = {attempt: at for attempt, at in self._sent.items() if attempt in in_flight}

    def _rate(self, now: float) -> float | None:
        self._forget(now)
        if len(self._accepted) < 2:  # noqa: PLR2004 - a rate needs two points
            return None
        (first, low), (last, high) = self._accepted[0], self._accepted[-1]
        return (high - low) / (last - first) if last > first else None


def _first_point(files: CampaignFiles) -> BiasPoint | None:
    return next((point for _, point in files.store.trajectory()), None)
