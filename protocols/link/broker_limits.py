"""What a broker says on connecting (CONNACK of MQTT 5, 3.2.2.3) that it takes, and what of it we cannot do without.

A broker of MQTT 3.1.1 says nothing of the kind, and ends the connection of who goes beyond: `dropped_packets.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from protocols.link.transport import PublishRefused

QOS_WE_NEED: Final = 1
"""Each message is confirmed."""

SHARED: Final = "$share/"
"""How the filter of a shared subscription begins."""

ENCODED_LENGTH: Final = (128, 16_384, 2_097_152)
"""From so many bytes on the length of a packet takes a byte more than the first one (MQTT 5, 1.5.5)."""


@dataclass(frozen=True, slots=True)
class BrokerLimits:
    """What a broker takes; the defaults are those of one that says nothing."""

    max_packet_bytes: int | None = None
    """Largest packet that it takes [byte]."""
    receive_maximum: int | None = None
    """Most messages that we may send it before it has confirmed the first."""
    maximum_qos: int = 2
    keeps_retained: bool = True
    takes_wildcards: bool = True
    takes_shared: bool = True
    keepalive_s: int | None = None
    """Keep-alive that it wants instead of ours [s]."""
    session_expiry_s: int | None = None
    """How long it keeps our queue, instead of as long as we asked [s]."""

    def in_words(self) -> tuple[str, ...]:
        """Return what it said, for the log."""
        said = (
            (self.max_packet_bytes, f"packets of at most {self.max_packet_bytes} bytes"),
            (self.receive_maximum, f"at most {self.receive_maximum} messages unconfirmed"),
            (self.keepalive_s, f"a word every {self.keepalive_s} s"),
            (self.session_expiry_s is not None, f"our queue is kept for {self.session_expiry_s} s"),
            (self.maximum_qos < 2, f"QoS {self.maximum_qos} at most"),  # noqa: PLR2004 - the highest there is
            (not self.keeps_retained, "nothing is retained"),
            (not self.takes_wildcards, "no filters with + or #"),
            (not self.takes_shared, "no shared subscriptions"),
        )
        return tuple(words for was_said, words in said if was_said)

    def lacks(self, filters: tuple[str, ...], *, retains: bool) -> str | None:
        """Tell what of it we cannot do without.

        Args:
            filters: What we subscribe to.
            retains: Whether we publish what is to be retained.
        """
        if self.maximum_qos < QOS_WE_NEED:
            return f"it confirms no messages (QoS {self.maximum_qos} at most)"
        if retains and not self.keeps_retained:
            return "it keeps no retained messages"
        if not self.takes_wildcards and (wild := next((each for each in filters if "+" in each or "#" in each), None)):
            return f"it takes no filter with + or #, such as {wild!r}"
        return None

    def granted(self, filters: tuple[str, ...]) -> tuple[str, ...]:
        """Return filters as it takes them: shared ones as plain ones where it shares nothing."""
        if self.takes_shared:
            return filters
        return tuple(each.split("/", 2)[2] if each.startswith(SHARED) else each for each in filters)


def limits_of(properties: Any) -> BrokerLimits:
    """Return what a CONNACK says.

    Args:
        properties: paho's properties; None, or empty, where the MQTT version has none.
    """

    def told(name: str, default: Any) -> Any:
        return getattr(properties, name, default)

    return BrokerLimits(
        max_packet_bytes=told("MaximumPacketSize", None),
        receive_maximum=told("ReceiveMaximum", None),
        maximum_qos=told("MaximumQoS", 2),
        keeps_retained=bool(told("RetainAvailable", 1)),
        takes_wildcards=bool(told("WildcardSubscriptionAvailable", 1)),
        takes_shared=bool(told("SharedSubscriptionAvailable", 1)),
        keepalive_s=told("ServerKeepAlive", None),
        session_expiry_s=told("SessionExpiryInterval", None),
    )


def too_large(topic: str, size_bytes: int, largest_bytes: int) -> PublishRefused:
    """Return the error of a packet that is larger than the broker takes, and is not sent [byte]."""
    return PublishRefused(
        topic,
        f"its packet of {size_bytes} bytes is larger than the broker takes, at most {largest_bytes} bytes",
        expected="a broker that takes packets as large as ours",
        action="raise the broker's largest packet size (Mosquitto: max_packet_size), or use another broker",
    )


def packet_bytes(topic: str, payload: bytes, properties_bytes: int) -> int:
    """Return the size of a PUBLISH of QoS 1 [byte].

    Args:
        topic: Its topic.
        payload: Its payload.
        properties_bytes: Size of its properties with their length; 0 over MQTT 3.1.1, 1 where there are none.
    """
    content = 2 + len(topic.encode()) + 2 + properties_bytes + len(payload)
    return 2 + sum(content >= each for each in ENCODED_LENGTH) + content
