"""One spelling for one name: what is surely the same is folded, what is likely the same is told.

Surely the same are texts that differ in runs of blanks, in invisible characters, in the Unicode form of the same
characters (composed or not, wide, ligatures), whole numbers with and without decimals of zero (194 and 194.0, where all
names of the column are whole numbers), truth values, and the names of crystal systems in other capitals.
Unicode forms: Unicode Standard Annex 15; compatibility forms that carry a meaning (superscripts, fractions) are kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from protocols.tables.account import Finding, Handling

CRYSTAL_SYSTEMS: Final = frozenset(
    {"triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic"}
)
"""Words that mean the same in all capitals."""

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
    """Return the one spelling of each text of a column: cleaned, and whole numbers and truth values in one way."""
    clean = dict(zip(texts, texts, strict=True)) if are_plain(texts) else {text: cleaned(text) for text in texts}
    names = set(clean.values()) - {""}
    if names and all(name.lower() in {"true", "false"} for name in names):
        return {text: name.capitalize() for text, name in clean.items()}
    whole = {}
    for name in names:
        found = _WHOLE.fullmatch(name)
        if found is None:
            return clean
        whole[name] = "0" if found[1] == "-0" else found[1]
    return {text: whole.get(name, "") for text, name in clean.items()}


def folded(texts: Collection[str], names: Mapping[str, str] = NO_NAMES) -> dict[str, str]:
    """Return the one spelling of each family of a column, those first that the user maps."""
    tidy = tidied([text for text in texts if text not in names])
    one = {text: names[text] if text in names else names.get(tidy[text], tidy[text]) for text in texts}
    lower = {name: name.lower() for name in one.values() if name}
    if set(lower.values()) <= CRYSTAL_SYSTEMS and len(set(lower.values())) < len(lower):
        return {text: lower.get(name, "") for text, name in one.items()}
    return one


def told(column: str, texts: Sequence[str], one: Mapping[str, str], rows: Sequence[int]) -> Iterator[Finding]:
    """Yield what became of spellings.

    Args:
        column: Its name.
        texts: As they stood, of every kept row.
        one: The one spelling of each.
        rows: Positions of these rows in the file.
    """
    changed = {text: name for text, name in one.items() if text != name}
    if not changed:
        return
    places: dict[str, list[int]] = {}
    for text, row in zip(texts, rows, strict=True):
        if text in changed:
            places.setdefault(text, []).append(int(row))
    if all(_WHOLE.fullmatch(text) for text in changed):
        text = next(iter(places), "")
        every = sorted(row for found in places.values() for row in found)
        if every:
            words = f"whole numbers are spelled without decimals, {text!r} as {changed[text]!r}"
            yield Finding(Handling.CONVERTED, f"column {column!r}: {words}", every)
        return
    yield from _most_frequent(
        [
            (f"column {column!r}: {_pair(text, changed[text])} is read as {_pair(changed[text], text)}", found)
            for text, found in places.items()
        ],
        Handling.FOLDED,
        f"column {column!r}: further spellings",
    )


def likely_the_same(column: str, names: Sequence[str], rows: Sequence[int]) -> Iterator[Finding]:
    """Yield names that differ in capitals, blanks, hyphens or the spelling of a number only, and are told apart.

    Args:
        column: Its name.
        names: Of every kept row.
        rows: Positions of these rows in the file.
    """
    counts = Counter(names)
    leader: dict[tuple[str, str], str] = {}
    pairs: dict[str, str] = {}
    for name, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        keys = list(_keys(name))
        other = next((leader[key] for key in keys if key in leader), None)
        if other is not None:
            pairs[name] = other
        for key in keys:
            leader.setdefault(key, other or name)
    places: dict[str, list[int]] = {name: [] for name in pairs}
    if pairs:
        for name, row in zip(names, rows, strict=True):
            if name in places:
                places[name].append(int(row))
    yield from _most_frequent(
        [
            (f"column {column!r}: {_pair(name, other)} is told apart from {_pair(other, name)}", places[name])
            for name, other in pairs.items()
        ],
        Handling.NOTED,
        f"column {column!r}: further names that are likely the same as others",
    )


def _keys(name: str) -> Iterator[tuple[str, str]]:
    """Yield what names that are likely the same have in common."""
    plain = unicodedata.normalize("NFKC", name).casefold().rstrip(".,;:")
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
    if unicodedata.normalize("NFKC", text) == unicodedata.normalize("NFKC", other):
        return ascii(text)
    return repr(text)
