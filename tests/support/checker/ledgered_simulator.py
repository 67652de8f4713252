"""A real simulator whose link and executor write a ledger: a process that the endurance tests start and kill.

    python -m tests.support.checker.ledgered_simulator SCENARIO --broker URL --id ID --memory FOLDER --ledger FILE

It is put together as `simulators.assembly` does it, with `tests.support.checker.ledger` between the parts.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from protocols.concurrency.signals import ending_on_signals
from protocols.errors import EntropilotError
from protocols.link.mqtt import MqttSession
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.transport import Will
from protocols.storage.database import sqlite_url
from protocols.storage.run_lock import RunLock
from protocols.wire.messages import Health
from protocols.wire.topics import simulator_subscriptions
from scenarios.settings.model import Scenario
from scenarios.sources.scenario import Overrides, load_scenario
from simulators.executors.choice import make_executor
from simulators.messages import status_message
from simulators.outbox import Outbox
from simulators.service import SimulatorService
from tests.support.checker.ledger import Ledger, LedgeredExecutor, LedgeredTransport


async def serve(scenario: Scenario, *, campaign: str, memory: Path, ledger: Ledger) -> None:
    """Serve a campaign until SIGTERM."""
    settings = scenario.simulator
    outbox = Outbox.open(sqlite_url(memory / f"{settings.id}.db"))
    session = MqttSession(
        scenario.broker,
        client_id=f"entropilot-{campaign}-{settings.id}",
        subscriptions=simulator_subscriptions(settings.id, campaign=campaign, shared=True),
        will=Will(*status_message(campaign, settings.id, Health.OFFLINE, clock())),
        on_event=say,
    )
    poison_guard = PoisonMessageGuard(memory / f"{settings.id}.in_process")
    try:
        service = SimulatorService(
            settings,
            campaign=campaign,
            outbox=outbox,
            transport=LedgeredTransport(session, ledger),
            executor=LedgeredExecutor(make_executor(settings, say), ledger),
            clock=clock,
            poison_guard=poison_guard,
            on_event=say,
        )
        with ending_on_signals(service.request_shutdown):
            say("simulator_started")
            await service.run()
        say("simulator_ended", **dict(service.counts))
    finally:
        poison_guard.close()
        outbox.close()


def clock() -> datetime:
    """Return the wall-clock time, a label."""
    return datetime.now(UTC)


def say(what: str, **fields: Any) -> None:
    """Say on standard error what happens."""
    told = " ".join(f"{name}={value}" for name, value in fields.items())
    print(what, told, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run it; return the exit code of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario")
    for name in ("broker", "id"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("memory", "ledger"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--set", action="append", default=[])
    asked = parser.parse_args(arguments)
    try:
        flags = {"broker": asked.broker, "id": asked.id}
        scenario = load_scenario(asked.scenario, Overrides(flags, tuple(asked.set))).settings
        asked.memory.mkdir(parents=True, exist_ok=True)
        ledger = Ledger(asked.ledger, asked.id)
        with (
            RunLock(asked.memory / f"{asked.id}.lock", holder=f"simulator {asked.id!r}", advice="end the other one"),
            asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner,
        ):
            runner.run(serve(scenario, campaign=scenario.name, memory=asked.memory, ledger=ledger))
    except EntropilotError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
