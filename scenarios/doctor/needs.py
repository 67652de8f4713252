"""What a part of a lab must be able to say and to hear, and who can show that it is delivered. Pure.

Both follow from the table of `scenarios.broker.access`. Where a topic ends with a name that the rule leaves open, one
stands in that nobody has: no instrument hears what is tried, and no agent takes it for an instrument's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from protocols.errors import SettingsError
from protocols.link.credentials import AGENT, OBSERVER, Account, Role, require_ids
from protocols.link.memory.broker import matches
from protocols.wire.topics import ANY_SIMULATOR, PREFIX, Channel
from scenarios.broker.access import rules_of
from scenarios.broker.embedded.users import Action, Rule

STAND_IN: Final = "doctor"
"""Name of a campaign, and of a part of one, that stands for those that there may be."""

CHANNEL_AT: Final = PREFIX.count("/") + 2
"""Which level of a topic says what travels there."""

WHOLE: Final = "#"
"""Ends a filter that takes all further levels."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a lab whose rights are looked at.

    Attributes:
        role: What it is.
        name: Its id, and the name of its account.
    """

    role: Role
    name: str


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a part must be able to do.

    Attributes:
        action: Say or hear.
        topics: The topics, as the part's rule or subscription names them.
        tried: The topic on which it is tried.
        is_spoken: Whether a part says something there that may not say everything.
    """

    action: Action
    topics: str
    tried: str
    is_spoken: bool = True


def part_meant(instrument: str | None = None, operator: str | None = None, *, observer: bool = False) -> Part:
    """Return the part that a person means: the agent, where nothing else is said.

    Args:
        instrument: Id of an instrument.
        operator: Id of an operator.
        observer: Whether one who only listens is meant.

    Raises:
        SettingsError: When several are meant, or an id cannot be one.
    """
    named = [name for name in (instrument, operator) if name is not None]
    if len(named) + observer > 1:
        raise SettingsError(
            "More than one part is named", expected="one of --instrument, --operator and --observer", action="name one"
        )
    require_ids([instrument] if instrument is not None else [], [operator] if operator is not None else [])
    if instrument is not None:
        return Part(Role.INSTRUMENT, instrument)
    if operator is not None:
        return Part(Role.OPERATOR, operator)
    return Part(Role.OBSERVER, OBSERVER) if observer else Part(Role.AGENT, AGENT)


def needs_of(part: Part, campaign: str) -> tuple[Need, ...]:
    """Return what a part must be able to say and hear in a campaign, what it says first."""
    rules = _in_campaign(rules_of(part.role, part.name), campaign)
    anybody = [Account(STAND_IN, role, "") for role in Role if role is not Role.ALL]
    needs = []
    for action, topics in rules:
        need = Need(action, topics, concrete(topics, campaign))
        needs.append(replace(need, is_spoken=speaker_for(need, anybody, campaign) is not None))
    return tuple(sorted(needs, key=lambda need: need.action is Action.READ))


def speaker_for(need: Need, accounts: Iterable[Account], campaign: str) -> tuple[Account, str] | None:
    """Return who can say something that a part must hear, and on which topic; None where nobody is known to.

    Args:
        need: What is to be heard.
        accounts: Whose names and passwords are known.
        campaign: The campaign.
    """
    for account in accounts:
        for action, topics in _in_campaign(rules_of(account.role, account.name), campaign):
            if action is not Action.WRITE:
                continue
            topic = need.tried if matches(topics, need.tried) else concrete(topics, campaign)
            if matches(need.topics, topic):
                return account, topic
    return None


def listener_for(topic: str, accounts: Iterable[Account], campaign: str) -> Account | None:
    """Return who hears what is said on a topic; None where nobody is known to."""
    for account in accounts:
        rules = _in_campaign(rules_of(account.role, account.name), campaign)
        if any(action is Action.READ and matches(topics, topic) for action, topics in rules):
            return account
    return None


def concrete(topics: str, campaign: str) -> str:
    """Return a topic that a filter takes, with the names that stand in."""
    if topics == WHOLE:
        return f"{PREFIX}/{campaign}/receipt/{STAND_IN}"
    known = topics.replace(f"{PREFIX}/{WHOLE}", f"{PREFIX}/{campaign}/receipt/{WHOLE}")
    return "/".join(STAND_IN if level in {"+", WHOLE} else level for level in known.split("/"))


def is_heard_at_work(topic: str, online: Iterable[str]) -> bool:
    """Tell whether what is said on a topic is heard by parts of its campaign that say that they are there.

    The names that stand in are nobody's, so requests and receipts to them reach nobody. Instruments hear statuses, and
    what is said to all of them; the agent hears all else.

    Args:
        topic: Where it would be said.
        online: Ids of the parts that are there; the agent's is `agent`.
    """
    there = set(online)
    levels = topic.split("/")
    channel, last = levels[CHANNEL_AT], levels[-1]
    if channel in {Channel.REQUEST, Channel.RECEIPT}:
        return last in there or (last == ANY_SIMULATOR and bool(there - {AGENT}))
    if channel == Channel.ANNOUNCE:
        return bool(there - {AGENT})
    return bool(there if channel == Channel.STATUS else there & {AGENT})


def _in_campaign(rules: Iterable[Rule], campaign: str) -> list[Rule]:
    return [(action, topics.replace(f"{PREFIX}/+", f"{PREFIX}/{campaign}", 1)) for action, topics in rules]
