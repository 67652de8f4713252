"""Brokers that a run brings along: the embedded one (nothing to install) and Mosquitto as a child with our settings."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from protocols.concurrency.child import SAFE_PATH
from protocols.errors import BrokerError
from protocols.link.broker_settings import EMBEDDED, MOSQUITTO, BrokerSettings, MqttVersion
from protocols.wire.limits import MAX_PAYLOAD_BYTES

if TYPE_CHECKING:
    from scenarios.broker.embedded import ClosingBroker

LOOPBACK: Final = "127.0.0.1"

START_TIMEOUT_S: Final = 10.0
"""How long Mosquitto may take to listen, on a loaded machine."""

POLL_S: Final = 0.05
"""How often we look whether it listens."""

EMBEDDED_LIMITS: Final = (
    "the embedded broker keeps nothing when it ends, does not deliver again what was not acknowledged, and knows no "
    "MQTT 5 and no shared subscriptions; receipts and outboxes make up for it on one machine. "
    "For several machines use --broker mosquitto or a broker of your lab"
)
"""Said once in the log."""

MOSQUITTO_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where packages put Mosquitto outside of an ordinary user's PATH."""


@contextlib.asynccontextmanager
async def embedded_broker(host: str = LOOPBACK, port: int = 0) -> AsyncIterator[BrokerSettings]:
    """Run the embedded broker in this process; yield how to reach it.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose a free one.

    Raises:
        BrokerError: When the port is in use.
    """
    from amqtt.contexts import BrokerConfig, ListenerConfig

    from scenarios.broker.embedded import ClosingBroker

    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    asyncio.get_running_loop().set_exception_handler(_hush_amqtt)
    config = BrokerConfig(
        listeners={"default": ListenerConfig(bind=f"{host}:{port}")},
        plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    )
    broker = ClosingBroker(config)
    try:
        await broker.start()
    except Exception as error:
        cause = _deepest(error)
        if not isinstance(cause, OSError):
            raise
        raise _port_trouble(host, port, cause) from None
    try:
        yield BrokerSettings(url=f"mqtt://{host}:{_port_of(broker)}", version=MqttVersion.V311)
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await broker.shutdown()


@contextlib.asynccontextmanager
async def mosquitto_broker(folder: Path, port: int = 0, host: str = LOOPBACK) -> AsyncIterator[BrokerSettings]:
    """Run Mosquitto as a child; yield how to reach it.

    Args:
        folder: Where its configuration, log and persistence live.
        port: Port to listen on; 0 takes a free one.
        host: Address to listen on. It asks nobody for a password, so beyond loopback only in a network that is trusted.

    Raises:
        BrokerError: When it is not installed, or does not start.
    """
    program = find_mosquitto()
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port(host, port)
    config = folder / "mosquitto.conf"
    config.write_text(mosquitto_config(folder.resolve(), port, host))
    log = (folder / "mosquitto.log").open("ab")
    process = await asyncio.create_subprocess_exec(
        sys.executable, SAFE_PATH, "-m", "scenarios.broker.child_guard", program, "-c", str(config),
        stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
    )  # fmt: skip
    log.close()
    try:
        await _wait_until_it_listens(process, _reachable(host), port, folder / "mosquitto.log")
        yield BrokerSettings(url=f"mqtt://{_in_url(_reachable(host))}:{port}")
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


def mosquitto_config(folder: Path, port: int, host: str = LOOPBACK) -> str:
    """Return a configuration that survives a crash of the broker as well as Mosquitto can.

    `autosave_on_changes` with an interval of 1 writes the whole database after every change: the default writes it
    every 30 minutes, and a killed broker then forgets what it had confirmed.
    """
    lines = [
        f"listener {port} {host}",
        "allow_anonymous true",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_on_changes true",
        "autosave_interval 1",
        "max_queued_messages 10000",  # the default drops beyond 1,000, after it confirmed them
        f"message_size_limit {16 * MAX_PAYLOAD_BYTES}",  # larger ones are refused; those above ours are quarantined
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        lines.append("user root")  # else it changes to a user that cannot write into the run folder
    return "\n".join(lines) + "\n"


def find_mosquitto() -> str:
    """Return the path of Mosquitto.

    Raises:
        BrokerError: When it is not installed.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), *MOSQUITTO_FOLDERS])
    program = shutil.which("mosquitto", path=path)
    if program is None:
        raise BrokerError(
            "Mosquitto is not installed on this machine",
            expected="the program `mosquitto`",
            action="install it (apt install mosquitto, or brew install mosquitto), or use --broker embedded",
        )
    return program


@contextlib.asynccontextmanager
async def broker_for(settings: BrokerSettings, folder: Path) -> AsyncIterator[BrokerSettings]:
    """Start the broker that the settings ask for, if it is ours to start; yield how to reach it."""
    if settings.url == EMBEDDED:
        async with embedded_broker() as reached:
            yield settings.model_copy(update={"url": reached.url, "version": reached.version})
    elif settings.url == MOSQUITTO:
        async with mosquitto_broker(folder / "mosquitto") as reached:
            yield settings.model_copy(update={"url": reached.url})
    else:
        yield settings


async def _wait_until_it_listens(process: asyncio.subprocess.Process, host: str, port: int, log: Path) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_TIMEOUT_S):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection(host, port)
                except OSError:
                    await asyncio.sleep(POLL_S)
                    continue
                writer.close()
                return
    said = log.read_text(errors="replace").strip().splitlines()
    raise BrokerError(
        f"Mosquitto did not start on port {port}: {said[-1] if said else 'it said nothing'}",
        expected=f"a free port and a folder that it can write, {log.parent}",
        action="end what uses the port, or choose another",
    )


def _reachable(host: str) -> str:
    """Where a client of this machine finds a server that listens there."""
    return {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104 - asked for by the user


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _free_port(host: str, wanted: int) -> int:
    """Return the port, or a free one for 0; another program that listens there would pass for our Mosquitto.

    Raises:
        BrokerError: When it is in use.
    """
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that just ended hold no port
        try:
            probe.bind((host, wanted))
        except OSError as error:
            raise _port_trouble(host, wanted, error) from None
        return int(probe.getsockname()[1])


def _port_of(broker: ClosingBroker) -> int:
    instance = broker._servers["default"].instance  # noqa: SLF001 - amqtt does not tell the port it was given
    return int(instance.sockets[0].getsockname()[1])


def _hush_amqtt(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Keep amqtt's forgotten tasks off the terminal.

    It waits for an acknowledgement only after it has sent the message, so that a quick one is missed; five seconds
    later its task fails and nobody looks at it. The message had arrived.
    """
    task = context.get("future")
    code = getattr(task.get_coro(), "cr_code", None) if isinstance(task, asyncio.Task) else None
    if code is None or "amqtt" not in Path(code.co_filename).parts:
        loop.default_exception_handler(context)


def _deepest(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _port_trouble(host: str, port: int, error: OSError) -> BrokerError:
    return BrokerError(
        f"The broker cannot listen on {host}:{port}: {error.strerror or error}",
        expected="a free port on an address of this machine",
        action="end what uses the port, or choose another with --port",
    )
