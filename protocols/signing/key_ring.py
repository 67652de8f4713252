"""The keys that a part holds, and which of them a topic asks for.

    request, receipt            the instrument's key: the agent speaks to it
    receipt of a control        the operator's key, likewise
    request to "any", announce  the keys of all instruments, a signature each: whoever takes it finds its own
    result, failure, status, capabilities  the instrument's key: it speaks to the agent
    status of the agent, metrics, state of the campaign  the agent's key
    control of an operator      the operator's key

A topic tells which way a message goes, and a signature covers the topic: so one key serves both directions, and none
lets an instrument speak for another, nor for the agent to another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from protocols.wire.topics import AGENT_CLIENT, ANY_SIMULATOR, Channel, Topic

KEY_BYTES: Final = 32
"""Length of a key [byte]: as long as what SHA-256 gives, beyond which a longer one gains nothing (RFC 2104)."""

_OF_THE_AGENT: Final = (Channel.REQUEST, Channel.RECEIPT, Channel.METRICS, Channel.CAMPAIGN, Channel.ANNOUNCE)
"""On which nobody else speaks."""

_NONE: Final[Mapping[str, bytes]] = {}


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that a part holds; a part that holds none signs nothing and looks at no signature.

    Attributes:
        agent: The agent's own key.
        instruments: Key of each instrument, by id.
        operators: Key of each operator, by id; no id is both.
        known: Keys of the topics that were signed on, as they were found.
    """

    agent: bytes | None = field(default=None, repr=False)
    instruments: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    operators: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    known: dict[str, Mapping[str, bytes]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is no key at all."""
        return self.agent is None and not self.instruments and not self.operators

    @property
    def names(self) -> frozenset[str]:
        """Whose keys it holds."""
        own = {AGENT_CLIENT} if self.agent is not None else set()
        return frozenset(own | self.instruments.keys() | self.operators.keys())

    def part_of(self, name: str) -> Self:
        """Return what one instrument or operator gets: its own key and nothing else."""

        def own(keys: Mapping[str, bytes]) -> Mapping[str, bytes]:
            return {name: keys[name]} if name in keys else {}

        return type(self)(None, own(self.instruments), own(self.operators))

    def keys_on(self, topic: Topic) -> Mapping[str, bytes]:
        """Return the keys under which a message on a topic is signed, by the name that its signature has."""
        client = topic.client
        match topic.channel:
            case Channel.METRICS | Channel.CAMPAIGN:
                return self._agents()
            case Channel.STATUS if client == AGENT_CLIENT:
                return self._agents()
            case Channel.REQUEST | Channel.ANNOUNCE if client in {ANY_SIMULATOR, None}:
                return self.instruments
            case Channel.CONTROL | Channel.RECEIPT if topic.channel is Channel.CONTROL or client in self.operators:
                return _one(self.operators, client)
            case _:
                return _one(self.instruments, client)

    def _agents(self) -> Mapping[str, bytes]:
        return _NONE if self.agent is None else {AGENT_CLIENT: self.agent}


def speaker_on(topic: Topic) -> str:
    """Return who speaks on a topic; nothing where it does not say, as on the operators' common one."""
    return AGENT_CLIENT if topic.channel in _OF_THE_AGENT else topic.client or ""


def _one(keys: Mapping[str, bytes], name: str | None) -> Mapping[str, bytes]:
    key = None if name is None else keys.get(name)
    return _NONE if name is None or key is None else {name: key}
