"""Record batches of a Parquet or Arrow file, one after the other; only the used columns, only a block at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from protocols.errors import TableError
from protocols.tables.blocks.limits import BLOCK_ROWS, MAX_BATCH_BYTES
from protocols.tables.files import column_names_in_order
from protocols.tables.formats.arrow import ARROW_FILE, OLD_FEATHER, load_arrow
from protocols.tables.formats.errors import reading

PARQUET: Final = ".parquet"

ARROW: Final = (".feather", ".arrow")

READ_AHEAD_BYTES: Final = 1 << 20
"""What is read of a column of Parquet at once: never a whole row group, which may be the whole file."""


def can_be_read_in_blocks(path: Path) -> bool:
    """Whether a file is of a kind that can be read in blocks, by its name."""
    return path.suffix.lower() in (PARQUET, *ARROW)


class BlockSource:
    """A file that is read in blocks.

    Args:
        path: A Parquet or Arrow file.

    Attributes:
        names: Its columns.
        rows: How many rows it has.

    Raises:
        TableError: When it is missing or torn, or pyarrow is not installed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise TableError(
                f"There is no table {path}",
                expected="a Parquet or Arrow file beside the scenario file, or where you are",
                action="correct the path, or put the table there",
            )
        self._is_parquet = path.suffix.lower() == PARQUET
        with self._opened() as file:
            self._schema = file.schema_arrow if self._is_parquet else file.schema
            in_footer = file.metadata.num_rows if self._is_parquet else None
        self.rows: int = self._counted() if in_footer is None else in_footer
        self.names = column_names_in_order(path, list(self._schema.names))

    def kind(self, name: str) -> Any:
        """Return the type of a column."""
        return self._schema.field(name).type

    def place(self, row: int) -> str:
        """Where a row (from 0) stands, as a person counts."""
        return f"row {row + 1:,} of {self.path.name}"

    def blocks(self, names: Sequence[str]) -> Iterator[tuple[int, Any]]:
        """Yield blocks: the number of the first row, and a record batch of the columns that are named.

        Raises:
            TableError: When the file is torn, or a batch of an Arrow file is too large to be read.
        """
        row = 0
        with reading(self.path), self._opened(names) as file:
            batches = (
                file.iter_batches(batch_size=BLOCK_ROWS, columns=list(names), use_threads=False)
                if self._is_parquet
                else self._parts(file)
            )
            for batch in batches:
                yield row, batch
                row += batch.num_rows
        if row != self.rows:
            raise TableError(
                f"The table {self.path} ends after {row:,} of {self.rows:,} rows",
                expected="a whole file",
                action="write or copy it again",
            )

    def _parts(self, file: Any) -> Iterator[Any]:
        """Yield parts of the batches of an Arrow file; a batch is read whole, because it lies there whole."""
        for batch in self._batches(file):
            if batch.nbytes > MAX_BATCH_BYTES:
                raise TableError(
                    f"A record batch of {self.path} has {batch.num_rows:,} rows, {batch.nbytes / 1024**2:,.0f} MiB",
                    expected=f"batches of at most {MAX_BATCH_BYTES // 1024**2} MiB, for each is read whole",
                    action=f"write it in smaller batches (chunksize={BLOCK_ROWS:,} of pyarrow.feather), or as Parquet",
                )
            for start in range(0, batch.num_rows, BLOCK_ROWS):
                yield batch.slice(start, BLOCK_ROWS)

    def _counted(self) -> int:
        """Return the number of rows, without the columns but the first."""
        if not self._schema.names:
            return 0
        with self._opened(self._schema.names[:1]) as one:
            return sum(batch.num_rows for batch in self._batches(one))

    @staticmethod
    def _batches(file: Any) -> Iterator[Any]:
        if hasattr(file, "num_record_batches"):
            yield from (file.get_batch(place) for place in range(file.num_record_batches))
        else:
            yield from file

    @contextmanager
    def _opened(self, names: Sequence[str] | None = None) -> Iterator[Any]:
        if self._is_parquet:
            parquet = load_arrow(self.path, "pyarrow.parquet")
            with (
                reading(self.path),
                parquet.ParquetFile(self.path, buffer_size=READ_AHEAD_BYTES, pre_buffer=False) as file,
            ):
                yield file
            return
        arrow, ipc = load_arrow(self.path, "pyarrow"), load_arrow(self.path, "pyarrow.ipc")
        # No memory map: its pages would count as ours, and nobody but pyarrow could give them back.
        with reading(self.path), arrow.OSFile(str(self.path)) as source:
            start = source.read(len(ARROW_FILE))
            source.seek(0)
            if start.startswith(OLD_FEATHER):
                raise TableError(
                    f"{self.path} is of Feather's version 1",
                    expected="version 2, which is the file format of Arrow",
                    action="write it again with a newer pandas, or as Parquet",
                )
            open_it = ipc.open_file if start == ARROW_FILE else ipc.open_stream
            if names is None:
                yield open_it(source)
                return
            used = sorted({self._schema.names.index(name) for name in names})
            yield open_it(source, options=ipc.IpcReadOptions(included_fields=used))
