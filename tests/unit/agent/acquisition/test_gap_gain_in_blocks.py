"""A policy that scores every candidate in blocks chooses what it chooses with all in memory, ties included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.acquisition import gap_gain
from agent.acquisition.base import AcquisitionContext, Policy, PoolArrays, Proposal
from agent.acquisition.gap_gain import GapGain
from agent.acquisition.uncertainty import Uncertainty
from agent.surrogate import queries as of_queries
from protocols.errors import SettingsError
from protocols.tables.blocks.mapped_array import mapped
from tests.support.biased_worlds import World

DECISIONS = 25

SAME_SCORE = 1e-8
"""How far scores may differ that are summed in another order [part of the score]."""


def in_a_file(pool: PoolArrays, folder: Path, dtype: str) -> PoolArrays:
    """The same pool with its features in a file."""
    path = folder / "features"
    pool.features.astype(dtype).tofile(path)
    return replace(pool, features=mapped(str(path), dtype, pool.features.shape))


def played(policy: Policy, world: World, count: int, in_flight: int) -> list[Proposal]:
    """Proposals of a campaign with so many requests in flight."""
    requested: list[int] = []
    made = []
    for number in range(DECISIONS):
        answered = np.array(requested[: max(0, len(requested) - in_flight)], dtype=np.int64)
        pending = np.sort(np.array(requested[len(answered) :], dtype=np.int64))
        made.append(policy.propose(world.context(acquired=answered, pending=pending, seed=number), count))
        requested += [each.index for each in made[-1].choices]
    return made


def same(one: list[Proposal], other: list[Proposal]) -> None:
    for mine, yours in zip(one, other, strict=True):
        assert [each.index for each in mine.choices] == [each.index for each in yours.choices]
        scores = [each.score for each in mine.choices]
        assert [each.score for each in yours.choices] == pytest.approx(scores, rel=SAME_SCORE, abs=1e-12)
        assert mine.target_family == yours.target_family


def small_blocks(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(of_queries, "BLOCK_ROWS", rows)
    monkeypatch.setattr(of_queries, "KEPT_BYTES", 0)
    monkeypatch.setattr(gap_gain, "SCORED_AT_ONCE", rows)


POLICIES: dict[str, Callable[[int], Policy]] = {
    "gap_gain": lambda memory_mb: GapGain(active_rows="all", memory_mb=memory_mb),
    "uncertainty": lambda memory_mb: Uncertainty(memory_mb=memory_mb),
}


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize(("count", "in_flight"), [(1, 0), (3, 4)])
def test_in_blocks_it_chooses_what_it_chooses_with_all_in_memory(
    biased: Callable, monkeypatch: pytest.MonkeyPatch, name: str, count: int, in_flight: int
) -> None:
    world = biased(3, start_per_family=6)
    whole = played(POLICIES[name](1_024), world, count, in_flight)
    small_blocks(monkeypatch, 37)
    same(whole, played(POLICIES[name](0), world, count, in_flight))


@pytest.mark.parametrize("name", POLICIES)
def test_a_pool_in_a_file_gives_the_bits_of_the_pool_in_memory(
    biased: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """In single precision too, where the features have no more: scores, reasons and figures are the same."""
    small_blocks(monkeypatch, 37)
    world = biased(4, start_per_family=6)
    for dtype in ("<f8", "<f4"):
        features = world.pool.features.astype(dtype).astype(np.float64)
        in_memory = replace(world, pool=replace(world.pool, features=features))
        in_file = replace(world, pool=in_a_file(world.pool, tmp_path, dtype))
        assert played(POLICIES[name](0), in_file, 2, 2) == played(POLICIES[name](0), in_memory, 2, 2)


@pytest.mark.parametrize("name", POLICIES)
def test_ties_fall_to_the_lowest_index_across_blocks(
    biased: Callable, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Every candidate is there thrice, far apart: the first of them is chosen, whichever block it stands in."""
    world = biased(5, start_per_family=6)
    pool = world.pool
    n = len(pool.features)
    thrice = replace(
        pool,
        candidate_ids=tuple(f"c{index:06d}" for index in range(3 * n)),
        features=np.tile(pool.features, (3, 1)),
        family_codes=np.tile(pool.family_codes, 3),
    )
    repeated = replace(world, pool=thrice, truth=np.tile(world.truth, 3))
    whole = played(POLICIES[name](1_024), repeated, 1, 0)
    small_blocks(monkeypatch, 53)
    same(whole, played(POLICIES[name](0), repeated, 1, 0))
    assert whole[0].choices[0].index < n


def test_what_is_no_number_of_rows_is_refused() -> None:
    for wrong in ("most", 0, 2.5):
        with pytest.raises(SettingsError, match="active_rows"):
            GapGain(active_rows=wrong)  # type: ignore[arg-type]
    for policy in (GapGain, Uncertainty):
        with pytest.raises(SettingsError, match="memory_mb"):
            policy(memory_mb=-1)


def test_of_a_large_pool_a_sample_is_scored_unless_all_are_asked_for(biased: Callable) -> None:
    world = biased(6, start_per_family=6)
    context: AcquisitionContext = world.context()
    sampled, every = GapGain(active_rows=50), GapGain(active_rows="all")
    assert "expected_gain" in sampled.propose(context, 1).details
    assert every.propose(context, 1) == GapGain(active_rows=len(world.pool.features)).propose(context, 1)
