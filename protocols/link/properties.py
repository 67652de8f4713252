"""What an MQTT 5 message says beside its payload, as JSON can hold it."""

from __future__ import annotations

import base64
from typing import Any, Final

USER_PROPERTIES: Final = "user_properties"
"""Our name of a sender's own properties, which are pairs."""

PUBLISHERS: Final = {
    "ContentType": "content_type",
    "ResponseTopic": "response_topic",
    "CorrelationData": "correlation_data",
    "UserProperty": USER_PROPERTIES,
    "MessageExpiryInterval": "message_expiry_s",
    "PayloadFormatIndicator": "payload_format",
}
"""paho's name -> ours, of what a publisher says; the rest is between a client and its broker."""


def properties_of(given: Any) -> dict[str, Any]:
    """Return a message's properties by our names; bytes in base64, user properties as pairs.

    Args:
        given: paho's properties; None where the MQTT version has none.
    """
    if given is None:
        return {}
    found = {ours: getattr(given, name) for name, ours in PUBLISHERS.items() if hasattr(given, name)}
    return {
        name: base64.b64encode(value).decode()
        if isinstance(value, bytes)
        else [list(pair) for pair in value]
        if isinstance(value, list)
        else value
        for name, value in found.items()
    }
