"""Kept rows are equal to the rows of the table, in every kind of file."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.db import connect
from ase.io import write as write_atoms

from protocols.errors import TableError
from protocols.tables.format import TableFormat
from protocols.tables.formats.packing import open_bytes
from protocols.tables.formats.registry import FILE_FORMATS, FOLDER
from scenarios.trim.report import write_trim
from scenarios.trim.rows import is_copied, remark_on, trimmed_name, write_rows
from scenarios.trim.source import NamedColumns, read_source
from scenarios.trim.trim import TrimResult, measure_for, rows_wanted, trim

COUNT = 40


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "id": [f"MP {n}/α" for n in range(COUNT)],
            "family": ["cubic" if n % 3 else "hexagonal" for n in range(COUNT)],
            "energy": np.round(rng.normal(size=COUNT), 6),
            "note": [f'a "b", {n};\n c' if n % 7 == 0 else "" for n in range(COUNT)],
        }
    )


def trimmed(path: Path, form: TableFormat = TableFormat()) -> TrimResult:  # noqa: B008 - frozen
    source = read_source(str(path), NamedColumns("family", "energy", None, "eV", format=form))
    return trim(source, rows_wanted("15", source), measure_for(source.values, "m_spacing", None), 0)


def kept_ids(done: TrimResult) -> list[str]:
    return [f"MP {n}/α" for n in done.source.positions[done.rows].tolist()]


TEXTS: dict[str, tuple[str, TableFormat]] = {
    ".csv": (",", TableFormat()),
    ".tsv": ("\t", TableFormat()),
    ".txt": ("|", TableFormat(delimiter="|")),
    "-semicolons.csv": (";", TableFormat(delimiter=";", decimal=",")),
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("ending", TEXTS)
def test_texts_are_copied_letter_by_letter(ending: str, packing: str, tmp_path: Path) -> None:
    delimiter, form = TEXTS[ending]
    text = frame().to_csv(
        index=False, sep=delimiter, decimal=form.decimal, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC
    )
    path = tmp_path / f"t{ending}{packing}"
    path.write_bytes(PACKERS[packing](text.encode()))
    done = trimmed(path, form)
    assert remark_on(done.source) == ""
    target = write_trim(done, tmp_path / "out").files[0]
    assert target.name == f"{path.name.partition('.')[0]}-trimmed.{path.name.partition('.')[2]}"
    with open_bytes(target) as file:
        written = file.read().decode()
    back = pd.read_csv(io.StringIO(written, newline=""), sep=delimiter, decimal=form.decimal)
    assert back["id"].tolist() == kept_ids(done)
    assert all(record in text for record in written.split("\r\n"))
    assert read_source(str(target), NamedColumns("family", "energy", format=form)).values.tolist() == (
        done.source.values[done.rows].tolist()
    )


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_cells_that_a_spreadsheet_would_carry_out_are_harmless_in_a_trimmed_text_and_read_as_before(
    ending: str, tmp_path: Path
) -> None:
    names = {"fcc": "=HYPERLINK(1)", "bcc": "@SUM(1)"}
    table = frame()
    table["family"] = [list(names.values())[row % 2] for row in range(len(table))]
    table["remark"] = "-1.5"
    delimiter = "," if ending == ".csv" else "\t"
    path = tmp_path / f"t{ending}"
    table.to_csv(path, index=False, sep=delimiter)
    done = trimmed(path)
    target = write_trim(done, tmp_path / "out").files[0]
    with target.open(newline="") as file:
        cells = {cell for row in csv.reader(file, delimiter=delimiter) for cell in row}
    assert {cell for cell in cells if cell.startswith(("=", "@", "'"))} == {"'=HYPERLINK(1)", "'@SUM(1)"}
    assert "-1.5" in cells
    again = read_source(str(target), NamedColumns("family", "energy", None, "eV"))
    assert set(again.families) == set(names.values()) == set(done.source.families)
    copied = write_rows(again, np.arange(len(again.values)), tmp_path / f"again{ending}")
    assert (copied, (tmp_path / f"again{ending}").read_bytes()) == ([], target.read_bytes())


@pytest.mark.parametrize("packing", [".zst", ".zip"])
def test_other_packings_are_written_as_they_were_read(packing: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.csv{packing}"
    frame().to_csv(path, index=False)
    done = trimmed(path)
    target = write_trim(done, tmp_path / "out").files[0]
    assert target.name == f"t-trimmed.csv{packing}"
    assert pd.read_csv(target)["id"].tolist() == kept_ids(done)
    if packing == ".zip":
        assert zipfile.ZipFile(target).namelist() == ["t-trimmed.csv"]


@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".jsonl.gz"])
def test_json_lines_are_copied_line_by_line(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{ending}"
    lines = [json.dumps(row | {"deep": [row["energy"]]}) + "\n" for row in frame().to_dict("records")]
    text = "".join(f"{line}\n" if n == 3 else line for n, line in enumerate(lines))  # a blank line is no row
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    done = trimmed(path)
    with open_bytes(write_trim(done, tmp_path / "out").files[0]) as file:
        assert file.read().decode() == "".join(lines[n] for n in done.source.positions[done.rows])


def test_feather_stays_feather(tmp_path: Path) -> None:
    path = tmp_path / "t.feather"
    frame().to_feather(path)
    done = trimmed(path)
    target = write_trim(done, tmp_path / "out").files[0]
    assert target.name == "t-trimmed.feather"
    pd.testing.assert_frame_equal(pd.read_feather(target), frame().iloc[done.rows].reset_index(drop=True))


def excel(path: Path) -> Path:
    frame().to_excel(path / "t.xlsx", index=False)
    return path / "t.xlsx"


def json_records(path: Path) -> Path:
    (path / "t.json").write_text(json.dumps(frame().to_dict("records")))
    return path / "t.json"


def crystal(n: int) -> Atoms:
    return Atoms("Cu", cell=[3 + n / 100] * 3, pbc=True)


def ase_database(path: Path) -> Path:
    with connect(str(path / "t.db")) as database:
        for n, row in enumerate(frame().to_dict("records")):
            database.write(crystal(n), name=row["id"], family=row["family"], energy_mean=row["energy"])
    return path / "t.db"


def extended_xyz(path: Path) -> Path:
    frames = []
    for n, row in enumerate(frame().to_dict("records")):
        atoms = crystal(n)
        atoms.info |= {"name": row["id"], "family": row["family"], "energy_mean": row["energy"]}
        frames.append(atoms)
    write_atoms(path / "t.extxyz", frames)
    return path / "t.extxyz"


def folder(path: Path) -> Path:
    place = path / "t"
    place.mkdir()
    for n in range(COUNT):
        write_atoms(place / f"c{n}.cif", crystal(n))
    table = frame().assign(file=[f"c{n}" for n in range(COUNT)], name=frame()["id"], id=[f"c{n}" for n in range(COUNT)])
    table.rename(columns={"energy": "energy_mean"}).drop(columns=["note", "file"]).to_csv(
        place / "table.csv", index=False
    )
    return place


@pytest.mark.parametrize("made", [excel, json_records, ase_database, extended_xyz, folder])
def test_what_cannot_be_copied_row_by_row_is_written_as_csv_with_a_remark(
    made: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = made(tmp_path)
    energy, name = ("energy", "id") if made in {excel, json_records} else ("energy_mean", "name")
    source = read_source(str(path), NamedColumns("family", energy))
    done = trim(source, 15, measure_for(source.values, "m_spacing", None), 0)
    target = write_trim(done, tmp_path / "out").files[0]
    assert target.name == "t-trimmed.csv"
    assert any("cannot be copied row by row: the kept rows are written as CSV" in note for note in done.notes())
    again = read_source(str(target), NamedColumns("family", energy, name))
    assert again.values.tolist() == source.values[done.rows].tolist()
    assert pd.read_csv(target)[name].tolist() == kept_ids(done)
    if made in {ase_database, extended_xyz, folder}:
        assert pd.read_csv(target)["structure"].notna().all()


def test_every_kind_of_file_is_copied_or_remarked_upon() -> None:
    copied = {each.name for each in FILE_FORMATS if is_copied(each)}
    assert copied == {"CSV", "TSV", "Text", "Parquet", "Feather", "JSON lines"}
    assert not is_copied(FOLDER)


def test_columns_that_cannot_be_read_are_left_out_of_a_csv_one_by_one_and_told(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    long = pd.Series([10**16] * COUNT)
    frame().assign(day=pd.Timestamp("2026-01-01"), long=long, size=7).to_excel(path, index=False)
    done = trimmed(path)
    written = write_trim(done, tmp_path / "out")
    back = pd.read_csv(written.files[0])
    assert back.columns.tolist() == ["id", "family", "energy", "note", "size"]
    assert back["id"].tolist() == kept_ids(done)
    day, digits = written.notes[-2:]
    assert day.startswith("t-trimmed.csv lacks a column that cannot be read. Column 'day' of ")
    assert day.endswith("holds a date or a time (2026-01-01 00:00:00) in row 2 of the sheet 'Sheet1'.")
    assert "Column 'long' of " in digits
    assert json.loads(written.files[2].read_text())["notes"] == list(written.notes)


def test_a_fault_that_is_none_of_an_unused_column_is_not_swallowed(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    frame().to_excel(path, index=False)
    done = trimmed(path)
    frame().assign(energy=pd.Timestamp("2026-01-01")).to_excel(path, index=False)
    with pytest.raises(TableError, match=r"Column 'energy' of .* holds a date"):
        write_trim(done, tmp_path / "out")
    wider = frame().assign(more=1).rename(columns={"more": ""})
    wider.to_excel(path, index=False)
    with pytest.raises(TableError, match="cells beyond the header's 4 columns"):
        write_trim(done, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_name_of_the_trimmed_table_ends_as_its_own_in_its_own_letters(tmp_path: Path) -> None:
    path = tmp_path / "My.Table.CSV.GZ"
    path.write_bytes(gzip.compress(frame().to_csv(index=False).encode()))
    assert trimmed_name(trimmed(path).source) == "My.Table-trimmed.CSV.GZ"
