"""A folder of structures with a table that names their files: a row per row of the table, with the file's text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from protocols.errors import TableError, invariant
from protocols.settings.suggestions import listed
from protocols.tables.account import MAX_PLACES, AccountEntry, Handling, cut_reason
from protocols.tables.format import TableFormat
from protocols.tables.formats.delimited import DelimitedText
from protocols.tables.formats.errors import reading, too_large
from protocols.tables.formats.frames import STRUCTURE
from protocols.tables.formats.limits import MAX_FOLDER_FILES, MAX_STRUCTURE_BYTES, MAX_TABLE_BYTES
from protocols.tables.formats.reader import FileFormat, TableReader

STRUCTURE_ENDINGS: Final = (".cif", ".vasp", ".poscar", ".contcar", ".extxyz", ".xyz", ".json")
"""How names of files end that hold one structure; `POSCAR` and `CONTCAR` need no ending."""

BARE_NAMES: Final = ("poscar", "contcar")
"""How names of VASP's files begin, which have no ending."""

USUAL_TABLE: Final = "id_prop.csv"
"""What CGCNN calls its table, which has no header: an id and one value or more."""

BESIDE: Final = ("atom_init.json",)
"""What CGCNN needs in the folder besides, and is no structure."""


class StructureFolder:
    """A folder of structures; `table_format` tells by the name of a file in it whether it is a table, and which."""

    def __init__(self, path: Path, form: TableFormat, table_format: Callable[[str], FileFormat | None]) -> None:
        self._path = path
        self._form = form
        self._table_format = table_format
        self._files = self._listed()
        self._table = self._chosen_table()
        self._index = self._indexed()
        self._inner = self._open_table()
        self._told: list[str] = []
        self._notes: tuple[AccountEntry, ...] = ()

    def names(self) -> list[str]:
        """Return the columns of the table, and that of the structures."""
        return [*self._inner.names(), STRUCTURE]

    def frame(self, _names: Sequence[str], numeric: Sequence[str], texts: Sequence[str]) -> Any:
        """Read the used columns of the table, and the files that its rows name."""
        import pandas as pd

        naming = self._naming_column()
        of_table = [name for name in texts if name != STRUCTURE]
        frame = self._inner.frame(self._inner.names(), numeric, tuple(dict.fromkeys((*of_table, naming))))
        names = _texts(frame[naming])
        paths = [self._found(name) for name in names]
        self._told = [
            f"no single file {name!r}" if path is None else path.name for name, path in zip(names, paths, strict=True)
        ]
        if STRUCTURE in texts:
            contents: list[object] = []
            size = 0
            for path in paths:
                size += 0 if path is None else path.stat().st_size
                if size > MAX_TABLE_BYTES:
                    raise too_large(self._path)
                contents.append(None if path is None else self._content(path))
            frame[STRUCTURE] = pd.Series(contents, dtype=object)
        self._notes = tuple(self._account({path for path in paths if path is not None}))
        return frame

    def place(self, row: int) -> str:
        """The line of the table and the file, or that there is none."""
        return f"{self._inner.place(row)} ({self._told[row]})"

    def notes(self) -> tuple[AccountEntry, ...]:
        """Tell of files that no row names."""
        return (*self._inner.notes(), *self._notes)

    def _listed(self) -> dict[str, Path]:
        """Return the files of the folder and of the folders in it, by their path in it; none from elsewhere."""
        found: dict[str, Path] = {}
        root = self._path.resolve()
        with reading(self._path):
            for folder in (self._path, *sorted(each for each in self._path.iterdir() if each.is_dir())):
                with os.scandir(folder) as entries:
                    for entry in entries:
                        path = Path(entry.path)
                        if entry.is_file() and not entry.name.startswith(".") and path.resolve().is_relative_to(root):
                            found[path.relative_to(self._path).as_posix()] = path
                        if len(found) > MAX_FOLDER_FILES:
                            raise TableError(
                                f"The folder {self._path} has too many files", expected=f"at most {MAX_FOLDER_FILES}"
                            )
        return dict(sorted(found.items()))

    def _indexed(self) -> dict[str, set[Path]]:
        """Return the files of structures by each way to name one.

        These are its path in the folder, its name, its name without ending, and of `mp-1/POSCAR` also `mp-1`.
        """
        index: dict[str, set[Path]] = {}
        for name, path in self._files.items():
            lower = path.name.lower()
            ending = next((end for end in STRUCTURE_ENDINGS if lower.endswith(end)), "")
            if path == self._table or lower in BESIDE or not (ending or lower.startswith(BARE_NAMES)):
                continue
            inner = () if ending or "/" not in name else (path.parent.name,)
            for key in (name, path.name, path.name[: len(path.name) - len(ending)], *inner):
                index.setdefault(key, set()).add(path)
        return index

    def _found(self, name: str) -> Path | None:
        """Return the file that a cell names; a name that stands for two is none."""
        found = self._index.get(name, set())
        return next(iter(found)) if len(found) == 1 else None

    def _chosen_table(self) -> Path:
        names = [name for name in self._files if "/" not in name and self._table_format(name) is not None]
        if USUAL_TABLE in names:
            return self._files[USUAL_TABLE]
        if len(names) == 1:
            return self._files[names[0]]
        raise TableError(
            f"The folder {self._path} has {f'several tables: {listed(names)}' if names else 'no table'}",
            expected=f"structures, and one table that names their files, such as {USUAL_TABLE} (id and value a line)",
            action="leave one table in the folder" if names else "put a table of ids and values beside the structures",
        )

    def _open_table(self) -> TableReader:
        """Open the table; one of text whose first line names a file has no header."""
        form = self._table_format(self._table.name)
        invariant(form is not None, "the table was chosen for its format")
        reader = form.open(self._table, self._form)  # type: ignore[union-attr]
        first = reader.names()
        if not isinstance(reader, DelimitedText) or self._found(first[0]) is None:
            return reader
        others = ["value", *(f"value_{count}" for count in range(2, len(first)))]
        return reader.without_header(["id", *others[: len(first) - 1]])

    def _naming_column(self) -> str:
        """Return the column whose cells name the most files.

        Raises:
            TableError: When none names any.
        """
        counts: dict[str, int] = {}
        for name in self._inner.names():
            counts[name], rows = self._count(name)
            if counts[name] == rows:  # no other names more, and each is a reading of the whole table
                break
        best = max(counts, key=lambda name: counts[name])
        if counts[best]:
            return best
        structures = sorted({path.name for paths in self._index.values() for path in paths})
        raise TableError(
            f"No column of {self._table} names files of {self._path}, which are {listed(structures)}"
            if structures
            else f"The folder {self._path} has no structures",
            expected="a column with names of files, with or without their ending "
            f"({', '.join(STRUCTURE_ENDINGS)}, POSCAR)",
            action="add such a column, or put the files into the folder",
        )

    def _count(self, name: str) -> tuple[int, int | None]:
        """Return how many cells of a column name files, and how many there are; None where it cannot be read."""
        try:
            cells = self._inner.frame(self._inner.names(), (), (name,))[name]
        except TableError:  # a column of dates, say, names no files
            return 0, None
        return sum(self._found(text) is not None for text in _texts(cells)), len(cells)

    def _content(self, path: Path) -> object:
        """Return the text of a file, or its bytes where they are no UTF-8, for the reader of cells to refuse."""
        with reading(path):
            size = path.stat().st_size
            if size > MAX_STRUCTURE_BYTES:
                raise TableError(
                    f"The structure {path} has {size / 1024**2:.0f} MiB",
                    expected=f"at most {MAX_STRUCTURE_BYTES // 1024**2} MiB",
                    action="leave out what is no structure in it",
                )
            content = path.read_bytes()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return content

    def _account(self, used: set[Path]) -> Iterator[AccountEntry]:
        surplus = sorted({path.name for paths in self._index.values() for path in paths if path not in used})
        if surplus:
            yield AccountEntry(
                handling=Handling.NOTED,
                reason=cut_reason(f"a file of a structure that no row of {self._table.name} names is not read"),
                count=len(surplus),
                places=tuple(surplus[:MAX_PLACES]),
            )


def _texts(cells: Any) -> list[str]:
    """Return cells as stripped texts, empty where there is nothing."""
    return ["" if gap else str(cell).strip() for cell, gap in zip(cells.tolist(), cells.isna(), strict=True)]
