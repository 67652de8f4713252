"""A folder of structures: a row per row of its table, and nothing from outside of the folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from protocols.tables.account import MAX_REASON, Handling
from protocols.tables.files import column_names
from protocols.tables.formats import folder as formats_folder
from tests.support.samples.table_files import numbers_in, opened, refused, texts_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three structures as CGCNN has them, one of another kind in a folder of its own, and no table."""
    place = tmp_path / "pool"
    (place / "mp-4").mkdir(parents=True)
    for name, symbol in (("mp-1", "Cu"), ("mp-2", "Ni"), ("mp-3", "Al")):
        write(place / f"{name}.cif", bulk(symbol))
    write(place / "mp-4" / "POSCAR", bulk("Au"), format="vasp")
    (place / "atom_init.json").write_text("{}")
    (place / "README.txt").write_text("words")
    (place / ".hidden.csv").write_text("a,b\n")
    return place


def table(folder: Path, content: str, name: str = "id_prop.csv") -> Path:
    (folder / name).write_text(content)
    return folder


def test_a_table_without_a_header_has_an_id_and_values(folder: Path) -> None:
    table(folder, "mp-1,1.5,3\nmp-3,2.5,4\n")
    file = opened(folder, numeric=("value", "value_2"), texts=("id", "structure"))
    assert file.names == ("id", "value", "value_2", "structure")
    assert file.frame["id"].tolist() == ["mp-1", "mp-3"]
    assert file.frame["value_2"].tolist() == [3, 4]
    assert file.frame["structure"].tolist() == [(folder / f"{name}.cif").read_text() for name in ("mp-1", "mp-3")]
    assert file.places([0, 1]) == ["line 1 of id_prop.csv (mp-1.cif)", "line 2 of id_prop.csv (mp-3.cif)"]


@pytest.mark.parametrize("name", ["values.csv", "values.tsv", "values.jsonl", "values.csv.gz"])
def test_a_table_with_a_header_names_files_in_whichever_column_does(folder: Path, name: str) -> None:
    import pandas as pd

    frame = pd.DataFrame({"name": ["Cu", "Au"], "file": ["mp-1.cif", "mp-4/POSCAR"], "gap": [0.5, 1.0]})
    if name.endswith("jsonl"):
        frame.to_json(folder / name, orient="records", lines=True)
    else:
        frame.to_csv(folder / name, index=False, sep="\t" if "tsv" in name else ",")
    assert column_names(folder) == ("name", "file", "gap", "structure")
    assert numbers_in(folder, "gap") == [0.5, 1.0]
    assert "Au" in str(texts_in(folder, "structure")[1])


def test_a_bare_file_of_vasp_goes_by_the_name_of_its_folder(folder: Path) -> None:
    assert "Au" in str(texts_in(table(folder, "id,e\nmp-4,1\n"), "structure")[0])


def test_what_no_row_names_is_told_and_a_file_that_is_not_there_is_missing(folder: Path) -> None:
    file = opened(table(folder, "mp-1,1\nmp-9,2\n"), texts=("structure",))
    assert file.frame["structure"].tolist()[1] is None
    assert file.place(1) == "line 2 of id_prop.csv (no single file 'mp-9')"
    (note,) = file.notes
    assert (note.handling, note.count, note.places) == (Handling.NOTED, 3, ("POSCAR", "mp-2.cif", "mp-3.cif"))
    assert opened(table(folder, "mp-1,1\nmp-2,2\nmp-3,3\nmp-4,4\n"), numeric=("value",)).notes == ()


def test_a_name_that_stands_for_two_files_is_none(folder: Path) -> None:
    write(folder / "mp-1.vasp", bulk("Cu"), format="vasp")
    file = opened(table(folder, "mp-2,1\nmp-1,2\n"), texts=("structure",))
    assert file.frame["structure"].tolist()[1] is None
    assert texts_in(table(folder, "mp-1.vasp,1\n"), "structure") == [(folder / "mp-1.vasp").read_text()]


def test_nothing_outside_of_the_folder_is_read(folder: Path) -> None:
    secret = folder.parent / "secret.cif"
    secret.write_text("data_secret")
    (folder / "link.cif").symlink_to(secret)
    (folder / "linked").symlink_to(folder.parent)
    (folder / "own.cif").symlink_to("mp-1.cif")
    rows = ["mp-1", "../secret.cif", str(secret), "link", "linked/secret.cif", "own"]
    found = texts_in(table(folder, "".join(f"{name},1\n" for name in rows)), "structure")
    assert [text is not None for text in found] == [True, False, False, False, False, True]


def test_bytes_that_are_no_text_are_given_as_bytes(folder: Path) -> None:
    (folder / "mp-1.cif").write_bytes(b"data_x\xff")
    assert texts_in(table(folder, "mp-1,1\n"), "structure") == [b"data_x\xff"]


def test_a_folder_without_a_table_or_with_several_is_refused(folder: Path) -> None:
    assert "has no table" in refused(folder)
    table(folder, "a,b\n1,2\n", "one.csv")
    table(folder, "a,b\n1,2\n", "two.csv")
    assert "several tables: one.csv, two.csv" in refused(folder)


def test_a_table_that_names_no_files_says_which_there_are(folder: Path) -> None:
    table(folder, "a,b\n1,2\n")
    assert "POSCAR, mp-1.cif" in refused(folder, texts=("structure",))
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".csv":
            path.unlink()
    assert "has no structures" in refused(folder, texts=("structure",))


def test_a_column_of_dates_names_no_files(folder: Path) -> None:
    import pandas as pd

    pytest.importorskip("pyarrow", reason="pyarrow is an extra")
    pd.DataFrame({"day": pd.to_datetime(["2020-01-01"]), "name": ["mp-2"]}).to_parquet(folder / "t.parquet")
    assert "Ni" in str(texts_in(folder, "structure")[0])


def test_a_table_with_a_long_name_is_told_in_as_much_as_an_account_takes(folder: Path) -> None:
    table(folder, "name,e\nmp-1,1\n", f"{'x' * 250}.csv")
    (note,) = opened(folder, numeric=("e",)).notes
    assert (len(note.reason), note.count) == (MAX_REASON, 3)


def test_a_column_called_structure_would_stand_twice(folder: Path) -> None:
    assert "several columns 'structure'" in refused(table(folder, "structure,e\nmp-1,1\n"))


def test_settings_of_the_table_are_those_of_the_folder(folder: Path) -> None:
    table(folder, "name;e\nmp-1;1,5\n")
    assert numbers_in(folder, "e", delimiter=";", decimal=",") == [1.5]


def test_files_that_are_too_large_or_too_many_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(folder, "mp-1,1\nmp-2,1\n")
    size = (folder / "mp-1.cif").stat().st_size
    monkeypatch.setattr(formats_folder, "MAX_TABLE_BYTES", size + 1)
    assert "when it is unpacked" in refused(folder, texts=("structure",))
    monkeypatch.setattr(formats_folder, "MAX_STRUCTURE_BYTES", size - 1)
    assert "The structure" in refused(folder, texts=("structure",))
    monkeypatch.setattr(formats_folder, "MAX_FOLDER_FILES", 3)
    assert "too many files" in refused(folder)
