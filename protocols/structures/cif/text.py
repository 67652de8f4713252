"""The items of a CIF, with their lines; what they mean is for the other files of this folder.

Syntax: Hall, Allen and Brown (1991), Acta Cryst. A47, 655; CIF 1.1. Names are compared in small letters, and the points
of newer dictionaries (`_atom_site.fract_x`) count as underscores, so that each item has one name here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from protocols.structures.faults import StructureFault

UNKNOWN: Final = frozenset({"?", "."})
"""What stands where a value is unknown or does not apply."""

_NUMBER: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\(\d+\))?")
_TOKEN: Final = re.compile(r"""'(.*?)'(?=\s|$)|"(.*?)"(?=\s|$)|(\#.*)|(\S+)""")


class Value(NamedTuple):
    """A value with the line that it stands in, from 1."""

    text: str
    line: int


class Word(NamedTuple):
    """A word of a CIF: its text without quotes, its line, and what it begins (see `_kind`)."""

    text: str
    line: int
    kind: str


@dataclass(slots=True)
class Block:
    """A data block of a CIF.

    Attributes:
        name: What follows `data_`.
        line: Line of its beginning, from 1.
        items: Name of an item -> its values; of one outside of loops, one.
        lines: Name of an item -> the line where its name stands.
    """

    name: str
    line: int
    items: dict[str, list[Value]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def first(self, *names: str) -> Value | None:
        """Return the value of the first of these items that has a known one."""
        for name in names:
            values = self.items.get(name, ())
            if values and values[0].text.strip() not in UNKNOWN | {""}:
                return values[0]
        return None


def blocks_of(text: str) -> list[Block]:
    """Return the data blocks of a CIF.

    Raises:
        StructureFault: When it is damaged: a value without a name, a loop whose rows are not full, an item given twice.
    """
    blocks: list[Block] = []
    words = list(_words(text))
    at = 0
    while at < len(words):
        word = words[at]
        if word.kind == "data_":
            blocks.append(Block(word.text[len("data_") :], word.line))
            at += 1
        elif not blocks:
            raise _damaged(f"{word.text[:20]!r} before its first data block", word.line)
        elif word.kind == "loop_":
            at = _read_loop(blocks[-1], words, at)
        elif word.kind == "_":
            at = _read_item(blocks[-1], words, at)
        else:
            raise _damaged(f"the value {word.text[:20]!r} without a name", word.line)
    return blocks


def number_of(value: Value, name: str) -> float:
    """Return a number, without its uncertainty in parentheses.

    Raises:
        StructureFault: When it is none.
    """
    match = _NUMBER.fullmatch(value.text.strip())
    number = float(match[1]) if match else math.nan
    if not math.isfinite(number):
        raise StructureFault(
            "coordinates or cell are no numbers", f"a CIF whose {name} is {value.text[:20]!r}", "a number", value.line
        )
    return number


def _read_item(block: Block, words: list[Word], at: int) -> int:
    """Read the item that begins at a word, and return where the next begins."""
    name = _declare(block, words[at])
    if at + 1 == len(words) or words[at + 1].kind:
        raise _damaged(f"the item {words[at].text} without a value", words[at].line)
    block.items[name] = [Value(words[at + 1].text, words[at + 1].line)]
    return at + 2


def _read_loop(block: Block, words: list[Word], at: int) -> int:
    """Read the loop that begins at a word, and return where the next item begins."""
    begin = at = at + 1
    while at < len(words) and words[at].kind == "_":
        at += 1
    names = [_declare(block, word) for word in words[begin:at]]
    first = at
    while at < len(words) and not words[at].kind:
        at += 1
    if not names or (at - first) % len(names):
        raise _damaged(f"a loop with {len(names)} names and {at - first} values", words[begin - 1].line)
    values = [Value(word.text, word.line) for word in words[first:at]]
    for column, name in enumerate(names):
        block.items[name] = values[column :: len(names)]
    return at


def _words(text: str) -> Iterator[Word]:
    """Yield each word of a CIF; comments are none."""
    begin = 0  # of the field of lines that is being read
    parts: list[str] = []
    for line, content in enumerate(text.splitlines(), start=1):
        rest = content
        if begin:
            if not content.startswith(";"):
                parts.append(content)
                continue
            yield Word("\n".join(parts), begin, "")
            begin, rest = 0, content[1:]
        elif content.startswith(";"):
            begin, parts = line, [content[1:]]
            continue
        for single, double, comment, bare in _TOKEN.findall(rest):
            if bare:
                yield Word(bare, line, _kind(bare))
            elif not comment:
                yield Word(single or double, line, "")
    if begin:
        raise _damaged("a text between semicolons that does not end", begin)


def _kind(bare: str) -> str:
    """Return what a word without quotes begins: `_` an item, `data_` a block, `loop_` a loop, or "" a value."""
    if bare[0] == "_":
        return "_"
    start = bare[: len("data_")].lower()
    if start == "data_" or (start == "loop_" and len(bare) == len("loop_")):
        return start
    return ""


def _declare(block: Block, word: Word) -> str:
    """Note an item of a block, and return its name as it is compared."""
    name = word.text.lower().replace(".", "_")
    if name in block.lines:
        raise _damaged(f"the item {word.text} twice in one data block", word.line)
    block.lines[name] = word.line
    return name


def _damaged(what: str, line: int) -> StructureFault:
    return StructureFault(
        "the CIF is damaged", f"a CIF with {what}", "a name for each value, full rows in loops, each item once", line
    )
