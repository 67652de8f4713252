"""How a text table is written, where nobody says it and its first lines agree."""

from __future__ import annotations

from pathlib import Path

from protocols.tables.files import column_names
from protocols.tables.format import TableFormat
from protocols.tables.formats.delimited import OtherDelimiterError


def written_as(path: Path, told: TableFormat) -> TableFormat:
    """Return how a table is written: as a person says, else as its first lines agree.

    Raises:
        TableError: When it cannot be read in any way.
    """
    try:
        column_names(path, told)
    except OtherDelimiterError as other:
        if told.delimiter is not None:
            raise
        return told.model_copy(update={"delimiter": other.delimiter, "decimal": other.decimal})
    return told
