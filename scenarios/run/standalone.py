"""One part alone: a simulator or a broker that runs until it is ended."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import structlog

from protocols.concurrency.signals import ending_on_signals
from protocols.errors import SettingsError
from protocols.signing.key_file import require_keys
from scenarios.broker.broker import EMBEDDED_LIMITS, embedded_broker, mosquitto_broker
from scenarios.display.console import visible
from scenarios.settings.model import Scenario
from simulators.assembly import assemble_simulator
from simulators.settings import SimulatorSettings


def run_simulator(scenario: Scenario, *, campaign: str | None, memory: Path) -> None:
    """Run a simulator until SIGINT or SIGTERM; it says on standard error what happens.

    Args:
        scenario: Settings of the simulator and the broker; of several instruments, `simulator.id` names the one.
        campaign: The campaign that it serves, or None for every one.
        memory: Folder of its database.

    Raises:
        SettingsError: When there are several, and none of that id; when its key lacks.
    """
    settings = _the_one(scenario)
    signing = scenario.signing.signing()
    if signing.has_keys:
        require_keys(signing.ring, scenario.signing.keys or "", [settings.id])
    logger = _log_on_stderr().bind(simulator=settings.id)

    async def serve() -> None:
        with assemble_simulator(
            memory,
            settings,
            campaign=campaign,
            broker=scenario.broker,
            signing=signing.part_of(settings.id),
            on_event=logger.info,
        ) as service:
            logger.info("simulator_started", campaign=campaign or "every", broker=scenario.broker.redacted_url)
            with ending_on_signals(service.request_shutdown):
                await service.run()
            logger.info("simulator_ended", **dict(service.counts))

    _run_selector_loop(serve())


def run_broker(kind: str, *, host: str, port: int, folder: Path) -> None:
    """Run a broker until SIGINT or SIGTERM.

    Raises:
        SettingsError: When there is no such broker.
        BrokerError: When it does not start.
    """
    logger = _log_on_stderr()

    async def serve() -> None:
        if kind == "embedded":
            started = embedded_broker(host, port)
            logger.info("embedded_broker", limits=EMBEDDED_LIMITS)
        elif kind == "mosquitto":
            started = mosquitto_broker(folder, port, host)
        else:
            raise SettingsError(f"There is no broker {kind!r}", expected="embedded or mosquitto")
        ended = asyncio.Event()
        # Before it listens: whoever has reached it may end it.
        with ending_on_signals(ended.set):
            async with started as reached:
                logger.info("broker_started", url=reached.url)
                await ended.wait()
        logger.info("broker_ended")

    _run_selector_loop(serve())


def _the_one(scenario: Scenario) -> SimulatorSettings:
    named = scenario.simulator.id
    if not scenario.simulators:
        return scenario.simulator
    if named not in scenario.simulators:
        raise SettingsError(
            f"Scenario {scenario.name} has no instrument {named!r}",
            expected=f"one of {', '.join(scenario.simulators)}",
            action="say with --id which one is to run",
        )
    return scenario.simulators[named]


def _log_on_stderr() -> structlog.typing.FilteringBoundLogger:
    """Return the log of a part that runs alone; standard output is for results, and it has none."""
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            _visible_values,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    return logger


def _visible_values(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace what could steer the terminal; what is no text is written as `repr` does, without it."""
    return {key: visible(value) if isinstance(value, str) else value for key, value in event.items()}


def _run_selector_loop(work: object) -> None:
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(work)  # type: ignore[arg-type]
