r"""Cells of a CSV file that a spreadsheet would carry out or a terminal obey, made harmless; and the way back.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` (their full-width forms, blanks or a line end before
them) for a formula, wherever it came from. Such a cell gets an apostrophe before it, which tells a spreadsheet that it
is text; a number stays as it is. In a cell with control characters each of them is written as `\xNN`, a backslash as
`\\`, and `'\` stands before it. What looks like one of these already gets an apostrophe as well, so that the way back
is exact: `from_cell(to_cell(text)) == text` for every text.

Source: OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import re
from typing import Final

_FORMULA: Final = re.compile(r"['\s]*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]|'+\\")
"""How a cell begins that gets an apostrophe; also one that has got one, or looks so."""

_NUMBER: Final = re.compile(r"\s*[+-]?(?:(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan)\s*", re.IGNORECASE)
"""A number, with a point or a comma: no spreadsheet takes it for more."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters but the tab and the end of a line, which a quoted cell may hold; a carriage return alone would not
be quoted by Python's writer before 3.13, and end the row."""

_ESCAPED: Final = re.compile(r"\\(?:\\|x([0-9a-f]{2}))")

_ESCAPES: Final = "'\\"
"""What stands before a cell with escapes."""


def to_cell(text: str) -> str:
    """Return a text as it is written into a CSV file."""
    if _CONTROL.search(text):
        doubled = text.replace("\\", "\\\\")
        return _ESCAPES + _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", doubled)
    return f"'{text}" if _is_formula(text) else text


def from_cell(cell: str) -> str:
    """Return the text of a cell that `to_cell` wrote; every other cell is its own text."""
    if cell.startswith(_ESCAPES):
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", cell[len(_ESCAPES) :])
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None
