"""Topic templates with named parts: filled when we send, subscribed to and parsed back when we hear."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from protocols.mapping.faults import Unusable
from protocols.settings.suggestions import did_you_mean
from protocols.wire.topics import PREFIX

INSTRUMENT: Final = "instrument"
ATTEMPT: Final = "attempt_id"
CANDIDATE: Final = "candidate_id"
CAMPAIGN: Final = "campaign"

KNOWN_PARTS: Final = (INSTRUMENT, ATTEMPT, CANDIDATE, CAMPAIGN)
"""Parts whose values are ours."""

OURS: Final = f"{PREFIX.partition('/')[0]}/"
"""How topics of our own begin."""

_PART: Final = re.compile(r"\{([^{}]*)\}")
_ID: Final = re.compile(r"[a-z0-9_-]*")
_ONE_ID: Final = r"[a-z0-9][a-z0-9_-]*"


class TemplateError(Unusable):
    """A template that cannot be used."""


@dataclass(frozen=True, slots=True)
class TopicTemplate:
    """A topic with named parts.

    Attributes:
        text: As it was written, constants filled in.
        parts: Names of the parts that vary, in order.
        pattern: Matches its topics.
        filter: What is subscribed to.
    """

    text: str
    parts: tuple[str, ...]
    pattern: re.Pattern[str]
    filter: str

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the topic of these values; every part must have one."""
        return _PART.sub(lambda found: values[found[1]], self.text)

    def parse(self, topic: str) -> dict[str, str] | None:
        """Return the parts of a topic; None where it is not of this template."""
        found = self.pattern.fullmatch(topic)
        return None if found is None else found.groupdict()

    def filter_takes(self, topic: str) -> bool:
        """Tell whether a topic is subscribed to, be it of an instrument that nobody knows."""
        levels = zip(self.filter.split("/"), topic.split("/"), strict=False)
        return self.filter.count("/") == topic.count("/") and all(each in {"+", other} for each, other in levels)

    def may_meet(self, other: TopicTemplate) -> bool:
        """Tell whether a topic could be of both."""
        mine, others = self.text.split("/"), other.text.split("/")
        return len(mine) == len(others) and all(map(_levels_meet, mine, others))


def parse_template(text: str, constants: Mapping[str, str], names: Mapping[str, str]) -> TopicTemplate:
    """Return a template.

    Args:
        text: As it was written.
        constants: Parts that never change, the campaign among them.
        names: Our id of each instrument -> its name in topics.

    Raises:
        TemplateError: When it cannot be filled, or its topics could not be parsed back.
    """
    _require_topic(text)
    known = (*KNOWN_PARTS, *constants)
    for name in _PART.findall(text):
        if name not in known:
            raise TemplateError(
                f"topic {text!r} has the part {{{name}}}, which nobody fills",
                did_you_mean(name, known) or f"use one of {', '.join(known)}, or set it in lab.parts",
            )
    filled = _PART.sub(lambda found: constants.get(found[1], found[0]), text)
    parts = tuple(_PART.findall(filled))
    for name in parts:
        if parts.count(name) > 1:
            raise TemplateError(f"topic {text!r} has the part {{{name}}} twice", "name it once")
    levels = filled.split("/")
    for level in levels:
        _require_parsable(text, level, names)
    patterns = (_pattern_of(level, names) for level in levels)
    filters = ("+" if "{" in level else level for level in levels)
    return TopicTemplate(filled, parts, re.compile("/".join(patterns)), "/".join(filters))


def _require_topic(text: str) -> None:
    if "+" in text or "#" in text or "\0" in text:
        raise TemplateError(f"topic {text!r} has a wildcard", "name what varies: {instrument}, for example")
    if text.startswith("$"):
        raise TemplateError(f"topic {text!r} begins with $, which is the broker's own", "name a topic of the lab")
    if text.startswith(OURS):
        raise TemplateError(
            f"topic {text!r} is one of ours", "leave [lab] out for instruments that speak our messages themselves"
        )
    rest = _PART.sub("", text)
    if "{" in rest or "}" in rest:
        raise TemplateError(f"topic {text!r} has a brace without its partner", "write a part as {name}")


def _require_parsable(text: str, level: str, names: Mapping[str, str]) -> None:
    """Check that where one part of a level ends can be told from what stands between it and the next."""
    between = _PART.split(level)[2:-1:2]
    for literal in between:
        within = any(literal in name for name in names.values())
        if _ID.fullmatch(literal) or within:
            shown = repr(literal) if literal else "nothing"
            raise TemplateError(
                f"topic {text!r} cannot be parsed back: {shown} stands between two parts, and may stand in one",
                "put a / between them, or a character that no id has, such as .",
            )


def _pattern_of(level: str, names: Mapping[str, str]) -> str:
    pieces = _PART.split(level)
    return "".join(
        f"(?P<{piece}>{_one_of(names) if piece == INSTRUMENT else _ONE_ID})" if place % 2 else re.escape(piece)
        for place, piece in enumerate(pieces)
    )


def _one_of(names: Mapping[str, str]) -> str:
    longest_first = sorted(names.values(), key=len, reverse=True)
    return "|".join(map(re.escape, longest_first))


def _levels_meet(one: str, other: str) -> bool:
    if "{" not in one and "{" not in other:
        return one == other
    (start, end), (start_of_other, end_of_other) = _ends(one), _ends(other)
    starts = start.startswith(start_of_other) or start_of_other.startswith(start)
    return starts and (end.endswith(end_of_other) or end_of_other.endswith(end))


def _ends(level: str) -> tuple[str, str]:
    pieces = _PART.split(level)
    return pieces[0], pieces[-1]
