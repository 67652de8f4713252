"""What brokers answer, the reason codes of MQTT 3.1.1 and 5 that mean something to us, and what we call the outcome.

A link that does not stand is in a state of a name, for logs, scripts and `entropilot doctor`. Each ends by itself when
its cause is gone: once a broker has taken us, we look again until it does (`judge.py`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from protocols.errors import BrokerError

REFUSED_FOR_GOOD: Final = frozenset({4, 5, 133, 134, 135, 138, 140})
"""CONNACK codes that trying again cannot fix: bad client id, user or password, not authorised, banned."""

CLIENT_ID_NOT_VALID: Final = 133
"""CONNACK code of a broker that does not take our client id; MQTT 3.1.1 says 2, which paho translates."""

BEYOND_ITS_LIMITS: Final = frozenset({149, 154, 155})
"""CONNACK codes of a broker that cannot do what we need: packet too large, nothing retained, no QoS 1."""

VERSION_NOT_SPOKEN: Final = frozenset({1, 132})
"""CONNACK codes of a broker that does not speak the MQTT that we ask for."""

UNSPECIFIED: Final = 128
"""What paho says of a connection that ended without a word; a broker that says it says no more."""

TAKEN_OVER: Final = 142
"""DISCONNECT code when another client of the same id connects."""

RETRY_PUBLISH: Final = frozenset({131, 147, 151})
"""PUBACK codes of a passing fault: unspecified by the broker, receive maximum, quota."""

NO_SUBSCRIBERS: Final = 16
"""PUBACK code of a message that the broker took and gave to nobody: as good as lost, unless it is retained."""

REFUSALS_FROM: Final = 128
"""MQTT 5 reason codes from here on are failures; SUBACK of 3.1.1 uses the same number."""


class LinkState(StrEnum):
    """Why a link does not stand."""

    NAME_UNKNOWN = "name_unknown"
    """No address is known for the broker's name."""
    NOT_REACHED = "not_reached"
    """Nobody takes connections there, or nothing answers."""
    SILENT = "silent"
    """Connections are taken, and nothing is answered."""
    TLS_MISSING = "tls_missing"
    """We speak TLS and it does not: nothing is sent, for what is encrypted is never sent in the clear instead."""
    TLS_EXPECTED = "tls_expected"
    """It speaks TLS and we do not."""
    TLS_TOO_OLD = "tls_too_old"
    """It speaks only a TLS that is broken by now."""
    CERTIFICATE_NOT_TRUSTED = "certificate_not_trusted"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_REVOKED = "certificate_revoked"
    CERTIFICATE_OF_ANOTHER_NAME = "certificate_of_another_name"
    REVOCATIONS_UNKNOWN = "revocations_unknown"
    """The list of revoked certificates is not there, not its authority's, or out of date."""
    OUR_CERTIFICATE_WANTED = "our_certificate_wanted"
    """It asks for a certificate of ours, and takes none that we showed."""
    OUR_CERTIFICATE_EXPIRED = "our_certificate_expired"
    OUR_CERTIFICATE_REVOKED = "our_certificate_revoked"
    OUR_FILES_UNUSABLE = "our_files_unusable"
    """A certificate, a key or a password of ours cannot be had from where the settings say."""
    WEBSOCKETS_MISSING = "websockets_missing"
    """A server answers, and takes no WebSockets at that path."""
    VERSION_NOT_SPOKEN = "version_not_spoken"
    """It does not speak the MQTT that we ask for."""
    LOGIN_REFUSED = "login_refused"
    """It refuses our user, password or client id."""
    SUBSCRIPTION_REFUSED = "subscription_refused"
    MESSAGE_REFUSED = "message_refused"
    """It ends the connection whenever the same message is sent: it may be too large, or denied."""
    LIMITS_TOO_NARROW = "limits_too_narrow"
    """It cannot do what a campaign needs."""
    TAKEN_OVER = "taken_over"
    """Another client connected under our id."""
    ENDED = "ended"
    """It ended the connection and said why."""
    LOST = "lost"
    """The connection ended without a word."""


class LinkError(BrokerError):
    """A link that no waiting brings about before somebody changes something.

    Args:
        state: Why it does not stand.
    """

    def __init__(self, state: LinkState, found: str, *, expected: str, action: str) -> None:
        self.state = state
        super().__init__(found, expected=expected, action=action)


def is_final(code: int) -> bool:
    """Tell whether a PUBACK refuses a message for good."""
    return code >= REFUSALS_FROM and code not in RETRY_PUBLISH


def code_of(error: BaseException) -> int:
    """Return the broker's code; aiomqtt tells that of a lost connection as the cause of its own error."""
    code = code_value(getattr(error, "rc", None))
    return code_of(error.__cause__) if code < 0 and error.__cause__ is not None else code


def code_value(code: object) -> int:
    """Return the number of a reason code, of either MQTT version; -1 where there is none."""
    value = getattr(code, "value", code)
    return value if isinstance(value, int) else -1


def reason_text(code: int) -> str:
    """Return a code in words, with its number."""
    names = {
        1: "unsupported protocol version", 4: "bad user name or password", 5: "not authorised",
        128: "refused", 129: "malformed packet", 130: "protocol error", 131: "refused for a reason of its own",
        132: "unsupported protocol version", 133: "client id not valid", 134: "bad user name or password",
        135: "not authorised", 136: "server unavailable", 137: "server busy", 138: "banned",
        139: "server shutting down", 140: "bad authentication method", 141: "no word of ours for too long",
        142: "session taken over", 143: "topic filter not valid", 144: "topic name not valid",
        147: "too many messages unconfirmed", 149: "packet too large", 150: "message rate too high",
        151: "quota exceeded", 152: "ended by its administrator", 153: "payload format not valid",
        154: "nothing is retained", 155: "QoS not supported", 156: "use another server", 157: "server moved",
        158: "no shared subscriptions", 159: "connection rate exceeded", 162: "no filters with + or #",
    }  # fmt: skip
    return f"{names.get(code, 'refused')} (code {code})"
