r"""What every reader of tables keeps: names, cells and places of a file as they stand, or an error that says why not.

    from entropilot.testing import ReaderContract, ReaderSample


    class TestBars(ReaderContract):
        @pytest.fixture
        def sample(self, tmp_path):
            path = tmp_path / "values.bars"
            path.write_text("name|hardness\nsteel|2.5\niron|1.5\n")
            return ReaderSample(bars, path, {"name": ["steel", "iron"], "hardness": [2.5, 1.5]})

What is damaged is made of the sample.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import TableError
from protocols.tables.account import AccountEntry
from protocols.tables.format import TableFormat
from protocols.tables.formats.errors import reading
from protocols.tables.formats.reader import FileFormat


@dataclass(frozen=True, slots=True)
class ReaderSample:
    """A kind of file, and a file of it.

    Attributes:
        file_format: The kind.
        path: A file of at least two rows, alone in its folder.
        cells: What stands in it, by column in order: numbers where a column holds numbers (None or NaN where a cell is
            empty), texts elsewhere.
        format: How it is written, where its ending does not tell.
    """

    file_format: FileFormat
    path: Path
    cells: Mapping[str, Sequence[object]]
    format: TableFormat = field(default_factory=TableFormat)


class ReaderContract:
    """The promises of a reader of tables. Derive a class from it, and supply the fixture `sample`."""

    @pytest.fixture
    def sample(self, tmp_path: Path) -> ReaderSample:
        """Return the kind of file, and a file of it."""
        raise NotImplementedError("supply a fixture sample that returns a ReaderSample")

    def test_its_endings_are_how_names_end(self, sample: ReaderSample) -> None:
        """Endings begin with a point and are in lower case, and the sample has one of them."""
        endings = sample.file_format.endings
        assert all(each.startswith(".") and each == each.lower() for each in endings)
        assert not endings or sample.path.name.lower().endswith(endings)

    def test_it_gives_the_names_of_all_columns_in_order(self, sample: ReaderSample) -> None:
        """The names are texts, each once, as the file has them."""
        names = _open(sample).names()
        assert names == list(sample.cells)
        assert all(isinstance(name, str) for name in names)

    def test_it_gives_the_cells_as_they_stand(self, sample: ReaderSample) -> None:
        """Numbers come as floats, texts as texts, and what is empty as nothing."""
        frame = _frame(sample, sample.cells)
        for name, cells in sample.cells.items():
            assert len(frame) == len(cells)
            for found, expected in zip(frame[name].tolist(), cells, strict=True):
                assert _is_same(found, expected), f"{name}: {found!r} is read, and {expected!r} stands there"

    def test_one_column_is_read_as_it_is_among_all(self, sample: ReaderSample) -> None:
        """Whichever columns are asked for, each holds the same."""
        whole = _frame(sample, sample.cells)
        for name in reversed(list(sample.cells)):
            alone = _frame(sample, {name: sample.cells[name]})
            assert all(map(_is_same, alone[name].tolist(), whole[name].tolist()))

    def test_every_row_has_a_place_that_a_person_finds(self, sample: ReaderSample) -> None:
        """Places are words, and no two rows have the same."""
        reader = _open(sample)
        rows = _read(reader, sample, sample.cells)
        places = [reader.place(row) for row in range(len(rows))]
        assert all(places)
        assert len(set(places)) == len(places)
        assert all(isinstance(each, AccountEntry) for each in reader.notes())

    def test_reading_changes_nothing(self, sample: ReaderSample) -> None:
        """The file is as it was, nothing lies beside it, and another reader reads the same."""
        before = _folder(sample.path)
        first, second = _frame(sample, sample.cells), _frame(sample, sample.cells)
        assert _folder(sample.path) == before
        assert all(all(map(_is_same, first[name].tolist(), second[name].tolist())) for name in sample.cells)

    @pytest.mark.parametrize("damage", ["empty", "half", "noise", "one byte", "not there"])
    def test_a_damaged_file_is_an_error_in_words_or_is_read(self, sample: ReaderSample, damage: str) -> None:
        """What cannot be read raises a TableError (or what `reading` makes one of), and never anything else."""
        if sample.path.is_dir():
            pytest.skip("it reads folders")
        content = sample.path.read_bytes()
        if damage == "not there":
            sample.path.unlink()
        else:
            noise = hashlib.sha256(content).digest() * 64
            bytes_of = {"empty": b"", "half": content[: len(content) // 2], "noise": noise, "one byte": b"\x00"}
            sample.path.write_bytes(bytes_of[damage])
        try:
            with reading(sample.path):
                reader = _open(sample)
                names = reader.names()
                frame = reader.frame(names, (), names)
                assert len(frame.columns) >= len(set(names))
        except TableError as error:
            assert error.found


def _open(sample: ReaderSample) -> Any:
    return sample.file_format.open(sample.path, sample.format)


def _frame(sample: ReaderSample, cells: Mapping[str, Sequence[object]]) -> Any:
    return _read(_open(sample), sample, cells)


def _read(reader: Any, sample: ReaderSample, cells: Mapping[str, Sequence[object]]) -> Any:
    reader.names()
    numeric = [name for name in cells if all(_is_number(cell) for cell in sample.cells[name])]
    return reader.frame(list(sample.cells), numeric, [name for name in cells if name not in numeric])


def _is_number(cell: object) -> bool:
    return cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool))


def _is_nothing(cell: object) -> bool:
    return cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell))


def _is_same(found: object, expected: object) -> bool:
    if _is_nothing(expected):
        return _is_nothing(found)
    if _is_number(expected) and not isinstance(found, str):
        return found == expected
    return str(found) == str(expected)


def _folder(path: Path) -> dict[str, str]:
    """Return what lies beside a file, by name: digests of content."""
    files = sorted(each for each in path.parent.rglob("*") if each.is_file())
    return {str(each.relative_to(path.parent)): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}
