"""A pool in files answers as one in memory does, makes candidates when they are asked for, and does not grow."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from agent.campaign.context import pool_arrays
from agent.pool import mapped_pool as of_mapped
from agent.pool.candidates import Pool
from agent.pool.growth import NewCandidate, growth_breach
from agent.pool.mapped_pool import MappedPool, mapped_pool
from agent.pool.tables import pool_from_table
from protocols.tables.blocks.reading import read_in_blocks
from protocols.tables.columns import TableColumns
from protocols.tables.table import read_table

ROWS = 300


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[MappedPool, Pool]:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is in the extra parquet")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(of_mapped, "BLOCK_ROWS", 64)
    rng = np.random.default_rng(0)
    path = tmp_path / "table.parquet"
    content = {
        "id": [f"c{number}" for number in rng.permutation(ROWS)],
        "family": rng.choice(["a", "b"], ROWS),
        "y": rng.normal(size=ROWS),
        "f": rng.normal(size=ROWS),
    }
    pytest.importorskip("pyarrow.parquet").write_table(pa.table(content), path)
    columns = TableColumns(id="id", family="family", property="y", unit="eV", features=("f",), in_blocks=True)
    in_memory = pool_from_table(read_table(path, columns))
    return mapped_pool(read_in_blocks(path, columns), has_ids=True), in_memory


def test_it_answers_as_the_pool_in_memory(both: tuple[MappedPool, Pool]) -> None:
    pool, other = both
    assert len(pool) == len(other)
    assert pool.digest == other.digest
    assert list(pool.candidates) == list(other.candidates)
    assert dict(pool.index_of) == dict(other.index_of)
    assert dict(pool.family_of) == dict(other.family_of)
    assert dict(pool.of_source_id) == dict(other.of_source_id)
    assert dict(pool.source_id_of) == dict(other.source_id_of)
    assert pool.smiles == other.smiles
    assert pool.parameter_units == other.parameter_units
    assert pool.label_names == other.label_names
    assert pool.candidate("c17") == other.candidate("c17")
    assert pool.warnings == ()


def test_its_digest_is_kept_beside_the_arrays(both: tuple[MappedPool, Pool], monkeypatch: pytest.MonkeyPatch) -> None:
    pool, _ = both
    assert pool.table is not None
    monkeypatch.setattr(of_mapped, "digest_in_blocks", lambda *_: "made again")
    assert mapped_pool(pool.table, has_ids=True).digest == pool.digest
    (pool.table.folder / f"{of_mapped.DIGEST}.json").write_bytes(b"torn")
    assert mapped_pool(pool.table, has_ids=True).digest == "made again"


def test_its_arrays_travel_to_another_process_by_name(both: tuple[MappedPool, Pool]) -> None:
    arrays = pool_arrays(both[0])
    sent = pickle.dumps(arrays)
    assert len(sent) < 2_000
    again = pickle.loads(sent)
    assert tuple(again.candidate_ids) == both[1].candidate_ids
    assert again.features.tolist() == both[1].features.tolist()
    assert again.family_codes.tolist() == both[1].family_codes.tolist()


def test_it_does_not_grow(both: tuple[MappedPool, Pool]) -> None:
    new = [NewCandidate("new-one", "a", (0.5,))]
    assert "read in blocks from a table, and does not grow" in growth_breach(both[0], new)
    assert growth_breach(both[1], new) == ""
    assert growth_breach(both[0], []) == ""


def test_without_a_column_of_ids_none_has_one_of_its_table(both: tuple[MappedPool, Pool]) -> None:
    table = both[0].table
    assert table is not None
    pool = mapped_pool(table, has_ids=False)
    assert pool.candidates[0].source_id == ""
    assert not pool.of_source_id
