"""Which MQTT the broker speaks, whether it lets us in, and what it says of its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocols.link.broker_limits import BrokerLimits
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.client import MAX_PACKET_BYTES, SESSION_EXPIRY_S
from protocols.link.codes import LinkState
from protocols.link.failures import WITHOUT_WEBSOCKET
from protocols.wire.limits import MAX_PAYLOAD_BYTES
from scenarios.doctor.checks import Check, failed, of_error, passed, warned
from scenarios.doctor.probe import NotLetIn, Probe

OF_CREDENTIALS: Final = frozenset({LinkState.LOGIN_REFUSED})
"""States that say that the broker knows who we are, and does not let us in."""

SLOW_S: Final = 0.5
"""A round trip that takes longer makes a campaign wait [s]: each result needs some five."""


@dataclass(frozen=True, slots=True)
class Login:
    """What came of greeting the broker.

    Attributes:
        checks: What was found.
        version: The MQTT with which it lets us in; None where it does not.
    """

    checks: tuple[Check, ...]
    version: MqttVersion | None = None


async def log_in(settings: BrokerSettings) -> Login:
    """Greet the broker with each MQTT that the settings allow, until it lets us in."""
    refusals: list[tuple[MqttVersion, NotLetIn]] = []
    for version in _allowed(settings.version):
        try:
            async with Probe.let_in(settings, version) as probe:
                found = (*_versions(version, refusals), _let_in(settings), *judge_limits(probe.limits, version))
                return Login(found, version)
        except NotLetIn as refusal:
            refusals.append((version, refusal))
            if not refusal.reached or refusal.failure.state in OF_CREDENTIALS:
                break
    return Login(tuple(_not_let_in(settings, refusals)))


def judge_limits(limits: BrokerLimits, version: MqttVersion) -> list[Check]:
    """Return what the limits of a broker, as it says them on connecting, mean for a campaign."""
    if version is MqttVersion.V311:
        return [passed("limits", "over MQTT 3.1.1 no broker tells its limits")]
    checks = []
    if (lack := limits.lacks(("+/#",), retains=True)) is not None:
        checks.append(failed("limits", lack, "let the broker's settings allow it, or use another broker"))
    if limits.max_packet_bytes is not None and limits.max_packet_bytes < MAX_PAYLOAD_BYTES:
        checks.append(
            warned(
                "limits",
                f"it takes packets of at most {limits.max_packet_bytes:,} bytes, and messages with large cells have "
                f"{MAX_PAYLOAD_BYTES:,}",
                f"let it take {MAX_PACKET_BYTES:,} bytes (Mosquitto: max_packet_size)",
            )
        )
    if not limits.takes_shared:
        checks.append(
            warned(
                "limits",
                "it knows no shared subscriptions: a request to `any` reaches every instrument",
                "name instruments in campaign.recipients",
            )
        )
    if limits.session_expiry_s is not None and limits.session_expiry_s < SESSION_EXPIRY_S:
        checks.append(
            warned(
                "limits",
                f"it keeps what waits for us for {limits.session_expiry_s:,} s, and we ask for {SESSION_EXPIRY_S:,}",
                "let it keep sessions longer, or see to it that no part is away so long",
            )
        )
    said = "; ".join(limits.in_words())
    return checks or [passed("limits", said or "it says of none")]


def judge_round_trip(seconds: float) -> Check:
    """Return what the time from a packet to its answer means [s]."""
    words = f"{seconds * 1000:,.1f} ms from a packet to its answer"
    if seconds > SLOW_S:
        return warned("round_trip", words, "use a broker that is nearer, or a larger campaign.parallel")
    return passed("round_trip", words)


def _allowed(version: MqttVersion) -> tuple[MqttVersion, ...]:
    return (MqttVersion.V5, MqttVersion.V311) if version is MqttVersion.AUTO else (version,)


def _versions(taken: MqttVersion, refusals: list[tuple[MqttVersion, NotLetIn]]) -> list[Check]:
    if not refusals:
        return [passed("mqtt_version", f"MQTT {taken.value}")]
    version, refusal = refusals[0]
    return [
        warned(
            "mqtt_version",
            f"MQTT {taken.value}, and not {version.value}: {refusal.failure.reason}",
            f'set broker.version = "{taken.value}" to spare each start the question; a denied message is then not told',
        )
    ]


def _let_in(settings: BrokerSettings) -> Check:
    address = settings.address()
    who = f"as {address.username!r}" if address.username else "without a user name"
    by = " by our certificate" if settings.cert_file is not None else ""
    return passed("credentials", f"let in {who}{by}")


def _not_let_in(settings: BrokerSettings, refusals: list[tuple[MqttVersion, NotLetIn]]) -> list[Check]:
    address = settings.address()
    version, refusal = refusals[-1]
    failure = refusal.failure
    if not refusal.reached:
        name = "websocket" if address.scheme in WITHOUT_WEBSOCKET else "tls"
        if failure.error is not None:
            return [of_error(name, failure.error)]
        return [failed(name, failure.reason, failure.advice)]
    if failure.state in OF_CREDENTIALS and failure.error is not None:
        spoken = passed("mqtt_version", f"MQTT {version.value}")
        return [spoken, of_error("credentials", failure.error)]
    tried = "; ".join(f"MQTT {each.value}: {why.failure.reason}" for each, why in refusals)
    return [failed("mqtt_version", tried, failure.advice)]
