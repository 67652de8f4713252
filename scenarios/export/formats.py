"""The forms in which one table is given out, for a command and for a page: `encode(table, "csv", about)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocols.errors import SettingsError
from scenarios.export.as_csv import as_csv
from scenarios.export.as_json import as_json
from scenarios.export.as_parquet import as_parquet
from scenarios.export.table import Table

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
"""Form -> media type; a file of a form ends with its name."""


def encode(table: Table, form: str, about: Mapping[str, Any]) -> bytes:
    """Return a table in a form.

    Args:
        table: The table.
        form: One of `MEDIA_TYPES`.
        about: What is said of it in forms that can say it (JSON, Parquet): plain values.

    Raises:
        SettingsError: When there is no such form.
        ExtraMissingError: When Parquet is asked for and PyArrow is not installed.
    """
    match form:
        case "csv":
            return as_csv(table)
        case "json":
            return as_json((table,), about)
        case "parquet":
            return as_parquet(table, about)
        case _:
            raise SettingsError(f"A table cannot be given out as {form[:40]!r}", expected=", ".join(MEDIA_TYPES))
