"""One part alone: a simulator or a broker that runs until it is ended."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog

from protocols.concurrency.signals import ending_on_signals
from protocols.errors import SettingsError
from protocols.link.broker_settings import EMBEDDED, BrokerSettings
from protocols.mapping.mapping import LabMapping
from protocols.signing.key_file import require_keys
from scenarios.broker.broker import EMBEDDED_LIMITS, embedded_broker, mosquitto_broker, require_free
from scenarios.broker.kept_accounts import kept_accounts, part_file
from scenarios.broker.mosquitto import ACCESS_LIST, PASSWORDS, write_mosquitto_files
from scenarios.broker.url import ACCESS
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
            broker=scenario.broker.as_part(settings.id),
            signing=signing.part_of(settings.id),
            tracing=scenario.tracing,
            on_event=logger.info,
        ) as service:
            logger.info("simulator_started", campaign=campaign or "every", broker=scenario.broker.redacted_url)
            with ending_on_signals(service.request_shutdown):
                await service.run()
            logger.info("simulator_ended", **dict(service.counts))

    _run_selector_loop(serve())


@dataclass(frozen=True, slots=True)
class BrokerRequest:
    """A broker that is asked for.

    Attributes:
        kind: `embedded`, `mosquitto` or `access`.
        host: Address to listen on.
        port: The same.
        folder: Mosquitto's files.
        instruments: Whom to let in, beside the agent and an observer; with no operators either, one account for all.
        operators: The same.
        credentials: Where accounts are kept; None for new ones in the user's own place.
        lab: Of `access`: a lab with messages of its own, on whose topics the parts have rights as well.
    """

    kind: str
    host: str
    port: int
    folder: Path
    instruments: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    credentials: Path | None = None
    lab: LabMapping | None = None


def run_broker(request: BrokerRequest) -> None:
    """Run a broker until SIGINT or SIGTERM.

    Raises:
        SettingsError: When there is no such broker, or a file of it is not ours to write.
        BrokerError: When it does not start.
    """
    logger = _log_on_stderr()
    host, port = request.host, request.port
    if request.kind not in BrokerSettings.started_for_you:
        raise SettingsError(f"There is no broker {request.kind!r}", expected=f"embedded, mosquitto or {ACCESS}")
    require_free(host, port)  # before the file of one that runs there is written over

    async def serve() -> None:
        with kept_accounts(request.credentials, request.instruments, request.operators, host, port) as (accounts, path):
            if request.kind == EMBEDDED:
                started = embedded_broker(host, port, accounts=accounts, on_event=logger.warning)
                logger.info("embedded_broker", limits=EMBEDDED_LIMITS)
            else:
                started = mosquitto_broker(request.folder, port, host, accounts=accounts, on_event=logger.warning)
            ended = asyncio.Event()
            # Before it listens: whoever has reached it may end it.
            with ending_on_signals(ended.set):
                async with started as reached:
                    logger.info("broker_started", url=reached.url, credentials=str(path))
                    await ended.wait()
        logger.info("broker_ended")

    _run_selector_loop(serve())


def write_access(request: BrokerRequest) -> list[str]:
    """Write what a lab's own Mosquitto needs: configuration, access list, passwords; return lines that tell of it.

    Accounts that are there already keep their passwords.

    Raises:
        SettingsError: When the folder is not ours to write.
    """
    folder = request.folder
    kept = request.credentials or folder / "credentials.json"
    with kept_accounts(kept, request.instruments, request.operators, request.host, request.port) as (accounts, path):
        config = write_mosquitto_files(folder, accounts, port=request.port, host=request.host, lab=request.lab)
    alone = {each.name: part_file(path, each.name) for each in accounts} if len(accounts) > 1 else {}
    return [
        f"{config}: Mosquitto's configuration (mosquitto -c …), or lines for that of your broker",
        f"{folder / ACCESS_LIST}: what each part may say and hear",
        f"{folder / PASSWORDS}: their passwords, hashed",
        f"{path}: names and passwords of all; keep it where the broker is",
        *(f"{file}: for {name} alone, as its broker.credentials_file" for name, file in alone.items()),
    ]


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
