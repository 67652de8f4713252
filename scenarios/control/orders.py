"""What an operator asks for, as typed: words of the command line become orders. Pure.

An order is what one message asks for. Those that a table makes are in `messages` beside this.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from protocols.errors import SettingsError
from protocols.settings.suggestions import did_you_mean
from protocols.wire.limits import MAX_ABS_VALUE, MAX_COUNT, MAX_ID_LENGTH
from protocols.wire.messages import ID_PATTERN, ControlAction, Quantity, SourceId
from scenarios.control.verbs import ADD_CANDIDATE, ADD_RESULT, VERBS

ACTIONS: Final[Mapping[str, ControlAction]] = {
    "pause": ControlAction.PAUSE,
    "resume": ControlAction.RESUME,
    "stop": ControlAction.STOP,
    "exclude": ControlAction.EXCLUDE_CANDIDATE,
    "requeue": ControlAction.REQUEUE_CANDIDATE,
    ADD_CANDIDATE: ControlAction.ADD_CANDIDATES,
    ADD_RESULT: ControlAction.ADD_OBSERVATION,
    "retract": ControlAction.RETRACT_OBSERVATION,
    "amend": ControlAction.AMEND_OBSERVATION,
    "approve": ControlAction.APPROVE_DECISION,
    "veto": ControlAction.VETO_DECISION,
    "set-budget": ControlAction.SET_BUDGET,
}
"""What a person types -> what the message asks for."""

_LAWFUL_ID: Final = re.compile(ID_PATTERN)
_SOURCE_ID: Final[TypeAdapter[str]] = TypeAdapter(SourceId)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the campaign measures.

    Attributes:
        property_name: The property whose values are asked for.
        unit: Its unit.
        additional: Those that are balanced beside it, with their units.
    """

    property_name: str
    unit: str
    additional: Mapping[str, str] = field(default_factory=dict)

    @property
    def units(self) -> dict[str, str]:
        """Unit by property."""
        return {self.property_name: self.unit, **self.additional}

    def require(self, name: str) -> str:
        """Return the unit of a property.

        Raises:
            SettingsError: When the campaign balances none of this name.
        """
        if name in self.units:
            return self.units[name]
        raise SettingsError(
            f"The campaign balances no property {name!r}",
            expected=f"one of {', '.join(self.units)}",
            action=did_you_mean(name, self.units) or "correct the name",
        )


@dataclass(frozen=True, slots=True)
class Order:
    """What one message asks for.

    Attributes:
        action: What to do.
        about: Whom or what it is about, for people.
        fields: The members of the message that say so.
    """

    action: ControlAction
    about: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command line asks for, as it was typed.

    Attributes:
        verb: One of `ACTIONS`.
        words: What follows it.
        property_name: Which property a value is of; None for the campaign's own.
        unit: Unit of the value; None for the property's own.
        standard_deviation: Standard uncertainty of the value [its unit]; None where it is not known.
    """

    verb: str
    words: tuple[str, ...] = ()
    property_name: str | None = None
    unit: str | None = None
    standard_deviation: float | None = None

    @property
    def table(self) -> str | None:
        """The table that it names; None where it names none."""
        is_file = len(self.words) == 1 and (
            self.verb == ADD_RESULT or (self.verb == ADD_CANDIDATE and "=" not in self.words[0])
        )
        return self.words[0] if is_file else None

    @property
    def row(self) -> dict[str, str]:
        """The cells of a new candidate by column, where they are typed.

        Raises:
            SettingsError: When a word is none, or a column is there twice.
        """
        pairs = [_pair(self.verb, each) for each in self.words]
        cells = dict(pairs)
        if len(cells) < len(pairs) or not cells:
            raise self.wrong("a column is named twice" if cells else "nothing is said of it")
        return cells

    def wrong(self, found: str) -> SettingsError:
        """Return the error of words that do not fit."""
        return SettingsError(
            f"entropilot control … {self.verb}: {found}",
            expected=f"{self.verb} {VERBS[self.verb]}".rstrip() + (" and nothing else" if self.words else ""),
            action="see `entropilot control --help`",
        )


def wanted_by(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the action that words begin with, and the rest.

    Raises:
        SettingsError: When there is none.
    """
    verb, *rest = words or ("",)
    if verb in ACTIONS:
        return verb, tuple(rest)
    raise SettingsError(
        f"{verb!r} is nothing that a campaign can be asked for" if verb else "Nothing is asked for",
        expected=f"one of {', '.join(ACTIONS)}",
        action=did_you_mean(verb, ACTIONS) or "see `entropilot control --help`",
    )


def typed_order(wanted: Wanted, terms: Callable[[], Terms]) -> Order:
    """Return the order that was typed whole; not that of a table, nor of a new candidate.

    Args:
        wanted: What was typed.
        terms: Returns what the campaign measures; asked for values alone.

    Raises:
        SettingsError: When words lack, are too many, or say what cannot be.
    """
    action, words = ACTIONS[wanted.verb], wanted.words
    match wanted.verb:
        case "pause" | "resume" | "stop":
            _require_count(wanted, 0)
            return Order(action)
        case "approve" | "veto":
            _require_count(wanted, 1)
            return Order(action, f"decision {words[0]}", {"decision": _count(wanted, words[0])})
        case "set-budget":
            _require_count(wanted, 1)
            return Order(action, f"budget {words[0]}", {"budget": _count(wanted, words[0])})
        case "exclude" | "requeue" | "retract":
            _require_count(wanted, 1)
            return Order(action, words[0], candidate_named(words[0]))
        case "amend":
            _require_count(wanted, 2)
            return _valued(wanted, terms(), ())
        case _:
            _require_count(wanted, 2, at_least=True)
            return _valued(wanted, terms(), words[2:])


def candidate_named(name: str) -> dict[str, str]:
    """Return the members of a message that name a candidate.

    A name that is lawful is the same in our ids as in those of the table; of another one only the table can have it.

    Raises:
        SettingsError: When it can be neither.
    """
    if _LAWFUL_ID.fullmatch(name):
        return {"candidate_id": name}
    try:
        return {"source_id": _SOURCE_ID.validate_python(name)}
    except ValidationError:
        raise SettingsError(
            f"{name[:MAX_ID_LENGTH]!r} can be no candidate's id",
            expected="the id of a candidate, as the campaign or its table writes it",
            action="look it up in the table of the pool",
        ) from None


def _valued(wanted: Wanted, terms: Terms, beside: Sequence[str]) -> Order:
    """Return the order that tells a value of a candidate, with those of the additional properties."""
    name = wanted.property_name or terms.property_name
    unit = wanted.unit or terms.require(name)
    quantity = Quantity(
        name=name,
        value=_number(wanted, wanted.words[1]),
        unit=unit,
        standard_deviation=wanted.standard_deviation,
    )
    additional = []
    for each in beside:
        other, text = _pair(wanted.verb, each)
        additional.append(Quantity(name=other, value=_number(wanted, text), unit=terms.require(other)))
    told = {"quantity": quantity, **candidate_named(wanted.words[0])}
    about = f"{wanted.words[0]}: {quantity.value:g} {unit}".rstrip()
    return Order(ACTIONS[wanted.verb], about, told | ({"additional": tuple(additional)} if additional else {}))


def _require_count(wanted: Wanted, count: int, *, at_least: bool = False) -> None:
    found = len(wanted.words)
    if found < count or (found > count and not at_least):
        raise wanted.wrong(f"{found} words follow it" if found != 1 else f"{wanted.words[0]!r} follows it alone")


def _count(wanted: Wanted, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:20]) > MAX_COUNT:
        raise wanted.wrong(f"{text[:MAX_ID_LENGTH]!r} is no whole number")
    return int(text)


def _number(wanted: Wanted, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= MAX_ABS_VALUE:
        raise wanted.wrong(f"{text[:MAX_ID_LENGTH]!r} is no number such as -1.25")
    return value


def _pair(verb: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if equals and name.strip():
        return name.strip(), value.strip()
    raise Wanted(verb, (text,)).wrong(f"{text[:MAX_ID_LENGTH]!r} is no NAME=VALUE")
