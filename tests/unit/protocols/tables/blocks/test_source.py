"""Blocks of a Parquet or Arrow file: all rows in order, only what is asked for, and never a torn file in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from protocols.errors import TableError
from protocols.tables.blocks import source as of_source
from protocols.tables.blocks.source import BlockSource


def test_blocks_are_the_rows_in_order(content: dict[str, Any], written: Callable[..., Path], ending: str) -> None:
    source = BlockSource(written(content, ending))
    assert source.rows == 1_000
    assert source.names == tuple(content)
    found: list[float] = []
    for row, batch in source.blocks(("f1", "y")):
        assert row == len(found)
        assert batch.num_rows <= 64
        assert sorted(batch.schema.names) == ["f1", "y"]
        found += batch.column("f1").to_pylist()
    assert found == content["f1"].tolist()


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_torn_file_is_told(content: dict[str, Any], written: Callable[..., Path], ending: str, kept: float) -> None:
    path = written(content, ending)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(TableError, match=f"table{ending}"):
        for _ in BlockSource(path).blocks(("f1",)):
            pass


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="There is no table"):
        BlockSource(tmp_path / "none.parquet")


def test_a_batch_that_is_too_large_is_told(
    content: dict[str, Any], written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_source, "MAX_BATCH_BYTES", 100)
    with pytest.raises(TableError, match=r"A record batch .* has 200 rows.* Expected: batches of at most"):
        list(BlockSource(written(content, ".feather")).blocks(("f1", "y")))


def test_an_old_feather_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "old.feather"
    path.write_bytes(b"FEA1" + bytes(100))
    with pytest.raises(TableError, match="Feather's version 1"):
        BlockSource(path)


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "twice.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(
        pa.Table.from_arrays([pa.array(np.zeros(3)), pa.array(np.ones(3))], names=["a", "a"]), path
    )
    with pytest.raises(TableError, match="several columns 'a'"):
        BlockSource(path)


def test_without_pyarrow_the_extra_is_named(
    content: dict[str, Any], written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(content)

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(TableError, match=r"pyarrow is not installed. What to do: pip install 'entropilot\[parquet\]'"):
        BlockSource(path)
