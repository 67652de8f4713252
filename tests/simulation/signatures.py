"""A lab whose messages are signed: who has which key, and what is tried against it by those who have none, or another.

Whatever is tried changes nothing, but for a genuine message that is sent again: that one may be news to who had not got
it, and what it tells is true.
"""

from __future__ import annotations

import hashlib
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from protocols.link.memory.policy import Message
from protocols.signing.envelope import UnreadableSignature, unwrap, wrap
from protocols.signing.key_ring import KeyRing
from protocols.signing.signature import sign, signature
from protocols.signing.transport import UNSIGNED, Signing
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import (
    AnyMessage,
    CandidateFailure,
    CandidateRequest,
    CandidateResult,
    Control,
    ControlAction,
    FailureReason,
    Health,
    ReceiptStatus,
    ResultReceipt,
    Status,
)
from protocols.wire.topics import AGENT_CLIENT, Channel, parse
from tests.support.campaigns import PROPERTY, quantity

OPERATOR: Final = "alice"
"""Who gives the orders, where they are signed."""

SIGNED_SHARE: Final = 0.25
"""Of the seeds, in how many everything is signed."""

MOST_OVERHEARD: Final = 200
"""Messages that a stranger remembers, to send them again or to change them."""

NO_SIGNATURE: Final = "0" * 64

Overheard = deque[Message]


def draw_signing(seed: int, simulators: Sequence[str]) -> Signing:
    """Draw whether a seed signs; from a generator of its own: what else a seed draws stays as it was."""
    rng = random.Random(f"signing-{seed}")
    if rng.random() >= SIGNED_SHARE:
        return UNSIGNED
    return Signing(
        KeyRing(
            key_of(seed, AGENT_CLIENT),
            {each: key_of(seed, each) for each in simulators},
            {OPERATOR: key_of(seed, OPERATOR)},
        )
    )


def key_of(seed: int, name: str) -> bytes:
    """Return a key that the seed gives."""
    return hashlib.sha256(f"key {seed} {name}".encode()).digest()


def enveloped(signing: Signing, topic: str, payload: bytes) -> bytes:
    """Return a message as a part with these keys sends it."""
    signatures = sign(signing.ring, topic, payload)
    return wrap(payload, signatures) if signatures else payload


def is_signed(payload: bytes) -> bool:
    """Tell whether a message that was sent carries signatures."""
    return unwrap(payload) is not None


def says_the_same(damaged: bytes, original: bytes) -> bool:
    """Tell whether somebody takes it for what it was: the payload and one of its signatures are as before.

    A request to whoever is free has one for each instrument, who looks at no other.
    """
    try:
        found, sent = unwrap(damaged), unwrap(original)
    except UnreadableSignature:
        return False
    if found is None or sent is None or found[0] != sent[0]:
        return False
    return any(found[1].get(name) == digits for name, digits in sent[1].items())


@dataclass(frozen=True, slots=True)
class Forger:
    """Somebody who hears everything and has no key of those in whose name he speaks.

    Attributes:
        rng: Chooses.
        signing: All keys; of them another instrument's is used, and what the right ones signed elsewhere.
        campaign: The agent's.
        overheard: What was sent.
    """

    rng: random.Random
    signing: Signing
    campaign: str
    overheard: Overheard

    def forged(self, simulator: str, attempts: Sequence[tuple[str, str, str]], now: datetime) -> tuple[str, str, bytes]:
        """Make a message that is valid in every respect but its signature.

        Args:
            simulator: The instrument that it is about.
            attempts: Attempt, candidate and recipient of requests that were made.
            now: For the common fields.

        Returns:
            Its kind, topic and payload.
        """
        topic, content = self._valid(simulator, attempts, now)
        kinds: dict[str, Callable[[], tuple[str, bytes]]] = {
            "no key": lambda: (topic, self._unsigned(topic, content)),
            "another key": lambda: (topic, self._signed_by_another(topic, content)),
            "moved": lambda: (topic, self._signed_elsewhere(topic, content)),
            "changed": lambda: self._changed() or (topic, content),
        }
        kind = self.rng.choice(sorted(kinds))
        return kind, *kinds[kind]()

    def _unsigned(self, topic: str, content: bytes) -> bytes:
        return self.rng.choice((content, wrap(content, dict.fromkeys(self._wanted(topic), NO_SIGNATURE))))

    def _signed_by_another(self, topic: str, content: bytes) -> bytes:
        wanted = self._wanted(topic)
        others = [key for name, key in self.signing.ring.instruments.items() if name not in wanted]
        key = self.rng.choice([*others, b"a stranger's own"])
        return wrap(content, dict.fromkeys(wanted, signature(key, topic, content)))

    def _signed_elsewhere(self, topic: str, content: bytes) -> bytes:
        """Sign with the right keys, as if they had said it in another campaign."""
        elsewhere = topic.replace(f"/{self.campaign}/", "/another/")
        return wrap(content, sign(self.signing.ring, elsewhere, content))

    def _changed(self) -> tuple[str, bytes] | None:
        """Change what somebody said, and leave his signatures."""
        found = self.rng.choice(self.overheard) if self.overheard else None
        genuine = None if found is None else unwrap(found.payload)
        if found is None or genuine is None:
            return None
        content, signatures = genuine
        return found.topic, wrap(content.replace(b'"value":', b'"value":1') + b" ", signatures)

    def _wanted(self, topic: str) -> list[str]:
        return list(self.signing.ring.keys_on(parse(topic)))

    def _valid(self, simulator: str, attempts: Sequence[tuple[str, str, str]], now: datetime) -> tuple[str, bytes]:
        """Return a message that would change something, if its sender were believed."""
        rng = self.rng
        attempt, candidate, _ = rng.choice(attempts) if attempts else ("0a1b2c3d-d000000-0-a1", "c000", simulator)
        number = rng.randrange(10**9)
        common: dict[str, Any] = {"campaign": self.campaign, "message_id": f"forged-{number}", "sent_at": now}
        whose: dict[str, Any] = {"attempt_id": attempt, "candidate_id": candidate, "simulator": simulator}
        said: dict[str, Any] = {
            "attempt_id": attempt,
            "simulator": simulator,
            "status": rng.choice(list(ReceiptStatus)),
        }
        asked: dict[str, Any] = {
            "attempt_id": f"forged-{number}",
            "candidate_id": candidate,
            "decision": 0,
            "attempt": 1,
        }
        client = rng.choice((simulator, AGENT_CLIENT))
        spoken: dict[str, Any] = {"client": client, "role": "agent" if client == AGENT_CLIENT else "simulator"}
        made: list[AnyMessage] = [
            CandidateResult(**common, **whose, quantities=(quantity(4.25),), duration_s=1.0),
            CandidateFailure(**common, **whose, reason=FailureReason.UNSUPPORTED, detail="forged"),
            Status(**common, **spoken, health=rng.choice(list(Health))),
            Control(**common, operator=OPERATOR, action=rng.choice((ControlAction.STOP, ControlAction.PAUSE))),
            ResultReceipt(**common, **said),
            CandidateRequest(**common, **asked, family="f", properties=(PROPERTY,), deadline_s=10.0),
        ]
        message = rng.choice(made)
        return topic_of(message, recipient=simulator), encode(message)


def receiver_of(topic: str) -> str:
    """Return whom a message on a topic is for: the agent, or an instrument."""
    parsed = parse(topic)
    if parsed.channel in {Channel.REQUEST, Channel.RECEIPT} and parsed.client is not None:
        return parsed.client
    return AGENT_CLIENT
