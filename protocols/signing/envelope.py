"""How signatures travel: beside the payload as MQTT 5 user properties, or in an envelope around it.

Over MQTT 5 each signature is a user property `entropilot-signature` of the words "name digits", and the payload stays
as it is. Where no properties travel, the payload is a string in an object:

    {"entropilot_signed": 1, "signatures": {"furnace": "3f0c…"}, "payload": "…"}

What is no UTF-8 stands as `base64` in place of `payload`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from protocols.link.properties import USER_PROPERTIES
from protocols.link.transport import UserProperties
from protocols.signing.signature import Signatures
from protocols.wire.limits import MAX_ENVELOPE_BYTES, MAX_SIGNATURES
from protocols.wire.messages import ID_PATTERN

SIGNATURE_PROPERTY: Final = "entropilot-signature"
"""Name of the user property that holds a signature."""

ENVELOPE_MARK: Final = "entropilot_signed"
"""Member that makes an object an envelope; its value is the version."""

ENVELOPE_VERSION: Final = 1

_MARK: Final = f'"{ENVELOPE_MARK}"'.encode()
_NAME: Final = re.compile(ID_PATTERN)
_DIGITS: Final = re.compile(r"[0-9a-f]{64}")


class UnreadableSignature(ValueError):
    """What looks like a signature or an envelope and cannot be read; the text says why."""


def wrap(payload: bytes, signatures: Signatures) -> bytes:
    """Return an envelope around a payload."""
    content: dict[str, Any] = {ENVELOPE_MARK: ENVELOPE_VERSION, "signatures": dict(signatures)}
    try:
        content["payload"] = payload.decode()
    except UnicodeDecodeError:
        content["base64"] = base64.b64encode(payload).decode()
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def unwrap(payload: bytes) -> tuple[bytes, Signatures] | None:
    """Return what an envelope holds, and its signatures; None of what is no envelope.

    Raises:
        UnreadableSignature: When it says that it is one, and cannot be read as one.
    """
    if _MARK not in payload:
        return None
    if len(payload) > MAX_ENVELOPE_BYTES:
        raise UnreadableSignature(f"an envelope of {len(payload)} bytes; expected at most {MAX_ENVELOPE_BYTES}")
    try:
        content = from_json(payload)  # which takes no half of a surrogate pair
    except ValueError:
        return None
    if not isinstance(content, dict) or ENVELOPE_MARK not in content:
        return None
    if content[ENVELOPE_MARK] != ENVELOPE_VERSION or isinstance(content[ENVELOPE_MARK], bool):
        raise UnreadableSignature(f"an envelope of version {str(content[ENVELOPE_MARK])[:20]!r}; expected 1")
    if len(content) != 3 or "signatures" not in content:  # noqa: PLR2004 - the mark, the signatures, the payload
        raise UnreadableSignature("an envelope holds entropilot_signed, signatures, and payload or base64")
    return _payload_of(content), _checked(content["signatures"])


def as_properties(signatures: Signatures) -> UserProperties:
    """Return signatures as user properties."""
    return tuple((SIGNATURE_PROPERTY, f"{name} {digits}") for name, digits in signatures.items())


def of_properties(properties: Mapping[str, Any]) -> Signatures:
    """Return the signatures among the properties of a message, as `properties_of` gives them.

    Raises:
        UnreadableSignature: When one cannot be read.
    """
    words = [value for name, value in properties.get(USER_PROPERTIES, ()) if name == SIGNATURE_PROPERTY]
    if not words:
        return {}
    pairs = [tuple(each.split(" ")) for each in words[: MAX_SIGNATURES + 1]]
    if not all(len(pair) == 2 for pair in pairs):  # noqa: PLR2004 - a name and its digits
        raise UnreadableSignature(f"a user property {SIGNATURE_PROPERTY}; expected a name and 64 hexadecimal digits")
    signatures = _checked(dict(pairs))
    if len(signatures) != len(words):
        raise UnreadableSignature("two signatures of one name")
    return signatures


def _payload_of(content: dict[str, Any]) -> bytes:
    match content:
        case {"payload": str(text)}:
            return text.encode()
        case {"base64": str(text)}:
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                raise UnreadableSignature("the payload in an envelope is no base64") from None
        case _:
            raise UnreadableSignature("the payload in an envelope is no string")


def _checked(found: object) -> Signatures:
    """Return signatures of whatever was found, each under a name that a part can have."""
    if not isinstance(found, dict) or not 0 < len(found) <= MAX_SIGNATURES:
        raise UnreadableSignature(f"signatures are an object of 1 to {MAX_SIGNATURES} members")
    for name, digits in found.items():
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            raise UnreadableSignature(f"a signature for {str(name)[:40]!r}, which is no id")
        if not (isinstance(digits, str) and _DIGITS.fullmatch(digits)):
            raise UnreadableSignature(f"the signature for {name!r} is not 64 hexadecimal digits")
    return found
