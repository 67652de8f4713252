"""What campaigns left on a broker, read off what it retains: topics, and the client ids of those who are not there.

A broker tells nobody which sessions it keeps. But each of our parts says in its retained status which one it is, and
its client id is made of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from protocols.errors import MessageError
from protocols.link.client_ids import agent_client_id, operator_client_id, simulator_client_id
from protocols.wire.codec import decode
from protocols.wire.messages import Health, Status
from protocols.wire.topics import EVERY_CAMPAIGN, Channel, parse


@dataclass(slots=True)
class Leftovers:
    """What one campaign left.

    Attributes:
        campaign: Its name.
        topics: Where something is retained.
        client_ids: Of parts that have, or may have, a session.
        online: Who says that it is there: a part at work, or one that died together with its broker.
    """

    campaign: str
    topics: list[str] = field(default_factory=list)
    client_ids: list[str] = field(default_factory=list)
    online: list[str] = field(default_factory=list)


def leftovers_in(retained: Mapping[str, bytes]) -> list[Leftovers]:
    """Return what each campaign left, by its name.

    Args:
        retained: Payload of each retained message by topic; topics of others are passed over.
    """
    found: dict[str, Leftovers] = {}
    for topic, payload in sorted(retained.items()):
        try:
            parsed = parse(topic)
        except MessageError:
            continue
        each = found.setdefault(
            parsed.campaign, Leftovers(parsed.campaign, client_ids=[operator_client_id(parsed.campaign)])
        )
        each.topics.append(topic)
        if parsed.channel is Channel.STATUS:
            _add_client(each, topic, payload)
    return [found[name] for name in sorted(found)]


def chosen(found: Iterable[Leftovers], named: frozenset[str]) -> tuple[list[Leftovers], list[Leftovers]]:
    """Return what is to be removed, and what is left alone because somebody of it says that it is there.

    Args:
        found: What is there.
        named: Campaigns that a person names: only these are removed, whoever says that it is there.
    """
    wanted = [each for each in found if not named or each.campaign in named]
    live = [each for each in wanted if each.online and each.campaign not in named]
    return [each for each in wanted if each not in live], live


def _add_client(leftovers: Leftovers, topic: str, payload: bytes) -> None:
    try:
        status = decode(topic, payload)
    except MessageError:
        return
    if not isinstance(status, Status):
        return
    if status.health is Health.ONLINE:
        leftovers.online.append(status.client)
    if status.role == "simulator":
        campaign = None if leftovers.campaign == EVERY_CAMPAIGN else leftovers.campaign
        leftovers.client_ids.append(simulator_client_id(campaign, status.client, status.instance))
    elif status.instance is not None:
        leftovers.client_ids.append(agent_client_id(leftovers.campaign, status.instance))
