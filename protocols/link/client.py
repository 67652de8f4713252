"""Makes the client of one connection, and lets it leave: what CONNECT, SUBSCRIBE, DISCONNECT and our properties say."""

from __future__ import annotations

import logging
import socket
from typing import Any, Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers
from paho.mqtt.subscribeoptions import SubscribeOptions

from protocols.link.broker_limits import ENCODED_LENGTH
from protocols.link.broker_settings import BrokerAddress, BrokerSettings, MqttVersion
from protocols.link.tls import PLAIN, tls_context
from protocols.link.transport import UserProperties, Will
from protocols.wire.limits import MAX_ENVELOPE_BYTES, MAX_QUEUED_INCOMING, RECEIVE_MAXIMUM

SESSION_EXPIRY_S: Final = 7 * 86_400
"""How long a broker keeps our queue while we are away: over a long weekend."""

LISTENER_EXPIRY_S: Final = 120
"""How long it keeps that of a listener: over a link that fixes itself, and not for one who has gone."""

NOT_KEPT_S: Final = 0
"""It keeps nothing: the session ends with the connection."""

MAX_PACKET_BYTES: Final = MAX_ENVELOPE_BYTES + 4096
"""Largest packet that we let a broker send us: an envelope, its topic and headers. Larger ones never reach memory."""

_PAIR: Final = b"\x26%b%b%b%b"
"""A user property: name and value, each after its length (MQTT 5, 3.3.2.3.7)."""

_TABLES: Final = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]


def new_client(
    settings: BrokerSettings,
    address: BrokerAddress,
    client_id: str,
    version: MqttVersion,
    *,
    expiry_s: int,
    timeout_s: float,
    will: Will | None = None,
) -> aiomqtt.Client:
    """Return a client that has not connected yet.

    Args:
        settings: Of the broker.
        address: Where it is, and as whom to connect.
        client_id: Under which the broker knows us.
        version: 5 or 3.1.1.
        expiry_s: How long the broker keeps our queue. `NOT_KEPT_S` also ends the session that it has kept. MQTT 3.1.1
            knows no such time: there a session is kept for ever, but for a listener's.
        timeout_s: How long each answer of the broker may take.
        will: The last will, retained.

    Raises:
        SettingsError: When a file of TLS is of no use.
    """
    options: dict[str, Any] = {}
    if version is MqttVersion.V5:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = expiry_s
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        clean = expiry_s == NOT_KEPT_S
        options |= {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": clean, "properties": properties}
    else:
        options |= {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": expiry_s <= LISTENER_EXPIRY_S}
    if address.scheme in PLAIN:
        options["tls_context"] = tls_context(settings)
    if address.scheme in {"ws", "wss"}:
        options |= {"transport": "websockets", "websocket_path": address.path}
    else:
        options["socket_options"] = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    return aiomqtt.Client(
        address.host,
        address.port,
        identifier=client_id,
        username=address.username,
        password=None if address.password is None else address.password.get_secret_value(),
        keepalive=settings.keepalive_s,
        timeout=timeout_s,
        max_queued_incoming_messages=MAX_QUEUED_INCOMING,
        will=None if will is None else _will(will, version),
        logger=_QUIET,
        **options,
    )


def leave(client: aiomqtt.Client, version: MqttVersion, *, for_good: bool) -> None:
    """Send a DISCONNECT; over MQTT 5 it can tell the broker to forget our session."""
    properties = None
    if for_good and version is MqttVersion.V5:
        properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = NOT_KEPT_S
    client._client.disconnect(properties=properties)  # noqa: SLF001 - aiomqtt has no call for it


def wanted_of(filters: tuple[str, ...], version: MqttVersion, *, retain_as_published: bool) -> Any:
    """Return what a SUBSCRIBE asks for.

    Args:
        filters: Of topics.
        version: 5 or 3.1.1.
        retain_as_published: Whether what comes says if it was published to be retained; MQTT 3.1.1 cannot say it.
    """
    if version is MqttVersion.V311:
        return [(topic, 1) for topic in filters]
    return [(topic, SubscribeOptions(qos=1, retainAsPublished=retain_as_published)) for topic in filters]


def with_user_properties(packet: int, user_properties: UserProperties) -> Properties | None:
    """Return the properties of a packet of ours; None where there are none.

    Args:
        packet: paho's number of its type.
        user_properties: As name and value.
    """
    return PackedProperties(packet, user_properties) if user_properties else None


def packed_bytes(properties: Properties | None) -> int:
    """Return the size of properties in a packet of MQTT 5, their length before them included [byte]."""
    return 1 if properties is None else len(properties.pack())  # type: ignore[no-untyped-call]


def _will(will: Will, version: MqttVersion) -> aiomqtt.Will:
    if version is MqttVersion.V311:
        return aiomqtt.Will(will.topic, will.without_properties, qos=1, retain=True)
    properties = with_user_properties(PacketTypes.WILLMESSAGE, will.user_properties)
    return aiomqtt.Will(will.topic, will.payload, qos=1, retain=True, properties=properties)


class PackedProperties(Properties):
    """The user properties of a packet of ours, packed once.

    paho's own class writes its tables of names and types anew for each packet, and looks through them all to pack a
    single one: that takes several times as long as a signature.

    Args:
        packet: paho's number of the packet's type.
        pairs: As name and value.
    """

    types, names, properties = _TABLES.types, _TABLES.names, _TABLES.properties
    _packed: bytes

    def __init__(self, packet: int, pairs: UserProperties) -> None:
        content = b""
        for name, value in pairs:
            named, valued = name.encode(), value.encode()
            content += _PAIR % (len(named).to_bytes(2, "big"), named, len(valued).to_bytes(2, "big"), valued)
        size = len(content)
        packed = (bytes((size,)) if size < ENCODED_LENGTH[0] else _length(size)) + content
        self.__dict__.update(packetType=packet, UserProperty=list(pairs), _packed=packed)  # not by paho's tables

    def pack(self) -> bytes:
        """Return them as they stand in the packet, after their length."""
        return self._packed


def _length(size: int) -> bytes:
    encoded: bytes = VariableByteIntegers.encode(size)  # type: ignore[no-untyped-call]
    return encoded


_QUIET: Final = logging.getLogger("entropilot.mqtt")
_QUIET.setLevel(logging.CRITICAL)  # paho's errors of a lost socket; our own `link_down` says it
