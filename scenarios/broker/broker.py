"""Brokers that a run brings along: the embedded one (nothing to install) and Mosquitto, each a process of its own.

Both let in nobody whose name and password they were not given; those are made at random for each start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from protocols.concurrency.child import KEPT_ENVIRONMENT, SAFE_PATH
from protocols.errors import BrokerError
from protocols.link.broker_settings import EMBEDDED, MOSQUITTO, BrokerSettings, MqttVersion
from protocols.link.credentials import AGENT, Account, accounts_for
from scenarios.broker.access import rules_of
from scenarios.broker.embedded.process import order
from scenarios.broker.embedded.users import User
from scenarios.broker.kept_process import OWN_GROUP, OnEvent, ended, kept_running
from scenarios.broker.mosquitto import LOG, LOOPBACK, find_mosquitto, write_mosquitto_files

__all__ = ["EMBEDDED_LIMITS", "LOOPBACK", "broker_for", "embedded_broker", "find_mosquitto", "mosquitto_broker"]

START_TIMEOUT_S: Final = 10.0
"""How long a broker may take to listen, on a loaded machine."""

POLL_S: Final = 0.05
"""How often we look whether Mosquitto listens."""

EMBEDDED_LIMITS: Final = (
    "the embedded broker keeps nothing when it ends, and knows no MQTT 5 and no TLS; receipts and outboxes make up for "
    "it on one machine. For several machines use --broker mosquitto or a broker of your lab"
)
"""Said once in the log."""


def _tell_nobody(_name: str, **_fields: object) -> None:
    """Take an event that nobody asked for."""


@contextlib.asynccontextmanager
async def embedded_broker(
    host: str = LOOPBACK, port: int = 0, *, accounts: Sequence[Account] = (), on_event: OnEvent = _tell_nobody
) -> AsyncIterator[BrokerSettings]:
    """Run the embedded broker in a process of its own; yield how to reach it.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose a free one.
        accounts: Who is let in; by default one that is made for this start. The first one is yielded.
        on_event: Told when it died, when it is back, and now and then what it refused or dropped.

    Raises:
        BrokerError: When it does not start, as when the port is in use.
    """
    known = tuple(accounts) or accounts_for()
    taken = [port]

    async def start() -> Process:
        process, taken[0] = await _embedded_process(host, taken[0], known)
        return process

    async def watch(process: Process) -> None:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        while line := await process.stdout.readline():
            on_event("broker_refused", **json.loads(line))

    async with kept_running(start, watch, on_event):
        yield _reached(host, taken[0], known[0], MqttVersion.V311)


@contextlib.asynccontextmanager
async def mosquitto_broker(
    folder: Path,
    port: int = 0,
    host: str = LOOPBACK,
    *,
    accounts: Sequence[Account] = (),
    on_event: OnEvent = _tell_nobody,
) -> AsyncIterator[BrokerSettings]:
    """Run Mosquitto as a child; yield how to reach it.

    Args:
        folder: Where its configuration, log and persistence live.
        port: Port to listen on; 0 takes a free one.
        host: Address to listen on.
        accounts: Who is let in; by default one that is made for this start. The first one is yielded.
        on_event: Told when it died, and when it is back.

    Raises:
        BrokerError: When it is not installed, or does not start.
        SettingsError: When the folder is not ours to write.
    """
    program = find_mosquitto()
    known = tuple(accounts) or accounts_for()
    port = _free_port(host, port)
    config = write_mosquitto_files(folder, known, port=port, host=host)

    async def start() -> Process:
        return await _mosquitto_process(program, config, _reachable(host), port)

    async def watch(process: Process) -> None:
        await process.wait()

    async with kept_running(start, watch, on_event):
        yield _reached(host, port, known[0], MqttVersion.AUTO)


@contextlib.asynccontextmanager
async def broker_for(
    settings: BrokerSettings, folder: Path, on_event: OnEvent = _tell_nobody
) -> AsyncIterator[BrokerSettings]:
    """Start the broker that the settings ask for, if it is ours to start; yield how an agent reaches it."""
    if settings.url == EMBEDDED:
        async with embedded_broker(on_event=on_event) as reached:
            yield settings.model_copy(update=_way_to(reached))
    elif settings.url == MOSQUITTO:
        async with mosquitto_broker(folder / "mosquitto", on_event=on_event) as reached:
            yield settings.model_copy(update=_way_to(reached) | {"version": settings.version})
    else:
        yield settings.as_part(AGENT)


def _users(accounts: Sequence[Account]) -> tuple[User, ...]:
    return tuple(User(each.name, each.password, rules_of(each.role, each.name)) for each in accounts)


def _way_to(reached: BrokerSettings) -> dict[str, object]:
    return {name: getattr(reached, name) for name in ("url", "version", "username", "password")}


def _reached(host: str, port: int, account: Account, version: MqttVersion) -> BrokerSettings:
    return BrokerSettings(
        url=f"mqtt://{_in_url(_reachable(host))}:{port}",
        version=version,
        username=account.name,
        password=SecretStr(account.password),
    )


async def _embedded_process(host: str, port: int, accounts: tuple[Account, ...]) -> tuple[Process, int]:
    """Start the embedded broker; return it and its port when it listens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, SAFE_PATH, "-m", "scenarios.broker.embedded.process",
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, process_group=OWN_GROUP,
        env={name: value for name, value in os.environ.items() if name in KEPT_ENVIRONMENT},
    )  # fmt: skip
    assert process.stdin is not None  # noqa: S101 - for the type checker
    assert process.stdout is not None  # noqa: S101 - the same
    said: dict[str, object] = {}
    try:
        with contextlib.suppress(TimeoutError, ValueError, ConnectionError):
            async with asyncio.timeout(START_TIMEOUT_S):
                process.stdin.write(order(host, port, _users(accounts)))
                await process.stdin.drain()
                said = json.loads(await process.stdout.readline())
    finally:
        if "port" not in said:
            await ended(process)
    if "port" in said:
        return process, int(str(said["port"]))
    if "error" in said:
        raise _port_trouble(host, port, str(said["error"]))
    raise BrokerError(
        f"The embedded broker did not start within {START_TIMEOUT_S:g} s (code {process.returncode})",
        expected="a process of its own that says on which port it listens",
        action="look for what keeps this machine from starting processes, or use --broker mosquitto",
    )


async def _mosquitto_process(program: str, config: Path, host: str, port: int) -> Process:
    """Start Mosquitto below its guard; return the guard when Mosquitto listens."""
    log_path = config.with_name(LOG)
    with log_path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, SAFE_PATH, "-m", "scenarios.broker.child_guard", program, "-c", str(config),
            stdin=PIPE, stdout=log, stderr=log, process_group=OWN_GROUP,
        )  # fmt: skip
    try:
        await _wait_until_it_listens(process, host, port, log_path)
    except BaseException:
        await ended(process)
        raise
    return process


async def _wait_until_it_listens(process: Process, host: str, port: int, log: Path) -> None:
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


def require_free(host: str, port: int) -> None:
    """Require that nobody listens on a port.

    Raises:
        BrokerError: When somebody does, or it is no address of this machine.
    """
    _free_port(host, port)


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

    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            if sys.platform != "win32":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that just ended hold no port
            probe.bind((host, wanted))
            return int(probe.getsockname()[1])
    except OSError as error:
        raise _port_trouble(host, wanted, error.strerror or str(error)) from None


def _port_trouble(host: str, port: int, reason: str) -> BrokerError:
    return BrokerError(
        f"The broker cannot listen on {host}:{port}: {reason}",
        expected="a free port on an address of this machine",
        action="end what uses the port, or choose another with --port",
    )
