"""A series holds each figure of each observation, with bands where there is time; of very many their extremes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.store.read_only import reading_journal
from scenarios.watch.reading import series as series_module
from scenarios.watch.reading.find import open_run
from scenarios.watch.state.points import Column
from scenarios.watch.state.series import decode
from tests.support.runs.watched_runs import POOL, random_run, stands_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "demo"
    random_run(folder, 5)
    return folder


def test_a_series_is_the_trajectory(folder: Path) -> None:
    source = open_run(folder)
    series = decode(source.series())
    with reading_journal(folder / "campaign.db") as (store, _):
        points = list(store.trajectory())
    assert (series.first, series.last, series.total, series.reduced) == (0, len(points) - 1, len(points), False)
    for place, column in enumerate(series.columns):
        if column.metric is not None:
            right = [getattr(point, column.metric) for _, point in points]
        elif column.what == "entropy":
            right = [point.entropies[point.families.index(str(column.family))] for _, point in points]
        elif column.what == "size":
            right = [point.sizes[point.families.index(str(column.family))] for _, point in points]
        else:
            continue
        told = [np.nan if value is None else value for value in right]
        assert series.values[:, place] == pytest.approx(told, rel=1e-6, nan_ok=True), column
    source.close()


def test_bands_come_with_the_next_answer_where_there_was_no_time_for_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.watch.reading.bands.BUDGET_S", 0.0)
    source = open_run(folder)
    assert not np.isfinite(banded(source.series())).any()
    assert not source.has_all_bands
    monkeypatch.setattr("scenarios.watch.reading.bands.BUDGET_S", 60.0)
    bands = banded(source.series())
    assert source.has_all_bands
    stands = {stand.observation: stand.ledger.meter.bands() for stand in stands_of(folder, set(range(99)))}
    stands.pop(None)
    for observation, right in stands.items():
        ends = [end for band in right for end in (band or (np.nan, np.nan))]
        assert bands[observation] == pytest.approx(ends, abs=1e-6, nan_ok=True)
    source.close()


def banded(content: bytes) -> np.ndarray:
    series = decode(content)
    places = [place for place, column in enumerate(series.columns) if column.what in {"low", "high"}]
    assert len(places) == 2 * len(POOL.families)
    return series.values[:, places]


def test_very_many_observations_are_told_by_their_extremes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_run(folder)
    whole = decode(source.series())
    monkeypatch.setattr(series_module, "MOST_UNREDUCED", 5)
    series = decode(source.series(columns=4))
    assert (series.reduced, len(series.values), series.total) == (True, 4, whole.total)
    gap = list(whole.columns).index(Column(metric="mean_gap"))
    low, high = (list(series.columns).index(Column(metric="mean_gap", what=what)) for what in ("min", "max"))
    assert np.nanmin(series.values[:, low]) == np.nanmin(whole.values[:, gap])
    assert np.nanmax(series.values[:, high]) == np.nanmax(whole.values[:, gap])
    assert series.values[-1, 0] == whole.last
    source.close()


@pytest.mark.parametrize(("first", "last"), [(3, 7), (-5, 4), (2, 10_000), (9, 9)])
def test_a_window_is_cut_out_of_the_whole(folder: Path, first: int, last: int) -> None:
    source = open_run(folder)
    whole, part = decode(source.series()), decode(source.series(first, last))
    right = whole.values[max(first, 0) : last + 1]
    names = [column for column in part.columns if column.what not in {"low", "high"}]
    for column in names:
        place, other = list(part.columns).index(column), list(whole.columns).index(column)
        assert np.array_equal(part.values[:, place], right[:, other], equal_nan=True)
    source.close()


def test_points_come_once_and_in_order_however_they_are_asked_for(folder: Path) -> None:
    source = open_run(folder)
    every = source.points_after(0)
    told: list[tuple[float | None, ...]] = []
    sequence = 0
    while True:
        points = source.points_after(sequence, 3)
        told += points.rows
        sequence = points.sequence
        if not points.more:
            break
    assert told == list(every.rows)
    assert [row[0] for row in told] == list(range(len(told)))
    assert source.points_after(sequence).rows == ()
    source.close()
