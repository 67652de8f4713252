"""A cached world is the world that was made, or it is made again; the cache is never trusted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.pool.candidates import Candidate, make_pool
from agent.pool.designs import make_designs
from protocols.storage.kept import cache_folder
from protocols.wire.structure import CrystalStructure
from scenarios.world.cache import Known, cached


class Maker:
    """Makes a small world and counts how often."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Known:
        self.made += 1
        cell = ((4.05, 0.0, 0.0), (0.0, 4.05, 0.0), (0.0, 0.0, 4.05))
        structure = CrystalStructure(cell=cell, symbols=("Al",), scaled_positions=((0.0, 0.0, 0.0),))
        candidates = [Candidate(f"al-{number}", "cubic", "Al", structure) for number in range(3)]
        return make_pool(candidates, np.array([[0.1], [1 / 3], [2.0]]), ["x"]), np.array([0.1, 0.2, 1 / 7])


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def ask(make: Callable[[], Known], source: Path, seed: int = 0) -> Known:
    return cached("toy", [source], {"seed": seed}, make)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "generator.py"
    path.write_text("version = 1\n")
    return path


def test_the_second_time_it_is_read_and_is_the_same_to_the_last_bit(source: Path) -> None:
    make = Maker()
    first, second = ask(make, source), ask(make, source)
    assert make.made == 1
    assert first[0].digest == second[0].digest
    assert first[0].candidates == second[0].candidates
    assert np.array_equal(first[0].features, second[0].features)
    assert np.array_equal(first[1], second[1])


def test_pinned_arithmetic_makes_another_world(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The golden of emt_alloys was once recorded over a pool that another arithmetic had left in the cache."""
    make = Maker()
    ask(make, source)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    ask(make, source)
    assert make.made == 2


def test_another_seed_or_changed_code_makes_another_world(source: Path) -> None:
    make = Maker()
    ask(make, source)
    ask(make, source, seed=1)
    source.write_text("version = 2\n")
    ask(make, source)
    assert make.made == 3


@pytest.mark.parametrize("damage", ["torn", "garbage", "edited", "missing value"])
def test_a_damaged_cache_is_made_anew(source: Path, damage: str) -> None:
    make = Maker()
    ask(make, source)
    (path,) = cache_folder().glob("toy-*.json.gz")
    content = path.read_bytes()
    if damage == "torn":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "garbage":
        path.write_bytes(b"no archive")
    else:
        tree = json.loads(gzip.decompress(content))
        if damage == "edited":
            tree["features"][0][0] += 1.0
        else:
            tree["values"]["value"].pop()
        path.write_bytes(gzip.compress(json.dumps(tree).encode()))
    pool, values = ask(make, source)
    assert make.made == 2
    assert pool.features[0, 0] == 0.1
    assert len(values) == 3


def test_a_home_that_cannot_be_written_costs_time_and_nothing_else(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    make = Maker()
    ask(make, source)
    pool, _ = ask(make, source)
    assert make.made == 2
    assert len(pool) == 3


def test_designs_are_kept_with_their_question(source: Path) -> None:
    def make() -> Known:
        pool, values = Maker()()
        columns = {"x": ["p", "p", "q", "q"], "y": ["r", "s"] * 2}
        texts = [each.formula for each in pool.candidates]
        return replace(pool, designs=make_designs(columns, [0, 1, 2, 2], texts, queried="x", reference="q")), values

    first, second = ask(make, source), ask(Maker(), source)
    assert first[0].digest == second[0].digest
    kept = second[0].designs
    assert kept is not None
    assert first[0].designs is not None
    assert (kept.queried, kept.reference, kept.levels) == ("x", first[0].designs.reference, first[0].designs.levels)
    np.testing.assert_array_equal(kept.codes, first[0].designs.codes)
