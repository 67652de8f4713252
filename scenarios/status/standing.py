"""Where the campaigns of a broker stand, made of what is retained there. Pure.

What is there was written by others: what cannot be read is counted, and nothing of it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols.errors import MessageError
from protocols.wire.codec import decode
from protocols.wire.messages import CampaignState, Status
from protocols.wire.topics import AGENT_CLIENT, EVERY_CAMPAIGN, Channel, parse


@dataclass(slots=True)
class CampaignStanding:
    """What is known of one campaign.

    Attributes:
        campaign: Its name.
        state: Where it stands, as its agent said last; None where no such word is kept.
        agent: The agent's status; None where none is kept.
        instruments: Those of its instruments, by id.
    """

    campaign: str
    state: CampaignState | None = None
    agent: Status | None = None
    instruments: dict[str, Status] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BrokerStanding:
    """What is known of a broker.

    Attributes:
        broker: Where it is, for people.
        campaigns: By name, in order.
        for_every_campaign: Instruments that serve every campaign, by id.
        unreadable: How many retained messages of ours could not be read.
        notes: What a person should know besides.
        gives_wildcards: Whether it gives what it retains to whoever subscribes to several topics at once; None where
            that cannot be told.
    """

    broker: str
    campaigns: tuple[CampaignStanding, ...]
    for_every_campaign: Mapping[str, Status] = field(default_factory=dict)
    unreadable: int = 0
    notes: tuple[str, ...] = ()
    gives_wildcards: bool | None = None


def standing_of(retained: Mapping[str, bytes]) -> tuple[tuple[CampaignStanding, ...], Mapping[str, Status], int]:
    """Return where each campaign stands, who serves every one, and how much could not be read.

    Args:
        retained: Payload by topic; topics of others are passed over.
    """
    found: dict[str, CampaignStanding] = {}
    for_every: dict[str, Status] = {}
    unreadable = 0
    for topic, payload in sorted(retained.items()):
        try:
            parsed = parse(topic)
        except MessageError:
            continue
        if parsed.channel not in {Channel.CAMPAIGN, Channel.STATUS}:
            continue
        try:
            message = decode(topic, payload)
        except MessageError:
            unreadable += 1
            continue
        each = found.setdefault(parsed.campaign, CampaignStanding(parsed.campaign))
        match message:
            case CampaignState():
                each.state = message
            case Status() if parsed.campaign == EVERY_CAMPAIGN:
                for_every[message.client] = message
            case Status() if message.client == AGENT_CLIENT:
                each.agent = message
            case Status():
                each.instruments[message.client] = message
            case _:
                unreadable += 1
    found.pop(EVERY_CAMPAIGN, None)
    return tuple(found[name] for name in sorted(found)), for_every, unreadable
