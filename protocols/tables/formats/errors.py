"""What is said of a file that cannot be read."""

from __future__ import annotations

import csv
import lzma
import shlex
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from protocols.errors import TableError
from protocols.structures.reading import said_by
from protocols.tables.formats.limits import MAX_TABLE_BYTES, MAX_TABLE_ROWS

AS_THEY_STAND: Final = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson")
"""Endings of texts that are not packed, which a command converts as they stand."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a library says of a file into an error for people.

    Raises:
        TableError: For whatever a damaged file, or one that is not what its name says, makes a library raise.
    """
    try:
        yield
    except TableError:
        raise
    except UnicodeDecodeError as error:
        raise not_utf8(path, error) from error
    except (
        OSError, EOFError, ValueError, LookupError, TypeError, NotImplementedError, RecursionError, zlib.error,
        lzma.LZMAError, csv.Error, zipfile.BadZipFile, sqlite3.Error,
    ) as error:  # fmt: skip
        raise unreadable(path, error) from error


def unreadable(path: Path, error: BaseException) -> TableError:
    """Say that a library cannot read the file."""
    return TableError(
        f"The table {path} cannot be read ({said_by(error)})", action="check that it is whole and what its name says"
    )


def not_utf8(path: Path, error: UnicodeDecodeError | None = None) -> TableError:
    """Say that a text is in another encoding, and in which it seems to be."""
    start = error.object[:4] if error is not None else b""
    found = f"the byte 0x{error.object[error.start]:02x} is none of it" if error is not None else "it has zero bytes"
    is_wide = error is None or start.startswith((b"\xff\xfe", b"\xfe\xff"))
    convert = f"iconv -f {'utf-16' if is_wide else 'windows-1252'} -t utf-8"
    if path.suffix.lower() in AS_THEY_STAND:
        convert += f" {shlex.quote(path.name)} > {shlex.quote(f'utf8-{path.name}')}"
    kind = "UTF-16, as Excel's “Unicode text”" if is_wide else "Latin-1 or Windows-1252, as Excel's “CSV”"
    return TableError(
        f"The table {path} is not UTF-8 text: {found}; it may be {kind}",
        expected="UTF-8, with or without a byte-order mark",
        action=f"save it as CSV UTF-8, or convert it: {convert}",
    )


def too_many_rows(path: Path) -> TableError:
    """Say that there are more rows than are read."""
    return TableError(
        f"The table {path} has too many rows",
        expected=f"at most {MAX_TABLE_ROWS}",
        action="take a sample or a part of it",
    )


def too_large(path: Path, size: int | None = None, *, limit: int = MAX_TABLE_BYTES) -> TableError:
    """Say that there are more bytes than are read; without a size, that they were more when unpacked."""
    found = f"has {_bytes(size)}" if size is not None else f"has more than {_bytes(limit)} when it is unpacked"
    return TableError(
        f"The table {path} {found}",
        expected=f"at most {_bytes(limit)}",
        action="leave out rows or columns, or write it as Parquet",
    )


def _bytes(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB" if size % 1024**3 else f"{size // 1024**3} GiB"


def dated_column(path: Path, name: str, found: str, place: str = "") -> TableError:
    """Say that a used column holds dates or times."""
    return TableError(
        f"Column {name!r} of {path} holds {found}{f' in {place}' if place else ''}",
        expected="numbers, texts or truth values: a date is none of them, and no way to write it is the only one",
        action="write it as text, or as a number of days, or name another column",
    )
