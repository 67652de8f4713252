"""JSON as one value: a list of objects, a table in parts (Matbench), a response of OPTIMADE, a database of ASE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from protocols.errors import TableError
from protocols.tables.account import AccountEntry, Handling, cut_reason
from protocols.tables.format import TableFormat
from protocols.tables.formats.ase_rows import columns_of_ase_json
from protocols.tables.formats.errors import reading, too_many_rows
from protocols.tables.formats.frames import STRUCTURE
from protocols.tables.formats.json_text import DECODER, Elements, members_of, require_end, start_of
from protocols.tables.formats.limits import MAX_TABLE_ROWS
from protocols.tables.formats.packing import open_text
from protocols.tables.formats.reader import cell_of, frame_of

OPTIMADE_STRUCTURE: Final = (
    "lattice_vectors", "dimension_types", "cartesian_site_positions", "species", "species_at_sites", "nsites",
    "nelements", "elements", "chemical_formula_reduced", "structure_features",
)  # fmt: skip
"""The attributes that describe a structure (OPTIMADE 1.2, section 7.2), and nothing that was measured of it."""

Record = tuple[str, Mapping[str, Any]]
"""Where a record stands, and its cells by column."""


class JsonRecords:
    """A file of JSON whose top tells which of the known forms it has."""

    def __init__(self, path: Path, _form: TableFormat) -> None:
        self._path = path
        self._places: list[str] = []
        self._notes: tuple[AccountEntry, ...] = ()

    def names(self) -> list[str]:
        """Return the names of all columns, in the order in which they come up."""
        names: dict[str, None] = {}
        for _, record in self._records():
            names |= dict.fromkeys(record)
        if not names:
            raise TableError(f"The table {self._path} is empty", expected="a JSON object per candidate")
        return list(names)

    def frame(self, _names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> Any:
        """Read the used columns."""
        columns: dict[str, list[object]] = {name: [] for name in (*numeric, *texts)}
        self._places = []
        for place, record in self._records():
            self._places.append(place)
            for name, cells in columns.items():
                cells.append(cell_of(record.get(name)))
        return frame_of(columns, numeric)

    def place(self, row: int) -> str:
        """The record, counted from 1; of a database its id."""
        return f"{self._places[row]} of {self._path.name}"

    def notes(self) -> tuple[AccountEntry, ...]:
        """Tell of a response that is one page of several."""
        return self._notes

    def _records(self) -> Iterator[Record]:
        with reading(self._path):
            with open_text(self._path) as file:
                text = file.read()
            for count, record in enumerate(self._forms(text)):
                if count >= MAX_TABLE_ROWS:
                    raise too_many_rows(self._path)
                yield record

    def _forms(self, text: str) -> Iterator[Record]:
        start = start_of(text)
        if text[start : start + 1] == "[":
            values = Elements(text, start)
            yield from self._objects(values)
            require_end(text, values.end)
            return
        if text[start : start + 1] != "{":
            raise self._unknown("it is neither a list nor an object")
        members = members_of(text, start)
        if {"columns", "data"} <= members.keys():
            yield from self._split(text, members)
        elif "data" in members and text[members["data"]] == "[":
            yield from self._optimade(text, members)
        elif {"ids", "nextid"} <= members.keys():
            yield from self._ase(text, members)
        else:
            named = ", ".join(repr(name) for name in list(members)[:4]) + (", …" if len(members) > 4 else "")  # noqa: PLR2004
            raise self._unknown(f"it is one object with the keys {named}")

    def _unknown(self, found: str) -> TableError:
        return TableError(
            f"{self._path} is no JSON of a table: {found}",
            expected="a list of objects; an object with index, columns and data (Matbench); a response of OPTIMADE"
            " (data); or a JSON database of ASE",
            action="write it as a list of objects (pandas: to_json(orient='records')), or as JSON lines",
        )

    def _objects(self, values: Elements) -> Iterator[Record]:
        for count, value in enumerate(values, start=1):
            if not isinstance(value, dict):
                raise self._unknown(f"record {count} is a {type(value).__name__} and no object")
            yield f"record {count}", value

    def _split(self, text: str, members: Mapping[str, int]) -> Iterator[Record]:
        """Yield the rows of a table whose names, index and cells stand apart, as pandas and Matbench write it."""
        names = DECODER.raw_decode(text, members["columns"])[0]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self._unknown("its columns are no list of names")
        index = DECODER.raw_decode(text, members["index"])[0] if "index" in members else None
        if text[members["data"]] != "[" or not isinstance(index, list | None):
            raise self._unknown("its data or its index are no list")
        count = 0
        for count, cells in enumerate(Elements(text, members["data"]), start=1):
            if not isinstance(cells, list) or len(cells) != len(names):
                raise self._unknown(f"record {count} of its data is no list of {len(names)} cells")
            record = dict(zip(names, cells, strict=True))
            if index is not None and "index" not in record:
                record = {"index": index[count - 1] if count <= len(index) else None, **record}
            yield f"record {count}", record
        if index is not None and len(index) != count:
            raise self._unknown(f"its index has {len(index)} entries and its data {count}")

    def _optimade(self, text: str, members: Mapping[str, int]) -> Iterator[Record]:
        """Yield the entries of a response: `id`, the attributes, and the structure in a column of its own."""
        meta = DECODER.raw_decode(text, members["meta"])[0] if "meta" in members else None
        for count, entry in enumerate(Elements(text, members["data"]), start=1):
            attributes = entry.get("attributes") if isinstance(entry, dict) else None
            if not isinstance(attributes, dict) or "id" not in entry:
                raise self._unknown(f"entry {count} has no id or no attributes")
            record = {"id": entry["id"], **{name: cell for name, cell in attributes.items() if name != "id"}}
            if "lattice_vectors" in attributes and STRUCTURE not in record:
                described = {name: attributes[name] for name in OPTIMADE_STRUCTURE if name in attributes}
                record[STRUCTURE] = {"id": "", "type": "structures", "attributes": described}
            yield f"entry {count}", record
        if isinstance(meta, dict) and meta.get("more_data_available"):
            available = meta.get("data_available") or meta.get("data_returned")
            many = f" ({available})" if isinstance(available, int) else ""
            reason = f"{self._path.name} is one page of a response: the database has more entries{many}"
            self._notes = (AccountEntry(handling=Handling.NOTED, reason=cut_reason(reason), count=1),)

    def _ase(self, text: str, members: Mapping[str, int]) -> Iterator[Record]:
        """Yield the rows of a JSON database of ASE, in the order of its ids."""
        ids = DECODER.raw_decode(text, members["ids"])[0]
        for row_id in ids if isinstance(ids, list) else []:
            if str(row_id) not in members:
                raise self._unknown(f"the row {row_id!r} of its ids is not there")
            row = DECODER.raw_decode(text, members[str(row_id)])[0]
            yield f"id {row_id}", {"id": row_id, **columns_of_ase_json(row)}
