"""The packets of MQTT 3.1.1 as a broker reads them: bytes in, values out. Pure; `writing` has those that it says.

Source: MQTT Version 3.1.1, OASIS Standard, 29 October 2014. Whatever breaks its rules is `Malformed`, and the
connection ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from scenarios.broker.embedded.limits import MAX_FILTER_BYTES, MAX_FILTERS, MESSAGE_BYTES

MQTT_3_1_1: Final = 4
"""The level of the protocol that is spoken."""

MAX_LENGTH_BYTES: Final = 4
"""Bytes of a packet's length: seven bits each."""

MORE: Final = 0x80
"""Bit of a length's byte: another one follows."""

SEVEN_BITS: Final = 0x7F
"""The bits of it that count."""


class Kind(IntEnum):
    """What a packet is."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


FLAGS: Final = {Kind.PUBREL: 2, Kind.SUBSCRIBE: 2, Kind.UNSUBSCRIBE: 2}
"""Flags that a kind must carry; the others but PUBLISH carry none."""


class Malformed(Exception):
    """A packet breaks the rules of the protocol, or ours."""


class OtherVersion(Malformed):
    """A client speaks another version of MQTT."""

    def __init__(self, level: int) -> None:
        self.level: Final = level
        super().__init__(f"level {level} of the protocol")


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, whole."""

    kind: Kind
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """What is published."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False

    @property
    def cost(self) -> int:
        """Memory that it takes [byte]."""
        return len(self.topic) + len(self.payload) + MESSAGE_BYTES


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a client says first."""

    client_id: str
    is_clean: bool
    keepalive_s: int
    will: Message | None
    username: str
    password: bytes


@dataclass(frozen=True, slots=True)
class Publication:
    """A message as a client hands it over; `number` is 0 where its quality is 0."""

    message: Message
    number: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters that a client subscribes to (each with the best quality that it takes), or unsubscribes from."""

    number: int
    filters: tuple[tuple[str, int], ...]


def header_of(first: int) -> tuple[Kind, int]:
    """Return a packet's kind and flags from its first byte.

    Raises:
        Malformed: When there is no such kind, or not with these flags.
    """
    try:
        kind = Kind(first >> 4)
    except ValueError:
        raise Malformed(f"a packet of kind {first >> 4}") from None
    flags = first & 0x0F
    if kind is not Kind.PUBLISH and flags != FLAGS.get(kind, 0):
        raise Malformed(f"a {kind.name} with flags {flags}")
    return kind, flags


def length_of(read: bytes) -> int | None:
    """Return a packet's length from the bytes of it that were read, or None while there are more.

    Raises:
        Malformed: When it does not end.
    """
    if read[-1] & MORE:
        if len(read) == MAX_LENGTH_BYTES:
            raise Malformed("a length that does not end")
        return None
    return sum((byte & SEVEN_BITS) << 7 * place for place, byte in enumerate(read))


def greeting_of(packet: Packet) -> Greeting:
    """Read a CONNECT.

    Raises:
        OtherVersion: When it is of another version of MQTT.
        Malformed: When it is none, or breaks the rules.
    """
    if packet.kind is not Kind.CONNECT:
        raise Malformed(f"a {packet.kind.name} before any CONNECT")
    body = _Body(packet.body)
    name, level = body.text(), body.number(1)
    if (name, level) != ("MQTT", MQTT_3_1_1):
        raise OtherVersion(level)
    flags, keepalive_s, client_id = body.number(1), body.number(2), body.text()
    has_name, has_password, has_will, is_clean = (bool(flags & bit) for bit in (0x80, 0x40, 0x04, 0x02))
    qos, retain = flags >> 3 & 3, bool(flags & 0x20)
    if flags & 1 or qos > 2 or (not has_will and (qos or retain)) or (has_password and not has_name):  # noqa: PLR2004
        raise Malformed(f"a CONNECT with flags {flags:#x}")
    will = Message(_lawful_topic(body.text()), body.counted(), qos, retain) if has_will else None
    username = body.text() if has_name else ""
    password = body.counted() if has_password else b""
    body.require_end()
    return Greeting(client_id, is_clean, keepalive_s, will, username, password)


def publication_of(packet: Packet) -> Publication:
    """Read a PUBLISH.

    Raises:
        Malformed: When it breaks the rules.
    """
    qos, retain = packet.flags >> 1 & 3, bool(packet.flags & 1)
    if qos > 2 or (qos == 0 and packet.flags & 8):  # noqa: PLR2004
        raise Malformed(f"a PUBLISH with flags {packet.flags}")
    body = _Body(packet.body)
    topic = _lawful_topic(body.text())
    number = body.packet_number() if qos else 0
    return Publication(Message(topic, body.rest(), qos, retain), number)


def number_of(packet: Packet) -> int:
    """Read the number of a PUBACK, PUBREC, PUBREL or PUBCOMP.

    Raises:
        Malformed: When it breaks the rules.
    """
    body = _Body(packet.body)
    number = body.packet_number()
    body.require_end()
    return number


def wanted_of(packet: Packet) -> Wanted:
    """Read a SUBSCRIBE or an UNSUBSCRIBE.

    Raises:
        Malformed: When it breaks the rules, or asks for more filters than one client may have.
    """
    body = _Body(packet.body)
    number = body.packet_number()
    filters: list[tuple[str, int]] = []
    while not filters or not body.is_at_end:
        name = body.text()
        qos = body.number(1) if packet.kind is Kind.SUBSCRIBE else 0
        if not is_filter(name) or qos > 2 or len(filters) == MAX_FILTERS:  # noqa: PLR2004
            raise Malformed(f"a {packet.kind.name} with filter {name[:MAX_FILTER_BYTES]!r}")
        filters.append((name, qos))
    return Wanted(number, tuple(filters))


def is_filter(text: str) -> bool:
    """Tell whether a text may be subscribed to."""
    levels = text.split("/")
    last = len(levels) - 1
    return 0 < len(text.encode()) <= MAX_FILTER_BYTES and all(
        level == "+" or (level == "#" and place == last) or not {"+", "#"} & set(level)
        for place, level in enumerate(levels)
    )


def _lawful_topic(topic: str) -> str:
    """Return a topic that may be published to: without wildcards, and not one of the broker's own.

    Raises:
        Malformed: When it is none.
    """
    if not 0 < len(topic.encode()) <= MAX_FILTER_BYTES or topic.startswith("$") or {"+", "#"} & set(topic):
        raise Malformed(f"topic {topic[:MAX_FILTER_BYTES]!r}")
    return topic


class _Body:
    """Reads a packet's body from its beginning to its end, and never beyond."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    @property
    def is_at_end(self) -> bool:
        return self._place == len(self._content)

    def take(self, count: int) -> bytes:
        begin, self._place = self._place, self._place + count
        if self._place > len(self._content):
            raise Malformed("a packet that ends too soon")
        return self._content[begin : self._place]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count))

    def packet_number(self) -> int:
        if (number := self.number(2)) == 0:
            raise Malformed("a packet with number 0")
        return number

    def counted(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        try:
            text = self.counted().decode()
        except UnicodeDecodeError:
            raise Malformed("a text that is not UTF-8") from None
        if "\0" in text:
            raise Malformed("a text with a zero")
        return text

    def rest(self) -> bytes:
        return self.take(len(self._content) - self._place)

    def require_end(self) -> None:
        if not self.is_at_end:
            raise Malformed("a packet with more than belongs to it")
