"""The dataset as a file: what was written is read back to the last digit, and no cell is obeyed by a spreadsheet."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.store.dataset_rows import DatasetRow
from protocols.errors import TableError
from scenarios.run.dataset import COLUMNS, read_dataset_csv, write_dataset_csv

ROW = DatasetRow(
    0, "c-1", "fe2o3", "cubic", 0.1 + 0.2, None, "eV/atom", "", 0, "start", "", "2026-01-01T00:00:00Z", 2, ""
)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    rows = [
        ROW,
        DatasetRow(
            1,
            "c-2",
            "=HYPERLINK(1)",
            "+family",
            -1.5e-300,
            0.25,
            "",
            "dear",
            3,
            "@lab",
            "a1",
            "2026",
            9,
            '{"x": "\\u001b"}',
        ),
        DatasetRow(None, "c-3", "a,b", 'say "x"', 1.0, 0.0, "eV", "", 0, "lab\nx", "a2", "2026", 10, ""),
    ]
    write_dataset_csv(tmp_path / "dataset.csv", rows)
    assert read_dataset_csv(tmp_path / "dataset.csv") == rows


def test_no_cell_begins_as_a_spreadsheet_would_carry_it_out(tmp_path: Path) -> None:
    row = DatasetRow(1, "=1", "+1x", "-x", 1.0, None, "@u", "=f", 0, "=by", "=a", "=w", 2, "=d")
    write_dataset_csv(tmp_path / "dataset.csv", [row])
    cells = (tmp_path / "dataset.csv").read_text().splitlines()[1].split(",")
    assert not [cell for cell in cells if cell[:1] in "=+-@" and cell]
    assert read_dataset_csv(tmp_path / "dataset.csv") == [row]


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1), st.floats(allow_nan=False, allow_infinity=False))
def test_any_name_and_any_number_survive(tmp_path_factory: pytest.TempPathFactory, name: str, value: float) -> None:
    path = tmp_path_factory.mktemp("any") / "dataset.csv"
    row = DatasetRow(1, name, name, name, value, value, "", "", 0, name, "", "", 1, "")
    write_dataset_csv(path, [row])
    assert read_dataset_csv(path) == [row]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "(none)"),
        ("a,b\n", "a, b"),
        (",".join(COLUMNS) + "\n1,2\n", "line 2: 2 cells"),
        (",".join(COLUMNS) + "\n" + ",".join("x" for _ in COLUMNS) + "\n", "line 2"),
    ],
)
def test_what_is_no_dataset_is_told_with_its_line(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "dataset.csv").write_text(text)
    with pytest.raises(TableError) as error:
        read_dataset_csv(tmp_path / "dataset.csv")
    assert found in error.value.found


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(TableError):
        read_dataset_csv(Path("none") / "dataset.csv")
