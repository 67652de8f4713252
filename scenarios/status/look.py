"""Looks at a broker: who is retained there, and whether it tells whoever subscribes to several topics at once.

Some brokers (RabbitMQ among them) give what they retain only to a subscription that names its topic whole. So the
campaigns that are known by name, of run folders here or as they are heard, are asked for by name as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from protocols.errors import MessageError, SettingsError
from protocols.link.credentials import ANYBODY, OBSERVER
from protocols.wire.topics import AGENT_CLIENT, EVERY_CAMPAIGN, PREFIX, Channel, Topic, campaigns_filter, parse
from scenarios.broker.retained import retained_on
from scenarios.broker.url import broker_at, operators_of
from scenarios.sources.run_folder import require_campaign_name, run_names
from scenarios.status.standing import BrokerStanding, standing_of

MAX_ASKED_BY_NAME: Final = 20
"""Most campaigns that are asked for by name: three topics each are below what our own broker lets one client subscribe
to (64)."""


def look(url: str, campaigns: tuple[str, ...], runs: Path, wait_s: float) -> BrokerStanding:
    """Return where the campaigns of a broker stand.

    Args:
        url: The broker.
        campaigns: The only ones that are meant; every one without.
        runs: Where run folders are, whose campaigns are asked for by name.
        wait_s: How long to listen at least [s].

    Raises:
        SettingsError: When a campaign can have no such name, too many are named, or the URL is no broker's.
        BrokerError: When the broker cannot be reached, or does not let us listen.
    """
    if len(campaigns) > MAX_ASKED_BY_NAME:
        raise SettingsError(
            f"{len(campaigns)} campaigns are named",
            expected=f"at most {MAX_ASKED_BY_NAME}",
            action="leave --campaign out: then all are shown",
        )
    for each in campaigns:
        require_campaign_name(each)
    broker = broker_at(url)
    broker = broker.as_part(OBSERVER, *operators_of(broker), ANYBODY)
    wide = retained_on(broker, _wide(campaigns), least_s=wait_s, also_live=True)
    names = _names(campaigns, wide, runs)
    narrow = retained_on(broker, _narrow(names), also_live=True) if names else {}
    gives = _gives_wildcards(wide, narrow)
    standing, for_every, unreadable = standing_of(wide | narrow)
    return BrokerStanding(
        broker.redacted_url, standing, for_every, unreadable, tuple(_notes(gives, campaigns, unreadable)), gives
    )


def _wide(campaigns: Iterable[str]) -> tuple[str, ...]:
    named = tuple(
        each for name in campaigns for each in (f"{PREFIX}/{name}/{Channel.STATUS.value}/+", *_narrow((name,)))
    )
    if not named:
        return campaigns_filter(), f"{PREFIX}/+/{Channel.STATUS.value}/+"
    return (*named, f"{PREFIX}/{EVERY_CAMPAIGN}/{Channel.STATUS.value}/+")


def _narrow(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        str(topic)
        for name in names
        for topic in (Topic(name, Channel.CAMPAIGN), Topic(name, Channel.STATUS, AGENT_CLIENT))
    )


def _names(campaigns: tuple[str, ...], heard: Iterable[str], runs: Path) -> tuple[str, ...]:
    """Return the campaigns that are asked for by name: where some are meant they were, and nothing else is."""
    if campaigns:
        return ()
    known = dict.fromkeys(_campaigns_of(heard))
    for each in run_names(runs):
        try:
            require_campaign_name(each)
        except SettingsError:  # a folder of another name
            continue
        known.setdefault(each)
    return tuple(known)[:MAX_ASKED_BY_NAME]


def _campaigns_of(topics: Iterable[str]) -> list[str]:
    found = []
    for topic in topics:
        try:
            name = parse(topic).campaign
        except MessageError:
            continue
        found += [name] if name != EVERY_CAMPAIGN else []
    return found


def _gives_wildcards(wide: dict[str, bytes], narrow: dict[str, bytes]) -> bool | None:
    """Tell whether the broker gives what it retains to a subscription of several topics; None where none shows it."""
    if not narrow:
        return True if wide else None
    return not narrow.keys() - wide.keys()


def _notes(gives: bool | None, campaigns: tuple[str, ...], unreadable: int) -> Iterable[str]:  # noqa: FBT001
    if gives is False and not campaigns:
        yield (
            "this broker gives what it retains only to who names the topic: campaigns that have no run folder here, and"
            " instruments, are not shown; name them with --campaign, or listen for longer with --wait 60"
        )
    elif gives is None:
        yield (
            "nothing is retained there, or this broker gives it only to who names the topic (RabbitMQ does): name a"
            " campaign with --campaign, or listen for longer with --wait 60"
        )
    if unreadable:
        yield f"{unreadable} retained messages could not be read"
