"""Puts a simulator together: memory, link, executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.mqtt import MqttSession
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.transport import Will
from protocols.storage.database import sqlite_url
from protocols.storage.disk_floor import DiskFloor
from protocols.storage.run_lock import RunLock
from protocols.wire.messages import Health
from protocols.wire.topics import simulator_subscriptions
from simulators.executor import make_executor
from simulators.faulty import faulty
from simulators.messages import status_message
from simulators.outbox import Outbox
from simulators.service import SimulatorService
from simulators.settings import SimulatorSettings


@contextmanager
def assemble_simulator(
    folder: Path,
    settings: SimulatorSettings,
    *,
    campaign: str | None,
    broker: BrokerSettings,
    shared: bool = True,
    on_event: Callable[..., None] = lambda *_args, **_fields: None,
) -> Iterator[SimulatorService]:
    """Put a simulator together; hold the lock of its memory meanwhile.

    Args:
        folder: Where its memory lives.
        settings: Who it is.
        campaign: The campaign that it serves; None for every campaign on the broker.
        broker: Where the broker is.
        shared: Whether requests to "any" come by a shared subscription. The embedded broker knows none; with it one
            simulator serves "any".
        on_event: For the log.

    Raises:
        StoreError: When its memory is in use or damaged.
    """
    advice = "end the other one, or give this one another --id"
    with RunLock(folder / f"{settings.id}.lock", holder=f"simulator {settings.id!r}", advice=advice):
        outbox = Outbox.open(sqlite_url(folder / f"{settings.id}.db"))
        try:
            will = None if campaign is None else Will(*status_message(campaign, settings.id, Health.OFFLINE, _clock()))
            session = MqttSession(
                broker,
                client_id=f"entropilot-{campaign or 'all'}-{settings.id}",
                subscriptions=simulator_subscriptions(
                    settings.id, campaign=campaign, shared=shared and broker.version is not MqttVersion.V311
                ),
                will=will,
                on_event=on_event,
            )
            executor, transport = faulty(make_executor(settings), session, settings.faults, on_event)
            with closing(PoisonMessageGuard(folder / f"{settings.id}.in_process")) as poison_guard:
                yield SimulatorService(
                    settings,
                    campaign=campaign,
                    outbox=outbox,
                    transport=transport,
                    executor=executor,
                    clock=_clock,
                    poison_guard=poison_guard,
                    disk=DiskFloor(folder, on_change=lambda reason: _tell_disk(on_event, reason)),
                    on_event=on_event,
                )
        finally:
            outbox.close()


def _tell_disk(on_event: Callable[..., None], reason: str) -> None:
    on_event("disk_is_nearly_full" if reason else "disk_has_room", **({"detail": reason} if reason else {}))


def _clock() -> datetime:
    return datetime.now(UTC)
