"""Plays a scenario's lab beside the agent: all its instruments, each with a link, a memory and a log of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from agent.runtime.log import open_log
from protocols.link.broker_settings import BrokerSettings
from protocols.signing.transport import Signing
from protocols.tracing.settings import OFF, TracingSettings
from simulators.assembly import assemble_simulator
from simulators.service import SimulatorService
from simulators.settings import SimulatorSettings

LOG_OF_THE_ONE: Final = "simulator.jsonl"
"""Log of a lab of one instrument; of several, each has one that is called by its id."""


@contextlib.asynccontextmanager
async def running_simulators(
    instruments: Sequence[SimulatorSettings],
    folder: Path,
    *,
    campaign: str,
    broker: BrokerSettings,
    knows_shares: bool,
    signing: Signing,
    tracing: TracingSettings = OFF,
    group: asyncio.TaskGroup,
    shutdown_callbacks: list[Callable[[], None]],
    is_over: Callable[[], bool],
) -> AsyncIterator[None]:
    """Run instruments until the block ends.

    Args:
        instruments: Their settings; none, if the lab is elsewhere.
        folder: Where their memories and logs live.
        campaign: The campaign that they serve.
        broker: Where the broker is.
        knows_shares: Whether it is known to share out the requests to "any".
        signing: Their keys, of which each gets its own.
        tracing: Where a trace of each attempt goes.
        group: Their tasks' group.
        shutdown_callbacks: Gets how each is asked to end.
        is_over: Whether the campaign is over.
    """
    with contextlib.ExitStack() as opened:
        services = [
            opened.enter_context(
                _instrument(
                    each,
                    folder / _log_of(each, instruments),
                    campaign,
                    broker,
                    knows_shares=knows_shares,
                    signing=signing.part_of(each.id),
                    tracing=tracing,
                    is_over=is_over,
                )
            )
            for each in instruments
        ]
        shutdown_callbacks.extend(service.request_shutdown for service in services)
        tasks = [group.create_task(service.run()) for service in services]
        try:
            yield
        finally:
            for service in services:  # all at once: their goodbyes share the five seconds that SIGTERM has
                service.request_shutdown()
            if tasks:
                await asyncio.wait(tasks)


@contextlib.contextmanager
def _instrument(
    settings: SimulatorSettings,
    log: Path,
    campaign: str,
    broker: BrokerSettings,
    *,
    knows_shares: bool,
    signing: Signing,
    tracing: TracingSettings,
    is_over: Callable[[], bool],
) -> Iterator[SimulatorService]:
    logger, file = open_log(log)
    logger = logger.bind(campaign=campaign, simulator=settings.id)
    with (
        contextlib.closing(file),
        assemble_simulator(
            log.parent,
            settings,
            campaign=campaign,
            broker=broker.as_part(settings.id),
            knows_shares=knows_shares,
            signing=signing,
            tracing=tracing,
            is_over=is_over,
            on_event=logger.info,
        ) as service,
    ):
        try:
            yield service
        finally:
            logger.info("simulator_ended", **dict(service.counts))


def _log_of(settings: SimulatorSettings, instruments: Sequence[SimulatorSettings]) -> str:
    return LOG_OF_THE_ONE if len(instruments) == 1 else f"{settings.id}.jsonl"
