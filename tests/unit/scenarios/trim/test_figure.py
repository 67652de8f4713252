"""The picture of a trimming: drawn for every outcome, named where there is room, the same bytes for the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from scenarios.trim.figure import MAX_FAMILIES_DRAWN, FamilyStrip, TrimPicture, _drawn, draw_trim


def strip(index: int, rows: int = 40, h: float | None = 0.0, random: float | None = 0.0) -> FamilyStrip:
    values = np.random.default_rng(index).normal(size=rows)
    return FamilyStrip(f"$family_{index}$", h, h, random, 0.1, values, values[: rows // 2])


def picture(families: tuple[FamilyStrip, ...]) -> TrimPicture:
    return TrimPicture("a table: 10 of 20 rows kept", "Range of entropy", "band_gap", "eV", 20, families)


@pytest.mark.parametrize(
    "families",
    [
        tuple(strip(index, h=0.1 * index) for index in range(7)),
        tuple(strip(index, h=0.1 * index) for index in range(20)),
        tuple(strip(index, h=0.1 * index) for index in range(60)),
        (strip(0, h=None, random=None),),
        (strip(0, rows=2, h=-7.0, random=-400.0), strip(1, h=1.0, random=400.0)),
        (FamilyStrip("equal", 0.0, 0.0, None, None, np.ones(9), np.ones(3)),),
        (FamilyStrip("outlier", 0.0, 0.5, 0.0, 0.1, np.r_[np.zeros(99), 1e12], np.array([1e12])),),
    ],
)
def test_every_outcome_is_drawn_at_full_width(tmp_path: Path, families: tuple[FamilyStrip, ...]) -> None:
    draw_trim(tmp_path / "trim.png", picture(families))
    assert imread(tmp_path / "trim.png").shape[1] == 1800


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    families = tuple(strip(index, h=0.1 * index) for index in range(5))
    for name in ("a.png", "b.png"):
        draw_trim(tmp_path / name, picture(families))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_of_many_families_the_poorest_and_the_richest_are_drawn_and_the_rest_counted() -> None:
    families = [strip(index, h=float(index)) for index in range(40)]
    drawn, hidden = _drawn(families)
    assert hidden == 40 - MAX_FAMILIES_DRAWN
    half = MAX_FAMILIES_DRAWN // 2
    assert [each.before for each in drawn] == [float(n) for n in (*range(39, 39 - half, -1), *range(half - 1, -1, -1))]


def test_no_text_covers_another_and_none_leaves_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib.figure

    saved: list[matplotlib.figure.Figure] = []
    save = matplotlib.figure.Figure.savefig

    def saving(figure: matplotlib.figure.Figure, *given: Any, **options: Any) -> None:
        saved.append(figure)
        save(figure, *given, **options)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", saving)
    names = [f"{n}-trigonal-trapezohedral-oxides" for n in range(20)]
    many, some = np.arange(123_456.0), np.arange(12_345.0)
    long = tuple(FamilyStrip(name, 0.1 * n, 0.1 * n, 0.1, 0.1, many, some) for n, name in enumerate(names))
    for families in (long, tuple(strip(index, h=0.1 * index) for index in range(7))):
        draw_trim(tmp_path / "trim.png", picture(families))
        figure = saved[-1]
        width, height = figure.canvas.get_width_height()
        texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
        boxes = [text.get_window_extent() for text in texts]
        for text, box in zip(texts, boxes, strict=True):
            assert box.x0 >= 0, text.get_text()
            assert box.x1 <= width, text.get_text()
            assert box.y0 >= 0, text.get_text()
            assert box.y1 <= height, text.get_text()
        for index, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[index + 1 :]), texts[index].get_text()
