"""Every topic is built and parsed here and nowhere else.

    entropilot/v1/<campaign>/request/<recipient>     agent -> simulator; recipient is a simulator's id, or "any"
    entropilot/v1/<campaign>/result/<simulator>      simulator -> agent
    entropilot/v1/<campaign>/failure/<simulator>     simulator -> agent
    entropilot/v1/<campaign>/receipt/<simulator>     agent -> simulator, or operator of that id
    entropilot/v1/<campaign>/status/<client>         each client, retained, with a last will
    entropilot/v1/<campaign>/metrics                 agent, retained
    entropilot/v1/<campaign>/campaign                agent, retained: where the campaign stands
    entropilot/v1/<campaign>/capabilities/<simulator>  simulator, retained; also in place of every campaign
    entropilot/v1/<campaign>/announce                agent -> all simulators: say it again
    entropilot/v1/<campaign>/control/<operator>      operator -> agent
    entropilot/v1/<campaign>/control                 whoever may operate -> agent, where no signatures are required

The sender's id is a level of the topic, so that a broker's access list can pin each device to its own topics.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from protocols.errors import MessageError, invariant
from protocols.wire.limits import MAX_TOPIC_BYTES, PROTOCOL_VERSION
from protocols.wire.messages import ID_PATTERN

PREFIX: Final = f"entropilot/v{PROTOCOL_VERSION}"

ANY_SIMULATOR: Final = "any"
"""Recipient of a request that whichever simulator of the shared subscription may take."""

AGENT_CLIENT: Final = "agent"
"""The agent's level of the status topic: a campaign has one."""

EVERY_CAMPAIGN: Final = "every-campaign"
"""Stands for the campaign where an instrument that serves every one says that it is there."""

SHARED_GROUP: Final = "simulators"
"""Name of the simulators' shared subscription."""

MAX_NAMED: Final = 10
"""Instruments that an agent subscribes to by name: six filters each, and the embedded broker takes 64 of a client."""

TOPICS_KEPT: Final = 1_024
"""Topics that are parsed once: a campaign has a few for each of its simulators, all of them short."""

_NEVER_IN_TOPICS: Final = frozenset("+#\0")

_ID: Final = re.compile(ID_PATTERN)


class Channel(StrEnum):
    """The level of a topic that says what travels there."""

    REQUEST = "request"
    RESULT = "result"
    FAILURE = "failure"
    RECEIPT = "receipt"
    STATUS = "status"
    METRICS = "metrics"
    CONTROL = "control"
    CAMPAIGN = "campaign"
    CAPABILITIES = "capabilities"
    ANNOUNCE = "announce"


WITHOUT_CLIENT: Final = frozenset({Channel.METRICS, Channel.CAMPAIGN, Channel.ANNOUNCE})
"""Channels that have no client level."""

CLIENT_OPTIONAL: Final = frozenset({Channel.CONTROL})
"""Channels that may go without one."""


RETAINED: Final = frozenset({Channel.STATUS, Channel.METRICS, Channel.CAMPAIGN, Channel.CAPABILITIES})
"""Channels on which the last message is retained."""

KEPT_AFTER_THE_END: Final = frozenset({Channel.CAMPAIGN})
"""Those of them on which it stays when the campaign is over, and says so; the others are cleared then."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic; `client` is None where there is no such level."""

    campaign: str
    channel: Channel
    client: str | None = None

    def __str__(self) -> str:
        path = f"{PREFIX}/{_level(self.campaign)}/{self.channel.value}"
        fits = self.channel in CLIENT_OPTIONAL or (self.client is None) == (self.channel in WITHOUT_CLIENT)
        invariant(fits, f"{self.channel} topic with client {self.client}")
        return path if self.client is None else f"{path}/{_level(self.client)}"


@lru_cache(maxsize=TOPICS_KEPT)
def parse(topic: str) -> Topic:
    """Parse a topic.

    Raises:
        MessageError: With reason `unknown_topic` when it is none of ours.
    """
    prefix, _, rest = topic.partition(f"{PREFIX}/")
    levels = rest.split("/")
    try:
        channel = Channel(levels[1])
        ends_here = channel in WITHOUT_CLIENT or (channel in CLIENT_OPTIONAL and len(levels) == 2)  # noqa: PLR2004
        client = None if ends_here else levels[2]
        known = not prefix and len(levels) == (2 if client is None else 3)
    except (IndexError, ValueError):
        known, channel, client = False, Channel.STATUS, None
    if not known or not all(_ID.fullmatch(level) for level in (levels[0], *([client] if client is not None else []))):
        raise MessageError("unknown_topic", f"Topic {topic[:200]!r} is none of ours", expected=f"{PREFIX}/<campaign>/…")
    return Topic(levels[0], channel, client)


def is_publishable(topic: str) -> bool:
    """Tell whether MQTT takes a topic of anybody's: brokers hang up on others, and clients do not send them."""
    try:
        size = len(topic.encode())
    except UnicodeEncodeError:  # half of a surrogate pair, as JSON can hold it
        return False
    return 0 < size <= MAX_TOPIC_BYTES and not _NEVER_IN_TOPICS.intersection(topic)


def removes_retained(topic: str, payload: bytes) -> bool:
    """Tell whether a message says nothing but that what a topic of ours retains is removed: an empty one does."""
    try:
        return not payload and parse(topic).channel in RETAINED
    except MessageError:
        return False


def is_kept_after_the_end(topic: str) -> bool:
    """Tell whether what a topic of ours retains stays when its campaign is over."""
    try:
        return parse(topic).channel in KEPT_AFTER_THE_END
    except MessageError:
        return False


def agent_subscriptions(campaign: str, recipients: Sequence[str] = ()) -> tuple[str, ...]:
    """Filters that the agent of a campaign subscribes to; who can do what comes before who is there.

    Args:
        campaign: Its name.
        recipients: Who is asked. Nobody else is heard then, so that what another device says without end costs the
            broker's time and not ours; and brokers that retain nothing for `+` say at once who is there. Without any,
            with "any", or with too many to name, everybody is heard.
    """
    base = f"{PREFIX}/{_level(campaign)}"
    is_named = recipients and ANY_SIMULATOR not in recipients and len(recipients) <= MAX_NAMED
    instruments = [_level(each) for each in recipients] if is_named else ["+"]
    clients = [*instruments, AGENT_CLIENT] if is_named else instruments
    return (
        *(f"{base}/{Channel.CAPABILITIES.value}/{each}" for each in instruments),
        *(f"{PREFIX}/{EVERY_CAMPAIGN}/{Channel.CAPABILITIES.value}/{each}" for each in instruments),
        *(f"{base}/{Channel.RESULT.value}/{each}" for each in instruments),
        *(f"{base}/{Channel.FAILURE.value}/{each}" for each in instruments),
        *(f"{base}/{Channel.STATUS.value}/{each}" for each in clients),
        *(f"{PREFIX}/{EVERY_CAMPAIGN}/{Channel.STATUS.value}/{each}" for each in instruments),
        f"{base}/{Channel.CONTROL.value}",
        f"{base}/{Channel.CONTROL.value}/+",
    )


def operator_subscriptions(campaign: str, operator: str) -> tuple[str, ...]:
    """Filters of an operator who waits for receipts, and wants to know where the campaign stands."""
    base = f"{PREFIX}/{_level(campaign)}"
    return (f"{base}/{Channel.RECEIPT.value}/{_level(operator)}", f"{base}/{Channel.CAMPAIGN.value}")


def campaigns_filter() -> str:
    """Return the filter of whoever wants to know of every campaign on a broker where it stands."""
    return f"{PREFIX}/+/{Channel.CAMPAIGN.value}"


def shadow_subscriptions(campaign: str) -> tuple[str, ...]:
    """Filters that a shadow subscribes to: all of a campaign but the bias, which it measures itself."""
    base = f"{PREFIX}/{_level(campaign)}"
    asked = (f"{base}/{channel.value}/+" for channel in (Channel.REQUEST, Channel.RECEIPT))
    return (*asked, *agent_subscriptions(campaign))


def lab_subscriptions(campaign: str) -> tuple[str, ...]:
    """Filters of one who stands for all simulators of a campaign, and wants to know whether its agent is there."""
    base = f"{PREFIX}/{_level(campaign)}"
    asked = (f"{base}/{channel.value}/+" for channel in (Channel.REQUEST, Channel.RECEIPT))
    return (*asked, f"{base}/{Channel.STATUS.value}/{AGENT_CLIENT}", f"{base}/{Channel.ANNOUNCE.value}")


def simulator_subscriptions(simulator: str, *, campaign: str | None, shared: bool) -> tuple[str, ...]:
    """Filters that a simulator subscribes to.

    Args:
        simulator: Its id.
        campaign: One campaign, or None for every campaign on the broker.
        shared: Whether the broker knows shared subscriptions; without them only one simulator may serve "any".
    """
    base = f"{PREFIX}/{'+' if campaign is None else _level(campaign)}"
    anyone = f"{base}/{Channel.REQUEST.value}/{ANY_SIMULATOR}"
    return (
        f"{base}/{Channel.REQUEST.value}/{_level(simulator)}",
        f"$share/{SHARED_GROUP}/{anyone}" if shared else anyone,
        f"{base}/{Channel.RECEIPT.value}/{_level(simulator)}",
        f"{base}/{Channel.ANNOUNCE.value}",
    )


def instrument_status_filters(simulator: str, *, campaign: str | None) -> tuple[str, ...]:
    """Filters by which an instrument hears of another one of its id, and of the end of its campaign.

    Args:
        simulator: Its id.
        campaign: One campaign, or None for every campaign on the broker.
    """
    if campaign is None:
        return (f"{PREFIX}/+/{Channel.STATUS.value}/{_level(simulator)}",)
    own = [f"{PREFIX}/{_level(each)}/{Channel.STATUS.value}/{_level(simulator)}" for each in (campaign, EVERY_CAMPAIGN)]
    return (*own, f"{PREFIX}/{_level(campaign)}/{Channel.STATUS.value}/{AGENT_CLIENT}")


def _level(name: str) -> str:
    invariant(_ID.fullmatch(name) is not None, f"{name!r} cannot be a topic level; it must match {ID_PATTERN}")
    return name
