"""Puts a simulator together: memory, link, executor."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.client_ids import simulator_client_id
from protocols.link.election import another_instrument
from protocols.link.mqtt import MqttSession
from protocols.link.poison_guard import PoisonMessageGuard
from protocols.link.sessions import SessionEnd
from protocols.link.transport import Will
from protocols.signing.transport import UNSIGNED, SignedTransport, Signing
from protocols.storage.database import sqlite_url
from protocols.storage.disk_floor import DiskFloor
from protocols.storage.run_lock import RunLock
from protocols.tracing.otlp import open_export
from protocols.tracing.settings import OFF, TracingSettings
from protocols.wire.messages import Health
from protocols.wire.topics import EVERY_CAMPAIGN, instrument_status_filters, simulator_subscriptions
from simulators.executors.choice import make_executor
from simulators.faulty import faulty
from simulators.messages import status_message
from simulators.outbox import Change, Outbox
from simulators.service import SimulatorService
from simulators.settings import SimulatorSettings
from simulators.sole_of_its_id import SoleOfItsId
from simulators.tracing import EvaluationTraces

SERVICE: Final = "entropilot-simulator"

INSTANCE_DIGITS: Final = 12
"""Hexadecimal digits of an instance's name: 48 bits tell the memories of a lab apart."""


@contextmanager
def assemble_simulator(
    folder: Path,
    settings: SimulatorSettings,
    *,
    campaign: str | None,
    broker: BrokerSettings,
    knows_shares: bool = False,
    signing: Signing = UNSIGNED,
    is_over: Callable[[], bool] = lambda: False,
    tracing: TracingSettings = OFF,
    on_event: Callable[..., None] = lambda *_args, **_fields: None,
) -> Iterator[SimulatorService]:
    """Put a simulator together; hold the lock of its memory meanwhile.

    Args:
        folder: Where its memory lives.
        settings: Who it is.
        campaign: The campaign that it serves; None for every campaign on the broker.
        broker: Where the broker is.
        knows_shares: Whether the broker is known to give a request to "any" to one simulator alone, whichever MQTT it
            speaks. Of another one MQTT 3.1.1 does not say so; there one simulator serves "any".
        signing: Its key. With one it takes no request and no receipt that its agent has not signed.
        is_over: Whether the campaign is over, as far as who starts it knows; it also hears it from the agent.
        tracing: Where a trace of each attempt goes.
        on_event: For the log.

    Raises:
        StoreError: When its memory is in use or damaged, or its cache is somebody else's file.
    """
    advice = "end the other one, or give this one another --id"
    with RunLock(folder / f"{settings.id}.lock", holder=f"simulator {settings.id!r}", advice=advice):
        outbox = Outbox.open(sqlite_url(folder / f"{settings.id}.db"))
        try:
            instance = instance_of(folder, settings.id)
            link = _link(
                settings,
                broker,
                campaign,
                instance,
                signing,
                knows_shares=knows_shares,
                is_over=is_over,
                on_event=on_event,
            )
            executor, transport = faulty(make_executor(settings, on_event), link, settings.faults, on_event)
            with (
                closing(PoisonMessageGuard(folder / f"{settings.id}.in_process")) as poison_guard,
                _traced(settings, tracing, on_event) as on_commit,
            ):
                yield SimulatorService(
                    settings,
                    campaign=campaign,
                    outbox=outbox,
                    transport=transport,
                    executor=executor,
                    clock=_clock,
                    poison_guard=poison_guard,
                    disk=DiskFloor(folder, on_change=lambda reason: _tell_disk(on_event, reason)),
                    require_signatures=signing.has_keys,
                    on_event=on_event,
                    on_commit=on_commit,
                    instance=instance,
                )
        finally:
            outbox.close()


@contextmanager
def _traced(
    settings: SimulatorSettings, tracing: TracingSettings, on_event: Callable[..., None]
) -> Iterator[Callable[[Sequence[Change]], None]]:
    """Yield what makes spans of what is committed, and give them away at the end."""
    export = open_export(tracing, SERVICE, {"entropilot.instrument": settings.id})
    if export is None:
        yield lambda _changes: None
        return
    with closing(EvaluationTraces(export, settings.id, on_event=on_event)) as traces:
        yield traces.committed


def _tell_disk(on_event: Callable[..., None], reason: str) -> None:
    on_event("disk_is_nearly_full" if reason else "disk_has_room", **({"detail": reason} if reason else {}))


def instance_of(folder: Path, simulator: str) -> str:
    """Return the name of an instrument among those of its id: the same after every restart, another in another memory.

    Its client id is made of it, so that a broker keeps its session for it, and no other one takes its link away.
    """
    place = f"{socket.gethostname()}|{folder.resolve()}|{simulator}"
    return hashlib.sha256(place.encode()).hexdigest()[:INSTANCE_DIGITS]


def _link(
    settings: SimulatorSettings,
    broker: BrokerSettings,
    campaign: str | None,
    instance: str,
    signing: Signing,
    *,
    knows_shares: bool,
    is_over: Callable[[], bool],
    on_event: Callable[..., None],
) -> SoleOfItsId:
    """Return the link of an instrument, which gives way to another one of its id."""

    def ending() -> SessionEnd:
        if link.gave_way:
            return SessionEnd.ENDED
        return SessionEnd.CLEARED if is_over() or link.campaign_is_over else SessionEnd.KEPT

    shared = knows_shares or broker.version is not MqttVersion.V311
    served = campaign or EVERY_CAMPAIGN

    def will() -> Will:
        return signing.will(Will(*status_message(served, settings.id, Health.OFFLINE, _clock(), instance=instance)))

    session = MqttSession(
        broker,
        client_id=simulator_client_id(campaign, settings.id, instance),
        subscriptions=(
            *simulator_subscriptions(settings.id, campaign=campaign, shared=shared),
            *instrument_status_filters(settings.id, campaign=campaign),
        ),
        will=will,  # of its own for each connection
        ending=ending,
        on_event=on_event,
    )
    link = SoleOfItsId(
        SignedTransport(session, signing),
        simulator=settings.id,
        campaign=campaign,
        instance=instance,
        clock=_clock,
        require_signatures=signing.has_keys,
        giving_way=lambda: another_instrument(settings.id),
    )
    return link


def _clock() -> datetime:
    return datetime.now(UTC)
