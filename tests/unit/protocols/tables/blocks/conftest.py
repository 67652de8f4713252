"""Tables in files that are read in blocks, with a cache of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from protocols.tables.blocks import limits, reading
from protocols.tables.columns import TableColumns

ROWS, BLOCK_ROWS = 1_000, 64


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("protocols.tables.blocks.source.BLOCK_ROWS", BLOCK_ROWS)
    assert limits.IN_BLOCKS_FROM_ROWS > ROWS
    reading._CHECKED.clear()


@pytest.fixture
def columns() -> Callable[..., TableColumns]:
    """What the columns of `content` mean, but for changes; read in blocks."""

    def made(**changes: Any) -> TableColumns:
        meant: dict[str, Any] = {
            "id": "id", "family": "family", "property": "y", "unit": "eV", "features": ("f?",), "in_blocks": True,
        }  # fmt: skip
        return TableColumns(**(meant | changes))

    return made


@pytest.fixture
def content() -> dict[str, Any]:
    """Columns of a table: ids in no order, spellings of families, single-precision features."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, 3)).astype(np.float32)
    return {
        "id": [f"c{number}" for number in rng.permutation(ROWS)],
        "family": rng.choice(["Cubic", "cubic", "hexagonal"], ROWS).tolist(),
        "site": rng.choice(["top  layer", "top layer", "bulk"], ROWS).tolist(),
        "y": (np.sin(3.0 * X[:, 0]) + rng.normal(size=ROWS)).tolist(),
        "seen": [None if number % 3 else float(number) for number in range(ROWS)],
        "f0": X[:, 0],
        "f1": X[:, 1],
        "f2": X[:, 2],
    }


@pytest.fixture(params=[".parquet", ".feather", ".arrow"])
def ending(request: pytest.FixtureRequest) -> str:
    """Of each kind of file that is read in blocks."""
    return str(request.param)


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes columns as a file of an ending."""

    def write(content: dict[str, Any], ending: str = ".parquet") -> Path:
        pa = pytest.importorskip("pyarrow", reason="pyarrow is in the extra parquet")
        table, path = pa.table(content), tmp_path / f"table{ending}"
        if ending == ".parquet":
            pytest.importorskip("pyarrow.parquet").write_table(table, path, row_group_size=300)
        elif ending == ".feather":
            pytest.importorskip("pyarrow.feather").write_feather(table, path, chunksize=200)
        else:
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
                stream.write_table(table, max_chunksize=150)
        return path

    return write
