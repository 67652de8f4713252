"""The kinds of files that are read, by their endings: the one list of them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

from protocols.errors import TableError
from protocols.extras import EXTRA_OF
from protocols.settings.plug_ins import READERS, PlugIn, plug_ins
from protocols.tables.format import TableFormat
from protocols.tables.formats.arrow import FeatherTable, ParquetTable
from protocols.tables.formats.ase_database import AseDatabase
from protocols.tables.formats.delimited import DelimitedText
from protocols.tables.formats.folder import StructureFolder
from protocols.tables.formats.frames import ExtendedXyz
from protocols.tables.formats.json_lines import JsonLines
from protocols.tables.formats.json_records import JsonRecords
from protocols.tables.formats.packing import PACKINGS
from protocols.tables.formats.reader import FileFormat, TableReader
from protocols.tables.formats.workbook import Workbook


def _tsv(path: Path, form: TableFormat) -> TableReader:
    return DelimitedText(path, form, "\t")


def _text(path: Path, form: TableFormat) -> TableReader:
    return DelimitedText(path, form, None)


def _folder(path: Path, form: TableFormat) -> TableReader:
    return StructureFolder(path, form, _table_of_folder)


def _table_of_folder(name: str) -> FileFormat | None:
    """Return the kind of table that a file beside structures is; JSON and xyz are structures, and text a note."""
    found = _named(name)
    return None if found is None or found.name in NOT_BESIDE_STRUCTURES else found


FILE_FORMATS: Final = (
    FileFormat("CSV", (".csv",), DelimitedText, is_packed=True, has_delimiter=True),
    FileFormat("TSV", (".tsv",), _tsv, is_packed=True, has_delimiter=True),
    FileFormat("Text", (".txt",), _text, is_packed=True, has_delimiter=True),
    FileFormat("Parquet", (".parquet",), ParquetTable, extra=EXTRA_OF["pyarrow"]),
    FileFormat("Feather", (".feather", ".arrow"), FeatherTable, extra=EXTRA_OF["pyarrow"]),
    FileFormat("Excel", (".xlsx",), Workbook, extra=EXTRA_OF["openpyxl"], has_sheets=True),
    FileFormat("JSON lines", (".jsonl", ".ndjson"), JsonLines, is_packed=True),
    FileFormat("JSON", (".json",), JsonRecords, is_packed=True),
    FileFormat("Extended xyz", (".extxyz", ".xyz"), ExtendedXyz, is_packed=True),
    FileFormat("ASE database", (".db",), AseDatabase),
)
"""All kinds of files, the usual ones first."""

FOLDER: Final = FileFormat("Folder of structures", (), _folder, has_delimiter=True, has_sheets=True)
"""A folder, which has no ending."""

NOT_BESIDE_STRUCTURES: Final = frozenset({"Text", "JSON", "Extended xyz", "ASE database"})
"""What is no table of a folder of structures."""


def _named(name: str) -> FileFormat | None:
    lower = name.lower()
    ours = next((each for each in FILE_FORMATS if lower.endswith(endings_of(each))), None)
    return ours or next((plugged_in(each) for each in plug_ins(READERS) if lower.endswith(f".{each.name}")), None)


def plugged_in(plug_in: PlugIn) -> FileFormat:
    """Return the kind of file that an installed package reads; its entry point is named by the ending, without a point.

    Raises:
        TableError: When it cannot be imported, or is no `FileFormat` of that ending.
    """
    module, _, name = plug_in.place.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # code of somebody else may raise anything
        raise TableError(
            f"The reader of .{plug_in.name} files cannot be imported ({type(error).__name__}: {error})",
            expected=f"a FileFormat at {plug_in.place}, as {plug_in.package} says",
            action="install that package again, or uninstall it",
        ) from error
    if not isinstance(found, FileFormat) or f".{plug_in.name}" not in found.endings:
        raise TableError(
            f"{plug_in.place} of {plug_in.package} does not read .{plug_in.name} files",
            expected="a protocols.tables.formats.reader.FileFormat with this ending",
        )
    return found


def endings_of(file_format: FileFormat) -> tuple[str, ...]:
    """Return how names of its files end, the packed ones too."""
    packings = ("", *PACKINGS) if file_format.is_packed else ("",)
    return tuple(ending + packing for ending in file_format.endings for packing in packings)


def table_endings() -> tuple[str, ...]:
    """Return all endings of files that are read as tables."""
    brought = (f".{each.name}" for each in plug_ins(READERS))
    return (*(ending for each in FILE_FORMATS for ending in endings_of(each)), *brought)


def formats_in_words() -> str:
    """Return the endings as errors and help list them."""
    plain = ", ".join(ending for each in FILE_FORMATS for ending in each.endings if not each.is_packed)
    packed = ", ".join(ending for each in FILE_FORMATS for ending in each.endings if each.is_packed)
    return f"{packed} (also with {', '.join(PACKINGS)} behind it), {plain}"


def format_of(path: Path) -> FileFormat:
    """Return the kind of a file by its name; a folder is one of structures.

    Raises:
        TableError: When it has no ending of a table; with those there are.
    """
    found = _named(path.name)
    if found is not None:
        return found
    if path.is_dir():
        return FOLDER
    raise TableError(
        f"{path} is no table that can be read",
        expected=f"a name that ends in {formats_in_words()}; or a folder of structures with a table of their values",
        action="name it for what it is, or save the table as CSV",
    )
