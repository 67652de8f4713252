"""Conditions on a candidate: that it holds an element, or that a column of it compares so with a number or a text."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from protocols.structures.sites import KNOWN

EXPECTED: Final = 'a chemical symbol, such as "Pb", or a comparison, such as "temperature > 95" or "solvent = water"'

_COMPARISON: Final = re.compile(r"\s*(?P<column>[^=<>!]+?)\s*(?P<sign><=|>=|!=|=|<|>)\s*(?P<value>.*?)\s*")

_SIGNS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_FOR_TEXTS: Final = frozenset({"=", "!="})
"""Signs that compare texts as well: of two words none is greater."""


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """What a candidate is judged by.

    Attributes:
        elements: Chemical symbols in it; None where nobody says what it is made of.
        numbers: Its columns that are numbers, by name.
        labels: Its columns that are texts, by name.
    """

    elements: frozenset[str] | None
    numbers: Mapping[str, float]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Attributes:
        written: As somebody wrote it.
        element: The element that it asks for; empty for a comparison.
        column: The column that it compares.
        sign: One of `=`, `!=`, `<`, `<=`, `>`, `>=`.
        value: What it is compared with.
    """

    written: str
    element: str = ""
    column: str = ""
    sign: str = ""
    value: str = ""

    @property
    def compares_texts(self) -> bool:
        """Whether it can be asked of a text."""
        return self.sign in _FOR_TEXTS

    @property
    def number(self) -> float | None:
        """The value as a number; None where it is none."""
        try:
            return float(self.value)
        except ValueError:
            return None

    def holds(self, facts: CandidateFacts) -> bool:
        """Tell whether a candidate is so; of one whose elements nobody knows an element is assumed."""
        if self.element:
            return facts.elements is None or self.element in facts.elements
        compare = _SIGNS[self.sign]
        if self.column in facts.labels:
            return compare(facts.labels[self.column], self.value)
        return compare(facts.numbers[self.column], self.number)


def read_condition(text: str) -> Condition:
    """Read a condition.

    Raises:
        ValueError: When it is none, for a validator.
    """
    written = text.strip()
    if written in KNOWN:
        return Condition(written, element=written)
    found = _COMPARISON.fullmatch(text)
    if found is None or not found["value"]:
        message = f"{text!r} is no condition; expected {EXPECTED}"
        raise ValueError(message)
    condition = Condition(written, column=found["column"], sign=found["sign"], value=found["value"])
    if not condition.compares_texts and condition.number is None:
        message = f"{text!r} compares with {condition.value!r}, which is no number; expected {EXPECTED}"
        raise ValueError(message)
    return condition
