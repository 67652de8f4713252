"""What a broker keeps on our topics, and what of it would hurt whoever comes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from protocols.errors import MessageError
from protocols.link.credentials import AGENT
from protocols.wire.codec import decode
from protocols.wire.messages import Health, Status
from protocols.wire.topics import EVERY_CAMPAIGN, RETAINED, Channel, parse
from scenarios.broker.leftovers import leftovers_in
from scenarios.doctor.checks import Check, failed, passed, warned

MOST_NAMED: Final = 5
"""Topics or clients that are named; of more only their number is told."""

CHANNELS: Final = {
    Channel.CONTROL: "an order that is given again to whoever comes",
    Channel.REQUEST: "a request that every instrument gets again when it comes",
    Channel.RESULT: "a result that every agent gets again when it comes",
    Channel.FAILURE: "a failure that every agent gets again when it comes",
    Channel.RECEIPT: "a receipt that its instrument gets again when it comes",
}
"""Channel on which nothing is to be kept -> what it is when something is."""


def online_in(retained: Mapping[str, bytes], campaign: str) -> set[str]:
    """Return the parts of a campaign that say that they are there, and the instruments of every campaign.

    Args:
        retained: Payload of each retained message by topic.
        campaign: The campaign.
    """
    found = set()
    for topic, payload in retained.items():
        status = _status(topic, payload)
        if status is not None and parse(topic).campaign in {campaign, EVERY_CAMPAIGN}:
            found |= {status.client} if status.health is Health.ONLINE else set()
    return found


def judge_retained(retained: Mapping[str, bytes], campaign: str, url: str) -> list[Check]:
    """Return what is kept that hurts, and what is left behind.

    Args:
        retained: Payload of each retained message by topic.
        campaign: The one that is to be run.
        url: Of the broker, for what to do.
    """
    harmful, unreadable = _harmful(retained), _unreadable(retained)
    tidy = f"entropilot broker tidy --broker {url}"
    checks = [
        failed("retained", f"the broker keeps {CHANNELS[parse(topic).channel]}", f"remove it: `{tidy}`", subject=topic)
        for topic in harmful[:MOST_NAMED]
    ]
    if len(harmful) > MOST_NAMED:
        checks.append(
            failed("retained", f"and {len(harmful) - MOST_NAMED:,} more of this kind", f"remove them: `{tidy}`")
        )
    if unreadable:
        checks.append(
            warned(
                "retained",
                f"{len(unreadable):,} kept messages are none of the protocol; whoever comes puts them into quarantine",
                f"find out who sends them, then `{tidy}`",
                subject=", ".join(unreadable[:MOST_NAMED]),
            )
        )
    if AGENT in online_in(retained, campaign):
        checks.append(
            warned(
                "retained",
                f"an agent of campaign {campaign!r} says that it is there: a second one would give way",
                f"end it, choose another --campaign, or, if it died with its broker, `{tidy} --campaign {campaign}`",
            )
        )
    if checks:
        return checks
    return [passed("retained", f"{len(retained):,} kept messages that this account may hear, none of which hurts")]


def judge_sessions(retained: Mapping[str, bytes], url: str) -> Check:
    """Return whether parts that have gone may have left sessions at the broker, where messages for them pile up."""
    left = [
        client
        for each in leftovers_in(retained)
        if not each.online
        for client in each.client_ids
        if not client.endswith("-operator")  # made up from the campaign's name, whether there was one or not
    ]
    if not left:
        return passed("sessions", "no part that has gone says that it had one")
    more = f" and {len(left) - MOST_NAMED:,} more" if len(left) > MOST_NAMED else ""
    return warned(
        "sessions",
        f"{len(left):,} parts have gone without ending theirs: {', '.join(left[:MOST_NAMED])}{more}; over MQTT 3.1.1 "
        "what is sent to them piles up for ever, over MQTT 5 for a week",
        f"resume their campaigns, or `entropilot broker tidy --broker {url}`",
    )


def _harmful(retained: Mapping[str, bytes]) -> list[str]:
    found = []
    for topic in sorted(retained):
        try:
            channel = parse(topic).channel
        except MessageError:
            continue
        if channel in CHANNELS:
            found.append(topic)
    return found


def _unreadable(retained: Mapping[str, bytes]) -> list[str]:
    """Return the topics on which something may be kept, and what is kept is no message of theirs."""
    found = []
    for topic, payload in sorted(retained.items()):
        try:
            if parse(topic).channel in RETAINED:
                decode(topic, payload)
        except MessageError:
            found.append(topic)
    return found


def _status(topic: str, payload: bytes) -> Status | None:
    try:
        message = decode(topic, payload)
    except MessageError:
        return None
    return message if isinstance(message, Status) else None
