"""Who may use the broker, and what each may say and hear. Pure, and light: a start waits for these imports."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

from protocols.link.memory.broker import matches

ASKED_KEPT: Final = 4096
"""Answers that are kept: a campaign has some hundred of parts and topics."""


class Action(StrEnum):
    """What somebody wants with a topic; the words are those of Mosquitto's access lists."""

    READ = "read"
    WRITE = "write"


Rule = tuple[Action, str]
"""What may be done with the topics that a filter takes."""


@dataclass(frozen=True, slots=True)
class User:
    """One who is let in."""

    name: str
    password: str = field(repr=False)
    rules: tuple[Rule, ...]
    """What it may do; everything else it may not."""

    def may(self, action: Action, topic: str) -> bool:
        """Tell whether it may publish to a topic, or hear what is published there."""
        return _allowed(self.rules, action, topic)


def user_with(users: Iterable[User], name: str, password: bytes) -> User | None:
    """Return the user of a name and a password; the time that it takes tells nothing of either."""
    found = None
    for user in users:
        known = hmac.compare_digest(user.name.encode(), name.encode())
        right = hmac.compare_digest(user.password.encode(), password)
        found = user if known and right else found
    return found


@lru_cache(maxsize=ASKED_KEPT)
def _allowed(rules: tuple[Rule, ...], action: Action, topic: str) -> bool:
    return any(each is action and matches(topics, topic) for each, topics in rules)
