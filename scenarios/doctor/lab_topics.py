"""Topics of a lab that has messages of its own: nothing is said there, for whatever is said moves something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.mapping.mapping import LabMapping
from scenarios.doctor.checks import Check, failed, passed, warned
from scenarios.doctor.probe import Probe
from scenarios.doctor.rights import GRANT, refusal_of

LISTEN_S: Final = 2.0
"""How long is listened whether the lab says anything [s]: what it retains comes at once."""

WATCH_IT: Final = "look again while the lab says something there"
"""What to do about a topic that was silent."""

SEND_ONE: Final = "send one request to an instrument that is watched, and see it come"
"""What to do about a topic on which nothing was tried."""


@dataclass(frozen=True, slots=True)
class LabTopics:
    """What a `[lab]` section says and hears.

    Attributes:
        said: Templates of the topics on which the lab is told something.
        heard: Filters of what it says.
    """

    said: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()


NO_LAB: Final = LabTopics()
"""Of a lab that speaks our messages."""


def lab_topics_of(mapping: LabMapping | None) -> LabTopics:
    """Return the topics of a mapping; none without one."""
    if mapping is None:
        return NO_LAB
    receipts = () if mapping.receipt is None else (mapping.receipt,)
    told = (*mapping.setpoints, mapping.request, *receipts)
    return LabTopics(tuple(dict.fromkeys(each.topic.text for each in told)), mapping.subscriptions)


async def look_at_lab(own: BrokerSettings, version: MqttVersion, topics: LabTopics) -> list[Check]:
    """Subscribe to what the lab says, and see whether anything comes; say nothing.

    Args:
        own: The agent's settings.
        version: The MQTT that is spoken.
        topics: The lab's.

    Raises:
        NotLetIn: When the broker does not let us in again.
    """
    checks = [
        warned("lab_say", "not tried: the lab would hear it, and may act on it", SEND_ONE, subject=each)
        for each in topics.said
    ]
    for each in topics.heard:
        async with Probe.let_in(own, version) as probe:
            code, _ = await probe.subscribe(each)
            if (refusal := refusal_of(code)) is not None:
                checks.append(failed("lab_hear", f"the subscription was {refusal}", GRANT, subject=each))
                continue
            await probe.quiet(LISTEN_S, LISTEN_S)
            checks.append(_heard(len(probe.came), each))
    return checks


def _heard(count: int, topics: str) -> Check:
    if count:
        messages = f"{count} message{'s' * (count != 1)} of the lab"
        return passed("lab_hear", f"{messages} came within {LISTEN_S:g} s", subject=topics)
    found = f"the subscription is granted, and nothing came within {LISTEN_S:g} s: that it delivers is not shown"
    return warned("lab_hear", found, WATCH_IT, subject=topics)
