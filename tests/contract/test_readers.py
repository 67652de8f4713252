"""Our own readers of tables keep what every reader keeps: the suite that authors of plug-ins run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from protocols.tables.format import TableFormat
from protocols.tables.formats.registry import FILE_FORMATS
from scenarios.testing.readers import ReaderContract, ReaderSample

CELLS: dict[str, list[Any]] = {"name": ["steel", "glass", "oak"], "hardness": [2.5, 5.5, None]}
KINDS = {each.name: each for each in FILE_FORMATS}
SPACED = TableFormat(delimiter=";", decimal=",")


def delimited(mark: str, decimal: str = ".") -> str:
    rows = [("name", "hardness"), ("steel", "2.5"), ("glass", "5.5"), ("oak", "")]
    return "".join(f"{name}{mark}{value.replace('.', decimal)}\n" for name, value in rows)


def rows() -> list[dict[str, object]]:
    return [dict(zip(CELLS, cells, strict=True)) for cells in zip(*CELLS.values(), strict=True)]


def write(kind: str, folder: Path) -> tuple[Path, TableFormat]:
    """Write the cells as a file of a kind."""
    path = folder / f"values{KINDS[kind].endings[0]}"
    texts = {
        "CSV": delimited(","),
        "TSV": delimited("\t"),
        "Text": delimited(";", ","),
        "JSON lines": "".join(f"{json.dumps(row)}\n" for row in rows()),
        "JSON": json.dumps(rows()),
    }
    frame = pd.DataFrame(CELLS)
    if kind in texts:
        path.write_text(texts[kind], encoding="utf-8")
    elif kind == "Parquet":
        frame.to_parquet(path, index=False)
    elif kind == "Feather":
        frame.to_feather(path)
    else:
        frame.to_excel(path, index=False)
    return path, SPACED if kind == "Text" else TableFormat()


@pytest.mark.parametrize("kind", ["CSV", "TSV", "Text", "JSON lines", "JSON", "Parquet", "Feather", "Excel"])
class TestReaders(ReaderContract):
    @pytest.fixture
    def sample(self, kind: str, tmp_path: Path) -> ReaderSample:
        path, form = write(kind, tmp_path)
        return ReaderSample(KINDS[kind], path, CELLS, form)
