"""The figure of a decision is drawn for everything that can be told, with nothing on top of anything else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread
from matplotlib.text import Text

from scenarios.display.figure_style import save_figure
from scenarios.why import figure as drawing
from scenarios.why.explain import explain
from scenarios.why.explanation import Explanation, FamilyAtDecision, Prediction
from scenarios.why.figure import draw_explanation, span_of
from tests.support.samples.decided import decided_journal, decided_plan, smooth_pool

POOL = smooth_pool()
JOURNAL = decided_journal(POOL, decided_plan(POOL))
TOLD = explain(JOURNAL, POOL, 4)
LONG = "a family with a name of great length, in $ and [brackets]"


def with_outcome(told: Explanation, **changes: Any) -> Explanation:
    first = replace(told.first, outcome=replace(told.first.outcome, **changes))
    return replace(told, chosen=(first, *told.chosen[1:]))


def with_families(told: Explanation, *families: FamilyAtDecision) -> Explanation:
    return replace(told, then=replace(told.then, families=families))


def family(name: str, entropy: float | None, *, excluded: bool = False) -> FamilyAtDecision:
    return FamilyAtDecision(
        name=name, size=123, entropy=entropy, in_flight=0, available=1, no_gain_count=3, excluded=excluded
    )


CASES = {
    "as it is": TOLD,
    "first": explain(JOURNAL, POOL, 0),
    "awaited": with_outcome(TOLD, value=None, before=None, after=None),
    "no prediction": replace(TOLD, prediction=Prediction(None, None), deviations=None),
    "only a deviation": replace(TOLD, prediction=Prediction(None, 0.5), deviations=None),
    "only a mean": replace(TOLD, prediction=Prediction(0.5, 0.0), deviations=None),
    "a sharp prediction far off": replace(TOLD, prediction=Prediction(50.0, 1e-6), deviations=-5e7),
    "a surrogate that knows nothing": replace(TOLD, prediction=Prediction(0.0, 1e6), deviations=1e-6),
    "no values": with_outcome(replace(TOLD, shown_values=(), prediction=Prediction(None, None)), value=None),
    "equal values": replace(TOLD, shown_values=(0.5,) * 9),
    "an outlier": replace(TOLD, shown_values=(*TOLD.shown_values, 1e9)),
    "all families": replace(TOLD, shown_family=None),
    "300 families": with_families(TOLD, *(family(f"family {i}", float(i)) for i in range(300))),
    "long names": with_families(
        replace(TOLD, property_name="a_property_of_a_very_long_name_that_nobody_reads", campaign="c" * 64,
                reason=LONG * 4, shown_family=LONG),
        family(LONG, -1.234), family("B" * 64, None), family("W" * 64, 12.5, excluded=True),
    ),
    "no entropy": with_families(TOLD, family("a", None)),
}  # fmt: skip


@pytest.mark.parametrize("told", CASES.values(), ids=CASES)
def test_everything_that_can_be_told_gives_a_picture_without_overlaps(
    tmp_path: Path, told: Explanation, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures: list[Any] = []
    save = save_figure

    def saving(figure: Any, path: Path) -> None:
        figures.append(figure)
        save(figure, path)

    monkeypatch.setattr(drawing, "save_figure", saving)
    draw_explanation(tmp_path / "why.png", told)
    picture = imread(tmp_path / "why.png")
    assert picture.shape[1] == 1800
    assert picture[..., :3].std() > 0.02
    assert_apart(figures[0])


def assert_apart(figure: Any) -> None:
    """No text covers another, and none is cut off at the edge."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    undrawn = undrawn_tick_labels(figure)
    boxes = [
        (text.get_text(), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in undrawn
    ]
    width, height = figure.canvas.get_width_height()
    for at, (words, box) in enumerate(boxes):
        assert box.x0 >= 0, words
        assert box.y0 >= 0, words
        assert box.x1 <= width, words
        assert box.y1 <= height, words
        for other, there in boxes[at + 1 :]:
            overlap = min(box.x1, there.x1) - max(box.x0, there.x0), min(box.y1, there.y1) - max(box.y0, there.y0)
            assert min(overlap) <= 1, (words, other)


def undrawn_tick_labels(figure: Any) -> set[Any]:
    """The labels of ticks beyond the limits: matplotlib makes them and does not draw them."""
    axises = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    drawn = {tick for axis in axises for tick in axis._update_ticks()}
    ticks = {tick for axis in axises for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]} - drawn
    return {label for tick in ticks for label in (tick.label1, tick.label2)}


def test_the_same_explanation_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_explanation(tmp_path / name, TOLD)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_axis_shows_what_matters_and_says_what_it_leaves_off() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 1e6])
    span = span_of(values, 2.5, 2.0, 0.1)
    assert span.beyond == 1
    assert span.low < 0
    assert 3 < span.high < 10
    far = span_of(values[:4], 40.0, None, None)
    assert far.low < 0
    assert far.high > 40
    ignorant = span_of(values[:4], 2.5, 2.0, 1e9)
    assert ignorant.high < 10
    assert span_of(np.empty(0), None, None, None).beyond == 0
