"""Files of tables as tests write and read them: what the used columns hold, and what a refusal says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import TableError
from protocols.tables.files import NestedCell, TableFile, column_names, read_file
from protocols.tables.format import TableFormat


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    """Write a file as it is given, line ends too, and return its path."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def opened(path: Path, numeric: tuple[str, ...] = (), texts: tuple[str, ...] = (), **settings: Any) -> TableFile:
    """Read the used columns of a file."""
    form = TableFormat(**settings)
    return read_file(path, column_names(path, form), numeric=numeric, texts=texts, format=form)


def texts_in(path: Path, name: str, **settings: Any) -> list[object]:
    """The cells of a column of texts: None where there is nothing, JSON where there is an object."""
    cells = opened(path, texts=(name,), **settings).frame[name].tolist()
    return [_plain(cell) for cell in cells]


def numbers_in(path: Path, name: str, **settings: Any) -> list[object]:
    """The cells of a column of numbers, as they reach whoever checks them; None where there is nothing."""
    cells = opened(path, numeric=(name,), **settings).frame[name].tolist()
    return [_plain(cell) for cell in cells]


def refused(path: Path, numeric: tuple[str, ...] = (), texts: tuple[str, ...] = (), **settings: Any) -> str:
    """What is said of a file that cannot be read."""
    with pytest.raises(TableError) as caught:
        opened(path, numeric, texts, **settings)
    return str(caught.value)


def _plain(cell: object) -> object:
    if isinstance(cell, NestedCell):
        return f"JSON {cell}"
    return None if isinstance(cell, float) and math.isnan(cell) else cell
