"""Keys of a small lab: an agent, two instruments, an operator."""

from __future__ import annotations

import hashlib
from typing import Final

from protocols.signing.key_ring import KeyRing
from protocols.signing.transport import Signing


def key_of(name: str) -> bytes:
    """Return the key of a part: the same in every test, and another for each name."""
    return hashlib.sha256(f"key of {name}".encode()).digest()


RING: Final = KeyRing(
    key_of("agent"),
    {name: key_of(name) for name in ("simulator-1", "sim-1", "furnace")},
    {"alice": key_of("alice")},
)
"""All the keys, as the agent has them."""

SIGNING: Final = Signing(RING)
"""How the agent signs; `part_of` says how the others do."""
