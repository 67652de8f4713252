"""Signatures: what they cover, how they are made, and whether one holds.

A signature is HMAC-SHA-256 (RFC 2104) of purpose, topic and payload, each after its length [8 byte, big-endian], so
that nothing can move from one to the next. It covers the exact bytes: nobody needs to agree on how JSON is written.
It does not cover the time: a genuine message that comes again is genuine, and the rules of the campaign make nothing
of it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from protocols.errors import MessageError
from protocols.signing.key_ring import KeyRing, speaker_on
from protocols.wire.codec import UNSIGNED_MESSAGE, WRONG_SIGNATURE
from protocols.wire.topics import Topic, parse

PURPOSE: Final = b"entropilot/signature/1"
"""What the key is used for: a signature of ours means nothing elsewhere, nor in another version."""

LENGTH_BYTES: Final = 8
"""How wide a length is written [byte]."""

MAX_KEYS_BEGUN: Final = 128
"""Keys whose beginning is remembered: the agent's, those of as many instruments as there may be, some operators'."""

MAX_TOPICS_KNOWN: Final = 256
"""Topics of ours whose keys are remembered: requests and receipts of each instrument, and a few more."""

UNPROVEN: Final = frozenset({WRONG_SIGNATURE, UNSIGNED_MESSAGE})
"""Reasons for which nobody gets a receipt: whom the message is from is just what is not known."""

Signatures = Mapping[str, str]
"""Name of the key -> signature, 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the signatures of a message found.

    Attributes:
        signed_by: Who signed it; empty where nobody did, or nobody looked.
        fault: Why a signature does not hold; empty where it does, or there is none.
    """

    signed_by: str = ""
    fault: str = ""


def signature(key: bytes, topic: str, payload: bytes) -> str:
    """Return the signature of a message, 64 hexadecimal digits."""
    mac = _begun(key).copy()
    named = topic.encode(errors="surrogatepass")
    mac.update(_length(named) + named + _length(payload) + payload)
    return mac.hexdigest()


@lru_cache(MAX_KEYS_BEGUN)
def _begun(key: bytes) -> hmac.HMAC:
    """Return the signature of a key as far as it is the same for all messages; to be copied.

    Beside the work of a loop, whose memory a processor's cache does not hold, beginning anew takes twice the time.
    """
    return hmac.new(key, _length(PURPOSE) + PURPOSE, "sha256")


def _length(part: bytes) -> bytes:
    return len(part).to_bytes(LENGTH_BYTES, "big")


def sign(ring: KeyRing, topic: str, payload: bytes) -> Signatures:
    """Return the signatures of a message of ours; none without a key for its topic."""
    keys = ring.known.get(topic)
    if keys is None:
        parsed = _parsed(topic)
        keys = {} if parsed is None else ring.keys_on(parsed)
        if len(ring.known) < MAX_TOPICS_KNOWN:
            ring.known[topic] = keys
    return {name: signature(key, topic, payload) for name, key in keys.items()}


def judge(ring: KeyRing, topic: str, payload: bytes, signatures: Signatures) -> Verdict:
    """Tell who signed a message.

    Args:
        ring: The keys at hand; with none nothing is looked at.
        topic: Where it came.
        payload: Its exact bytes.
        signatures: What it carries.
    """
    parsed = None if ring.is_empty or not signatures else _parsed(topic)
    if parsed is None:
        return Verdict()
    speaker = speaker_on(parsed)
    if not speaker:
        return Verdict(fault=f"{topic} names no operator; a signed control comes on {topic}/<operator>")
    keys = ring.keys_on(parsed)
    if not keys:
        return Verdict(fault=f"it is signed, and no key of {parsed.client or speaker!r} is known here")
    for name, key in keys.items():
        if name in signatures:
            if hmac.compare_digest(signature(key, topic, payload).encode(), signatures[name].encode()):
                return Verdict(signed_by=speaker)
            return Verdict(fault=f"its signature is not one of {name!r}: another key, or it was changed or moved")
    return Verdict(fault=f"it is signed for {_listed(signatures)}, and not for {_listed(keys)}")


class Judged(Protocol):
    """A message whose signatures were looked at: as it comes from a link, or from a recording."""

    @property
    def signed_by(self) -> str:
        """Who signed it; empty where nobody did, or nobody looked."""
        ...

    @property
    def signature_fault(self) -> str:
        """Why a signature does not hold; empty where it does, or there is none."""
        ...


def require_signature(message: Judged, *, always: bool) -> None:
    """Check that a message is of who it says; without keys, and without a signature, its topic says it alone.

    Args:
        message: As a `SignedTransport` brought it.
        always: Whether one that is not signed is refused as well.

    Raises:
        MessageError: With one of the reasons `UNPROVEN`.
    """
    if message.signature_fault:
        raise MessageError(WRONG_SIGNATURE, message.signature_fault)
    if always and not message.signed_by:
        raise MessageError(
            UNSIGNED_MESSAGE,
            "It is not signed",
            expected="a signature of who may speak on its topic; where we speak MQTT 3.1.1 and its sender 5, none "
            "arrives unless the sender sets signing.envelope",
        )


def _parsed(topic: str) -> Topic | None:
    try:
        return parse(topic)
    except MessageError:
        return None


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(repr(name) for name in list(names)[:3]) + (" …" if len(names) > 3 else "")  # noqa: PLR2004
