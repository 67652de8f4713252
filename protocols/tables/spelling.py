"""One spelling for one name: what is surely the same is folded, what is likely the same is told.

Surely the same are texts that differ in runs of blanks, in invisible characters, and in the Unicode form of the same
characters (composed or not, wide, ligatures); and, where all names of the column are such, whole numbers with and
without decimals of zero (194 and 194.0), and truth values and the names of crystal systems in other capitals.
Unicode forms: Unicode Standard Annex 15; compatibility forms that carry a meaning (superscripts, fractions) are kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from protocols.tables.account import Finding, Handling

CRYSTAL_SYSTEMS: Final = frozenset(
    {"triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic"}
)
"""Words that mean the same in all capitals."""

ONE_OF_TWO: Final = "; family_names makes one of them"
"""How families that are likely the same become one."""

MAX_PAIRS_TOLD: Final = 10
"""Most pairs of spellings that are told of one column, each in an entry of its own."""

NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})
"""No spelling that the user maps."""

_SAME_FORMS: Final = ("<wide>", "<narrow>", "<noBreak>", "<compat>")
"""Kinds of Unicode's compatibility forms that mean nothing but themselves."""

_INVISIBLE: Final = frozenset({"Cf", "Cc"})
"""Categories of characters that nobody sees; those that are blanks are none of these here."""

_VARIATIONS: Final = range(0xFE00, 0xFE10)
"""Variation selectors, which are invisible too."""

_WHOLE: Final = re.compile(r"(-?(?:0|[1-9]\d*))(\.0*)?")
_BLANKS: Final = re.compile(r"\s+")
_BETWEEN: Final = re.compile(r"[\s_\-‐-―−]+")
_LOOKALIKES: Final = str.maketrans("\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u03bf", "aceopxyijso")
"""Small letters of other alphabets that look like Latin ones (Unicode Technical Standard 39, confusables)."""

_DASHES: Final = re.compile(r"[_‐-―−]")


def cleaned(text: str) -> str:
    """Return a text with single blanks, composed characters and nothing invisible."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    plain = "".join(
        unicodedata.normalize("NFKC", each) if unicodedata.decomposition(each).startswith(_SAME_FORMS) else each
        for each in text
        if each.isspace() or not (unicodedata.category(each) in _INVISIBLE or ord(each) in _VARIATIONS)
    )
    return " ".join(unicodedata.normalize("NFC", plain).split())


def are_plain(texts: Collection[str]) -> bool:
    """Tell whether no text has a blank, or anything but visible ASCII: one look at all of them is fast."""
    everything = "|".join(texts)
    return everything.isascii() and everything.isprintable() and " " not in everything


def tidied(texts: Collection[str]) -> dict[str, str]:
    """Return the one spelling of those texts of a column that have another: blanks, forms, whole numbers, truth."""
    clean = {} if are_plain(texts) else {text: name for text in texts if (name := cleaned(text)) != text}
    names = {clean.get(text, text) for text in texts} - {""}
    if names and all(name.lower() in {"true", "false"} for name in names):
        one = {name: name.capitalize() for name in names}
    else:
        one = whole_numbers(names)
    spelled = clean | {text: one[name] for text in texts if (name := clean.get(text, text)) in one}
    return {text: name for text, name in spelled.items() if name != text}


def whole_numbers(names: Collection[str]) -> dict[str, str]:
    """Return the one spelling of those that have another, where all names of a column are whole numbers."""
    if not all(_WHOLE.fullmatch(name) for name in names):
        return {}
    return {name: digits for name in names if (digits := without_decimals(name)) != name}


def folded(texts: Collection[str], names: Mapping[str, str] = NO_NAMES) -> dict[str, str]:
    """Return the one spelling of those families of a column that have another; first of all what the user maps."""
    tidy = tidied([text for text in texts if text not in names])
    one = {text: names.get(name, name) for text, name in tidy.items()} | {
        text: names[text] for text in texts if text in names
    }
    spelled = {one.get(text, text) for text in texts} - {""}
    systems = {name.lower() for name in spelled}
    if systems <= CRYSTAL_SYSTEMS and len(systems) < len(spelled):
        one |= {text: one.get(text, text).lower() for text in texts}
    return {text: name for text, name in one.items() if name != text}


def without_decimals(name: str) -> str:
    """Return a whole number without decimals of zero, and any other text as it is."""
    found = _WHOLE.fullmatch(name)
    digits = name if found is None else found[1]
    return "0" if digits == "-0" else digits


def told(column: str, texts: Sequence[str], one: Mapping[str, str], rows: Sequence[int]) -> Iterator[Finding]:
    """Yield what became of spellings.

    Args:
        column: Its name.
        texts: As they stood, of every kept row.
        one: The one spelling of those that have another.
        rows: Positions of these rows in the file.
    """
    if not one:  # a million rows need not be looked at
        return
    places: dict[str, list[int]] = {}
    for text, row in zip(texts, rows, strict=True):
        if text in one:
            places.setdefault(text, []).append(int(row))
    if not places:
        return
    if all(_WHOLE.fullmatch(text) for text in one):
        text = next(iter(places))
        words = f"whole numbers are spelled without decimals, {text!r} as {one[text]!r}"
        every = sorted(row for found in places.values() for row in found)
        yield Finding(Handling.CONVERTED, f"column {column!r}: {words}", every)
        return
    yield from _most_frequent(
        [
            (f"column {column!r}: {_pair(text, one[text])} is read as {_pair(one[text], text)}", found)
            for text, found in places.items()
        ],
        Handling.FOLDED,
        f"column {column!r}: further spellings",
    )


def likely_the_same(column: str, names: Sequence[str], rows: Sequence[int], hint: str = "") -> Iterator[Finding]:
    """Yield names that differ in capitals, blanks, hyphens or the spelling of a number only, and are told apart.

    Args:
        column: Its name.
        names: Of every kept row.
        rows: Positions of these rows in the file.
        hint: How to make one of two, as the end of the sentence.
    """
    pairs = alike(names)
    places: dict[str, list[int]] = {name: [] for name in pairs}
    if pairs:
        for name, row in zip(names, rows, strict=True):
            if name in places:
                places[name].append(int(row))
    yield from _most_frequent(
        [
            (f"column {column!r}: {_pair(name, other)} is told apart from {_pair(other, name)}{hint}", places[name])
            for name, other in pairs.items()
        ],
        Handling.NOTED,
        f"column {column!r}: further names that are likely the same as others",
    )


def alike(names: Iterable[str]) -> dict[str, str]:
    """Return each name that differs from a more frequent one in its spelling only -> that one."""
    leader: dict[tuple[str, str], str] = {}
    pairs: dict[str, str] = {}
    for name, _ in sorted(Counter(names).items(), key=lambda each: (-each[1], each[0])):
        keys = list(_keys(name))
        other = next((leader[key] for key in keys if key in leader), None)
        if other is not None:
            pairs[name] = other
        for key in keys:
            leader.setdefault(key, other or name)
    return pairs


def ids_alike(column: str, ids: Sequence[str], rows: Sequence[int]) -> Iterator[Finding]:
    """Yield ids that differ in capitals, or in what nobody sees, only; arguments as of `likely_the_same`.

    Ids are many, and mostly nothing of them can be: a look at all of them tells.
    """
    if are_plain(ids) and (everything := "|".join(ids)) == everything.lower():
        return
    distinct = set(ids)
    if are_plain(distinct) and len({each.lower() for each in distinct}) == len(distinct):
        return
    alike: dict[str, set[str]] = {}
    for each in distinct:
        alike.setdefault(cleaned(each).casefold(), set()).add(each)
    several = {each for group in alike.values() if len(group) > 1 for each in group}
    pairs = [(each, row) for each, row in zip(ids, rows, strict=True) if each in several]
    yield from likely_the_same(column, [each for each, _ in pairs], [row for _, row in pairs])


def _keys(name: str) -> Iterator[tuple[str, str]]:
    """Yield what names that are likely the same have in common."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_LOOKALIKES).rstrip(".,;:")
    yield "words", _BETWEEN.sub("-", plain)
    yield "letters", _BLANKS.sub("", _DASHES.sub("-", plain))
    try:
        yield "number", repr(float(plain))
    except ValueError:
        return


def _most_frequent(entries: list[tuple[str, list[int]]], handling: Handling, rest: str) -> Iterator[Finding]:
    """Yield an entry each for the most frequent, and one for what is left."""
    entries.sort(key=lambda each: -len(each[1]))
    for reason, rows in entries[:MAX_PAIRS_TOLD]:
        yield Finding(handling, reason, rows)
    left = sorted(row for _, rows in entries[MAX_PAIRS_TOLD:] for row in rows)
    if left:
        yield Finding(handling, rest, left)


def _pair(text: str, other: str) -> str:
    """Return a text so that a person sees how it differs from another one that may look the same."""
    alike, other_alike = (unicodedata.normalize("NFKC", each).translate(_LOOKALIKES) for each in (text, other))
    if alike == other_alike:
        return ascii(text)
    return repr(text)
