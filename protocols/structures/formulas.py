"""Reads a formula as chemists write it, strictly: what could mean two things is refused, never guessed.

Grammar, over the characters that are left when subscript digits are written as digits:

    formula  = part { mark [amount] part }         mark = "·" (also "*" and other raised dots), or "." before a symbol
    part     = unit { unit }
    unit     = (symbol | "(" formula ")") [amount]  brackets: ( ), [ ] or { }
    amount   = digits [ "." digits ]

An amount after a mark multiplies the part up to the next mark, as one at the beginning does where a mark follows:
3CdSO4·8H2O. Blanks may stand between units where each word is one symbol with its amount, as in Fe2 O3.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from protocols.structures.sites import ISOTOPES, KNOWN

MAX_FORMULA_LENGTH: Final = 300
"""Longest formula [character]: five times the longest of the Materials Project; a longer one is a text."""

MAX_BRACKETS: Final = 8
"""Brackets within brackets; coordination compounds need three."""

MAX_AMOUNT: Final = 1e6
"""Largest amount of an element: a million atoms of one kind are no formula unit."""

MIN_AMOUNT: Final = 1e-8
"""Smallest amount of an element: dopants are counted in parts per billion."""

EXPECTED: Final = "a formula of chemical elements such as Fe2O3, Ca(OH)2, La0.7Sr0.3MnO3 or CuSO4·5H2O"

_HYDRATE: Final = "CuSO4·5H2O for a hydrate, with a raised dot or a star; one point in a decimal number"

_CLOSING: Final[Mapping[str, str]] = {"(": ")", "[": "]", "{": "}"}
_OPEN_AMOUNTS: Final = frozenset("xyznmδε")
"""Letters that stand for an amount nobody wrote down."""

_SUBSCRIPTS: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_MIXED_DIGITS: Final = re.compile(r"[₀-₉][.]?[0-9]|[0-9][.]?[₀-₉]")
_MARKS: Final = re.compile(r" ?[·•∙⋅・‧*] ?| \. ")
"""A raised dot or a star, which join two formulas; a point does where blanks stand on both sides."""

_SYMBOL: Final = re.compile(r"[A-Z][a-z]?")
_WORD: Final = re.compile(r"[A-Za-z][a-z]*")
_AMOUNT: Final = re.compile(r"[0-9]*\.?[0-9]+")
_SPACED: Final = re.compile(r"(?:[A-Z][a-z]?|[(\[{].*[)\]}])(?:[0-9.]+)?")
"""A word of a formula with blanks: one symbol or one bracket, and its amount."""

_POINT: Final = re.compile(r"(?<![·0-9])([0-9]*)\.[0-9]+(?=[A-Z(\[{])")
"""A point in a number before a symbol or a bracket, not that of an amount after a mark; the group is what stands before
the point. After a lone 0 it is decimal: no amount of zero ends a formula."""

_MARK_BEFORE_SYMBOL: Final = re.compile(r"·|\.(?=[A-Z(\[{])")
"""What surely joins two formulas; where one stands, points before numbers are likely to as well: K2O.Al2O3.6SiO2."""

_OXIDATION: Final = re.compile(r"[(\[{](?:I{1,3}|IV|VI{0,3}|IX|X)[)\]}]")
_BARE_OXIDATION: Final = re.compile(r"[a-z]I[IV](?![a-z0-9.])|[A-Z]I{2,3}(?![a-z0-9.])")
"""A Roman number without brackets, as in FeIIIO3: no formula has one atom of iodine twice in a row."""

_STRUCTURE_WORD: Final = re.compile(r"(?:BCC|FCC|HCP|CCP)(?![a-z0-9.])")
"""Names of lattices, which are made of symbols by chance: BCC is no boron carbide."""

_SIGNS: Final = frozenset("+-−–—^⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹′")
_OUT_OF_PLACE: Final = (
    (
        _SIGNS,
        "a sign",
        "a sign: a charge, a negative amount, or a dash",
        "a neutral formula with the amount of atoms after each symbol: SO4, Ni3Ti",
    ),
    (frozenset("()[]{}"), "brackets", "a bracket that does not fit, or holds nothing", EXPECTED),
    (frozenset("·."), "a mark out of place", "a mark with no formula before it", EXPECTED),
)
"""Characters that cannot stand where they do; the reason, what they are, and what is expected."""

_SOLVENT: Final = re.compile(
    r"[(\[]?(?:H2O|OH2|NH3|H3N|HCl|HF|HBr|H2O2|N2H4|H2SO4|H3PO4|HNO3|HClO4|CH3OH|CH4O|C2H5OH|CH3CH2OH|C2H6O|CH3CN"
    r"|C2H3N|C4H8O|C3H7NO|C2H6OS|CH2Cl2|CHCl3|C6H6|C7H8|C5H5N)(?:[)\]][0-9]*)?(?:[.·)\]}]|$)"
)
"""What crystallizes together with a compound, and ends its formula: water, ammonia, acids, usual solvents."""


class FormulaError(ValueError):
    """Why a text is no formula that can be read.

    Args:
        reason: Of which kind, without the text: faults are counted by it.
        found: What was found, as a clause.
        expected: What was expected, with how to write it where that is known.
    """

    def __init__(self, reason: str, found: str, expected: str = EXPECTED) -> None:
        self.reason: Final = reason
        self.found: Final = found
        self.expected: Final = expected
        super().__init__(f"{found}; expected: {expected}")


def read_formula(text: str) -> dict[str, float]:
    """Return the amount of each element, by symbol, in the order of the symbols.

    An element with an amount written as 0.0 is left out; one with 0 is refused, as it may be an oxidation state.

    Args:
        text: Such as `Fe2O3`.

    Raises:
        FormulaError: When the text is no formula, may mean two, or has charges, isotopes or open amounts.
    """
    plain = _plain(text)
    reader = _Reader(plain)
    amounts = reader.read()
    if "." in plain and " " not in text.strip(" "):
        _require_one_reading(plain, amounts)
    if any(factor != 1 and len(part) == 1 for factor, part in reader.parts[1:]):
        found = "a raised dot or a star stands before a number and a single element"
        raise FormulaError("a mark with two meanings", found, "a point in a decimal number; after a mark a compound")
    if not amounts:
        raise FormulaError("an amount of zero", "it has no element with an amount above zero")
    return {symbol: amounts[symbol] for symbol in sorted(amounts)}


def _plain(text: str) -> str:
    """Return the text without blanks, with plain digits and one kind of mark."""
    if not text.strip():
        raise FormulaError("no formula", "it is empty")
    if len(text) > MAX_FORMULA_LENGTH:
        found = f"it has {len(text)} characters"
        raise FormulaError("too long", found, f"at most {MAX_FORMULA_LENGTH} characters")
    if "," in text:
        raise FormulaError(
            "a comma", "it has a comma", "decimals with a point, and one formula without alternatives such as (Mg,Fe)"
        )
    if _MIXED_DIGITS.search(text):
        raise FormulaError("digits of two kinds", "a subscript digit stands beside a plain one", "one kind per amount")
    plain = _MARKS.sub("·", text.strip(" ").translate(_SUBSCRIPTS))
    words = plain.split(" ")
    if len(words) > 1 and not all(_SPACED.fullmatch(part) for word in words for part in word.split("·")):
        raise FormulaError(
            "words", "it has several words", "a formula without blanks, or one symbol with its amount a word: Fe2 O3"
        )
    if len(words) == 1 and (mark := _BARE_OXIDATION.search(plain)):
        found = f"{mark.group()[1:]!r} at character {mark.start() + 2} is an oxidation state"
        raise FormulaError("an oxidation state", found, "the formula without it: Fe2O3")
    if len(words) == 1 and _STRUCTURE_WORD.match(plain):
        raise FormulaError(
            "words",
            f"{plain[:3]} is the name of a lattice",
            "a formula; with amounts where the elements are meant: B1C2",
        )
    return "".join(words)


class _Reader:
    """Reads one formula from left to right; `points_join` takes every point for a mark instead of a decimal one."""

    def __init__(self, text: str, *, points_join: bool = False) -> None:
        self.text = text.replace(".", "·") if points_join else text
        self.place = 0
        self.depth = 0
        self.parts: list[tuple[float, dict[str, float]]] = []
        """Factor and amounts of each part outside of brackets."""

    def read(self) -> dict[str, float]:
        """Return the amounts of the whole, in the order in which the elements come."""
        total = self._formula("")
        for symbol, amount in total.items():
            if amount and not MIN_AMOUNT <= amount <= MAX_AMOUNT:
                raise FormulaError(
                    "an amount beyond all bounds",
                    f"{symbol} has the amount {amount:g}",
                    f"amounts between {MIN_AMOUNT:g} and {MAX_AMOUNT:g}",
                )
        return {symbol: amount for symbol, amount in total.items() if amount}

    def _formula(self, closing: str) -> dict[str, float]:
        """Read parts and marks up to a closing bracket, or to the end."""
        total: dict[str, float] = defaultdict(float)
        is_multiple = _AMOUNT.match(self.text, self.place) is not None
        self._add_part(total)
        while self._peek() in {"·", "."}:
            is_multiple = False
            self.place += 1
            self._add_part(total)
        if is_multiple:
            raise FormulaError(
                "a number before the formula", "it begins with a number", "brackets for a multiple: (MgO)2"
            )
        if self._peek() != closing:
            raise self._unexpected()
        return total

    def _add_part(self, total: dict[str, float]) -> None:
        """Read a part with the amount before it, and add it."""
        factor = self._amount()
        if self._peek() in _OPEN_AMOUNTS:
            raise self._open_amount()
        factor = 1.0 if factor is None else factor
        part = self._part()
        if self.depth == 0:
            self.parts.append((factor, part))
        for symbol, amount in part.items():
            total[symbol] += factor * amount

    def _part(self) -> dict[str, float]:
        """Read units, one at least."""
        part: dict[str, float] = defaultdict(float)
        before = self.place
        while True:
            unit = self._unit()
            if unit is None:
                break
            amount = self._amount()
            for symbol, own in unit.items():
                part[symbol] += own if amount is None else amount * own
        if self.place == before:
            raise self._unexpected()
        return part

    def _unit(self) -> Mapping[str, float] | None:
        """Read a symbol or a bracket, without its amount; None where neither stands."""
        here = self._peek()
        if here in _CLOSING:
            return self._bracket(_CLOSING[here])
        found = _SYMBOL.match(self.text, self.place)
        if not found:
            return None
        symbol = found.group()
        if symbol in ISOTOPES:
            raise FormulaError(
                "an isotope",
                f"{self._at(symbol)} is an isotope of hydrogen",
                "elements: H, with a column for the isotope",
            )
        if symbol not in KNOWN:
            is_open = symbol[0] in KNOWN and symbol[1:] in _OPEN_AMOUNTS
            raise self._open_amount() if is_open else self._unknown()
        self.place += len(symbol)
        return {symbol: 1.0}

    def _bracket(self, closing: str) -> dict[str, float]:
        if mark := _OXIDATION.match(self.text, self.place):
            raise FormulaError(
                "an oxidation state", f"{self._at(mark.group())} is an oxidation state", "the formula without it: Fe2O3"
            )
        self.place += 1
        self.depth += 1
        if self.depth > MAX_BRACKETS:
            raise FormulaError("brackets", f"more than {MAX_BRACKETS} brackets stand in each other")
        inside = self.place
        inner = self._formula(closing)
        held = self.text[inside : self.place]
        self.depth -= 1
        self.place += 1
        if not _AMOUNT.match(self.text, self.place) and (_STRUCTURE_WORD.fullmatch(held) or held in KNOWN):
            raise FormulaError(
                "a remark in brackets",
                f"{held!r} in brackets without an amount may name a structure",
                "the formula alone: TiO2; an amount after brackets",
            )
        return inner

    def _amount(self) -> float | None:
        """Read an amount; None where there is none."""
        found = _AMOUNT.match(self.text, self.place)
        if not found:
            return None
        digits, point, decimals = found.group().partition(".")
        shown = self._at(found.group())
        if not point and digits.strip("0") == "":
            raise FormulaError("an amount of zero", f"{shown} is an amount of zero", "the formula without that element")
        if len(digits) > 1 and digits[0] == "0":
            raise FormulaError(
                "an amount that begins with zero", f"{shown} begins with zero", "a letter O, or an amount"
            )
        self.place = found.end()
        if point and self._peek() == "." and self.text[self.place + 1 : self.place + 2].isdigit():
            raise FormulaError("two points in a number", f"{shown} is followed by another point", _HYDRATE)
        return float(f"{digits or 0}{point}{decimals}")

    def _peek(self) -> str:
        return self.text[self.place : self.place + 1]

    def _at(self, shown: str) -> str:
        return f"{shown!r} at character {self.place + 1}"

    def _unexpected(self) -> FormulaError:
        """Say what keeps the formula from going on here."""
        here = self._peek()
        if not here:
            found = "a bracket is not closed" if self.depth else "it ends where a symbol is due"
            return FormulaError("brackets" if self.depth else "no formula", found)
        after = self.text[self.place + 1 : self.place + 2]
        if here in _OPEN_AMOUNTS or (here in _SIGNS and after in _OPEN_AMOUNTS):
            return self._open_amount()
        for signs, reason, meaning, expected in _OUT_OF_PLACE:
            if here in signs:
                return FormulaError(reason, f"{self._at(here)} is {meaning}", expected)
        return self._unknown()

    def _unknown(self) -> FormulaError:
        word = _WORD.match(self.text, self.place)
        shown = word.group() if word else self._peek()
        return FormulaError("no chemical element", f"{self._at(shown)} is no chemical element")

    def _open_amount(self) -> FormulaError:
        return FormulaError(
            "an open amount", f"{self._at(self._peek())} leaves an amount open", "numbers for all amounts"
        )


def _require_one_reading(plain: str, amounts: Mapping[str, float]) -> None:
    """Refuse a point that may be a decimal one and may join two formulas.

    It may join where a solvent ends the formula after it, or where all amounts are whole and both sides are compounds
    of their own: CaO.6Al2O3. In Ba1.5Sr0.5TiO4, Cu1.8S and YBa2Cu3O6.9 it cannot.
    """
    points = [each.end() for each in _POINT.finditer(plain) if each[1] != "0"]
    if any(_SOLVENT.match(plain, end) for end in points) or (points and _joins_compounds(plain, amounts)):
        raise FormulaError(
            "a point with two meanings",
            "the point may stand in a decimal number or join two formulas",
            f"{_HYDRATE}; with blanks the point is decimal: Cu1 S1 O4.5",
        )


def _joins_compounds(plain: str, amounts: Mapping[str, float]) -> bool:
    reader = _Reader(plain, points_join=True)
    try:
        joined = reader.read()
    except FormulaError:
        return False
    marked = _MARK_BEFORE_SYMBOL.search(plain) is not None
    return joined != amounts and all(
        len(part) > 1 and (number == 0 or factor != 1 or marked) for number, (factor, part) in enumerate(reader.parts)
    )
