"""Extended xyz: a frame a row, the values of its second line as columns, and its atoms as a structure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from protocols.errors import TableError
from protocols.tables.account import AccountEntry
from protocols.tables.format import TableFormat
from protocols.tables.formats.errors import reading, too_many_rows
from protocols.tables.formats.limits import MAX_TABLE_ROWS
from protocols.tables.formats.packing import open_text
from protocols.tables.formats.reader import NestedCell, frame_of

STRUCTURE: Final = "structure"
"""The column of structures, in kinds of files that have no name for it."""

GEOMETRY: Final = ("Lattice", "Properties", "pbc")
"""Keys that belong to the atoms; all others are columns."""

PAIR: Final = re.compile(
    r"""(?P<key>[^\s="']+)\s*(?:=\s*(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'"""
    r"""|(?P<nested>\{[^}]*\}|\[(?:[^\[\]]|\[[^\[\]]*\])*\])|(?P<bare>[^\s"']+)))?(?=\s|$)"""
)
"""One `key=value` of the second line, or a key alone, which is true."""

JSON_MARK: Final = "_JSON "
"""How a value begins that is JSON."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame: its first line, its values by key, and its atoms."""

    line: int
    values: Mapping[str, str | NestedCell]
    structure: str


class ExtendedXyz:
    """A file of frames."""

    def __init__(self, path: Path, _form: TableFormat) -> None:
        self._path = path
        self._lines: list[int] = []

    def names(self) -> list[str]:
        """Return all keys in the order in which they come up, and the structure."""
        names: dict[str, None] = {}
        is_empty = True
        for frame in self._frames():
            is_empty = False
            names |= dict.fromkeys(frame.values)
        if is_empty:
            raise TableError(f"The table {self._path} is empty", expected="a frame per candidate")
        return [*names, STRUCTURE]

    def frame(self, _names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> Any:
        """Read the used columns: as text, as the file has them."""
        columns: dict[str, list[object]] = {name: [] for name in (*numeric, *texts)}
        self._lines = []
        for frame in self._frames():
            self._lines.append(frame.line)
            for name, cells in columns.items():
                cells.append(frame.structure if name == STRUCTURE else frame.values.get(name))
        return frame_of(columns, ())

    def place(self, row: int) -> str:
        """The frame and its first line."""
        return f"frame {row + 1} (line {self._lines[row]}) of {self._path.name}"

    def notes(self) -> tuple[AccountEntry, ...]:
        """Nothing: all frames are read."""
        return ()

    def _frames(self) -> Iterator[_Frame]:
        with reading(self._path), open_text(self._path) as file:
            lines = enumerate(file, start=1)
            count = 0
            for line, text in lines:
                if not text.strip():
                    continue
                count += 1
                if count > MAX_TABLE_ROWS:
                    raise too_many_rows(self._path)
                yield self._frame(line, text, lines)

    def _frame(self, line: int, text: str, lines: Iterator[tuple[int, str]]) -> _Frame:
        try:
            atoms = int(text)
        except ValueError:
            atoms = 0
        if atoms < 1:
            raise TableError(
                f"Line {line} of {self._path} has {text.strip()[:40]!r} where a frame begins",
                expected="the number of its atoms",
                action="write each frame as a number, a line of key=value and a line per atom",
            )
        body = [each for _, (_, each) in zip(range(atoms + 1), lines, strict=False)]
        if len(body) <= atoms:
            raise TableError(
                f"The frame in line {line} of {self._path} ends after {max(len(body) - 1, 0)} of {atoms} atoms",
                expected="a line per atom",
                action="check that the file is whole",
            )
        values = self._values(line + 1, body[0])
        geometry = [f'{key}="{values[key]}"' for key in GEOMETRY if key in values]
        structure = "\n".join([str(atoms), " ".join(geometry), *(each.rstrip("\r\n") for each in body[1:])]) + "\n"
        return _Frame(line, {key: value for key, value in values.items() if key not in GEOMETRY}, structure)

    def _values(self, line: int, text: str) -> dict[str, str | NestedCell]:
        values: dict[str, str | NestedCell] = {}
        at = 0
        text = text.strip()
        while at < len(text):
            found = PAIR.match(text, at)
            key = found["key"] if found else ""
            if found is None or key in values or key == STRUCTURE:
                told = f"the key {key!r} twice" if key in values else repr(text[at : at + 40])
                raise TableError(
                    f"Line {line} of {self._path} has {told}",
                    expected='key=value or key="value", each key once, and none called structure',
                    action="correct the line",
                )
            values[key] = _value(found)
            at = len(text) - len(text[found.end() :].lstrip())
        return values


def _value(found: re.Match[str]) -> str | NestedCell:
    """Return what a key says: a text as it stands, of a list its text as a nested cell."""
    if found["nested"] is not None:
        return NestedCell(found["nested"])
    quoted = found["double"] if found["double"] is not None else found["single"]
    if quoted is not None:
        text = re.sub(r"\\(.)", r"\1", quoted)
        return NestedCell(text.removeprefix(JSON_MARK)) if text.startswith(JSON_MARK) else text
    return found["bare"] if found["bare"] is not None else "True"
