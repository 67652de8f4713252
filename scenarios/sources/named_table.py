"""What the command line says of a table that no scenario describes: how it is written, what is believed of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from protocols.errors import SettingsError, TableError
from protocols.tables.account import Account
from protocols.tables.format import TableFormat
from protocols.wire.limits import MAX_ABS_VALUE, MAX_ID_LENGTH

DELIMITER_NAMES: Final[Mapping[str, str]] = MappingProxyType({
    "tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|",
})  # fmt: skip
"""Names of delimiters that a shell makes hard to type."""

EVERYTHING: Final = (-MAX_ABS_VALUE, MAX_ABS_VALUE)
"""What a range without bounds holds."""

SETTING_WITH_VALUE: Final = re.compile(r'\b(delimiter|decimal|sheet|missing) = \[?("[^"]*")\]?')
"""A setting of a table with the value that an advice gives it."""

SETTING_ALONE: Final = re.compile(r"\b(set|leave out|out of) (delimiter|decimal|sheet|valid_range|family_names)\b")
"""A setting of a table that an advice names without a value."""

OPTIONS: Final[Mapping[str, str]] = MappingProxyType({
    "valid_range": "--valid-range", "family_names": "--family-name",
})  # fmt: skip
"""Options that are not called as their setting is."""


@contextmanager
def told_by_options() -> Iterator[None]:
    """Name the options of the command in an advice that names settings: no scenario is there to set them in."""
    try:
        yield
    except TableError as error:
        expected, action = by_options(error.expected), by_options(error.action)
        if (expected, action) == (error.expected, error.action):
            raise
        raise TableError(error.found, expected=expected, action=action) from error


def by_options(said: str) -> str:
    """Return an advice with the options of a command for the settings of a table that it names."""
    said = SETTING_WITH_VALUE.sub(lambda found: f"{_option(found[1])} {found[2]}", said)
    return SETTING_ALONE.sub(lambda found: f"{found[1]} {_option(found[2])}", said)


def account_by_options(account: Account) -> Account:
    """Return what was told of a reading with the options of a command in its advice."""
    return tuple(each.model_copy(update={"reason": by_options(each.reason)}) for each in account)


def _option(setting: str) -> str:
    return OPTIONS.get(setting, f"--{setting}")


def table_format(
    delimiter: str | None = None, decimal: str = ".", sheet: str | None = None, missing: Iterable[str] = ()
) -> TableFormat:
    """Return how a table is written.

    Args:
        delimiter: What separates its cells: a character, or its name.
        decimal: What stands before the decimals of its numbers.
        sheet: Which sheet of a workbook it is.
        missing: What stands for a missing cell.

    Raises:
        SettingsError: With the option that cannot be meant so; an empty mark for missing cells would say nothing.
    """
    marks = tuple(missing)
    if not all(each.strip() for each in marks):
        raise SettingsError(
            "--missing names an empty text",
            expected="a text that stands for a missing cell",
            action="leave it out: an empty cell is missing anyway",
        )
    mark = None if delimiter is None else DELIMITER_NAMES.get(delimiter.strip().lower() or delimiter, delimiter)
    try:
        return TableFormat.model_validate({"delimiter": mark, "decimal": decimal, "sheet": sheet, "missing": marks})
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0])
        said = {"delimiter": delimiter, "decimal": decimal, "sheet": sheet}.get(option, list(marks))
        raise SettingsError(
            f"--{option} {said!r} cannot be meant",
            expected={
                "delimiter": f"one character, or one of {', '.join(DELIMITER_NAMES)}",
                "decimal": "a point or a comma",
            }.get(option, str(first["msg"])),
        ) from error


def number_range(said: str) -> tuple[float, float]:
    """Return the smallest and largest value of `LOW,HIGH`; an end that is left empty has no bound.

    Raises:
        SettingsError: When it is no range.
    """
    ends = re.split(r"[\s,;]+", said.strip().removeprefix("[").removesuffix("]").strip()) if said.strip() else []
    try:
        low, high = (float(end) if end else bound for end, bound in zip(ends, EVERYTHING, strict=True))
        low, high = max(low, EVERYTHING[0]), min(high, EVERYTHING[1])
    except ValueError:
        low = high = math.nan
    if not low < high:
        raise SettingsError(
            f"--valid-range {said} is no range of numbers",
            expected="LOW,HIGH such as 0,500; leave one of them empty where there is no bound",
        )
    return low, high


def renamed(said: Iterable[str]) -> dict[str, str]:
    """Return spellings of families and the family that each means, of `AS_WRITTEN=FAMILY`.

    Raises:
        SettingsError: When one has no two sides, or a spelling stands there twice.
    """
    names: dict[str, str] = {}
    for each in said:
        written, sign, meant = (part.strip() for part in each.partition("="))
        if not (written and sign and meant) or len(meant) > MAX_ID_LENGTH:
            raise SettingsError(
                f"--family-name {each!r} names no family",
                expected=f"AS_WRITTEN=FAMILY, the second of at most {MAX_ID_LENGTH} characters",
            )
        if names.setdefault(written, meant) != meant:
            raise SettingsError(
                f"--family-name gives {written!r} two families, {names[written]!r} and {meant!r}", expected="one"
            )
    return names
