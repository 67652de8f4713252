"""Who may say and hear what on the topics of a lab that has messages of its own. Pure.

| part | may say | may hear |
|---|---|---|
| agent | requests, set points and receipts | all that the lab says |
| instrument ID | what it says, under the lab's name of it | what is said to it |
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from protocols.link.credentials import Role
from protocols.mapping.mapping import LabMapping
from protocols.mapping.topics import TopicTemplate
from scenarios.broker.embedded.users import Action, Rule

_PART: Final = re.compile(r"\{[^}]*\}")


def lab_rules_of(mapping: LabMapping, role: Role, name: str) -> tuple[Rule, ...]:
    """Return what a part may do on the lab's own topics; nothing for who has no business there.

    Args:
        mapping: Of the lab.
        role: What it is.
        name: Its id, which is its user name.
    """
    receipts = () if mapping.receipt is None else (mapping.receipt,)
    told = [each.topic for each in (*mapping.setpoints, mapping.request, *receipts)]
    heard = [each.topic for each in (*mapping.incoming, *mapping.scalars)]
    if role is Role.AGENT:
        return (*_rules(Action.WRITE, told), *_rules(Action.READ, heard))
    own = mapping.settings.instruments.get(name)
    if role is not Role.INSTRUMENT or own is None:
        return ()
    return (*_rules(Action.WRITE, heard, own), *_rules(Action.READ, told, own))


def _rules(action: Action, topics: Iterable[TopicTemplate], instrument: str | None = None) -> tuple[Rule, ...]:
    filters = dict.fromkeys(_filter(each.text, instrument) for each in topics)
    return tuple((action, each) for each in filters)


def _filter(text: str, instrument: str | None) -> str:
    """Return the filter of a topic's template: of one instrument, or of all."""
    own = text if instrument is None else text.replace("{instrument}", instrument)
    return "/".join("+" if _PART.search(level) else level for level in own.split("/"))
