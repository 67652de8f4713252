"""What brokers answer: the reason codes of MQTT 3.1.1 and 5 that mean something to us."""

from __future__ import annotations

from typing import Final

REFUSED_FOR_GOOD: Final = frozenset({4, 5, 133, 134, 135, 138, 140})
"""CONNACK codes that trying again cannot fix: bad client id, user or password, not authorised, banned."""

TAKEN_OVER: Final = 142
"""DISCONNECT code when another client of the same id connects."""

RETRY_PUBLISH: Final = frozenset({131, 147, 151})
"""PUBACK codes of a passing fault: unspecified by the broker, receive maximum, quota."""

NO_SUBSCRIBERS: Final = 16
"""PUBACK code of a message that the broker took and gave to nobody: as good as lost, unless it is retained."""

REFUSALS_FROM: Final = 128
"""MQTT 5 reason codes from here on are failures; SUBACK of 3.1.1 uses the same number."""


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
        132: "unsupported protocol version", 133: "client id not valid", 134: "bad user name or password",
        135: "not authorised", 138: "banned", 140: "bad authentication method", 144: "topic name not valid",
        149: "packet too large", 151: "quota exceeded", 153: "payload format not valid", 128: "refused",
    }  # fmt: skip
    return f"{names.get(code, 'refused')} (code {code})"
