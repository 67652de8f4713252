"""The panel of effects: it stands where there are no families to compare, and shows every effect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

from scenarios.why.effects_panel import draw_effects_then, effects_to_draw
from scenarios.why.explain import explain
from scenarios.why.figure import draw_explanation
from tests.support.samples.causal_decisions import benzene_world, causal_journal, causal_plan
from tests.support.samples.decided import decided_journal, decided_plan, smooth_pool

WORLD = benzene_world()
TOLD = explain(causal_journal(WORLD, causal_plan(WORLD.pool)), WORLD.pool, 1)


def test_effects_are_drawn_where_there_is_one_family_and_families_where_there_are_several() -> None:
    assert effects_to_draw(TOLD) is TOLD.effects is not None
    pool = smooth_pool()
    assert effects_to_draw(explain(decided_journal(pool, decided_plan(pool)), pool, 1)) is None


def test_every_effect_has_both_intervals_the_largest_on_top() -> None:
    believed = effects_to_draw(TOLD)
    assert believed is not None
    axes = Figure().add_subplot()
    draw_effects_then(axes, believed, "D", -0.2)
    spans = [tuple(np.asarray(line.get_xdata()).tolist()) for line in axes.lines]
    for each in believed.effects:
        for half_width in (each.half_width, each.expected_half_width):
            assert (each.mean - half_width, each.mean + half_width) in spans
    names = [text.get_text().split()[0] for text in axes.texts if "±" in text.get_text()]
    assert names == [each.name for each in sorted(believed.effects, key=lambda each: -each.mean)]


def test_it_stands_in_the_figure_of_the_decision(tmp_path: Path) -> None:
    draw_explanation(tmp_path / "why.png", TOLD)
    picture = imread(tmp_path / "why.png")
    assert picture.shape[1] == 1800
    lower = picture[picture.shape[0] // 2 :, :1300, :3]
    assert (np.abs(lower - np.array([0, 114, 178]) / 255).max(axis=2) < 0.3).sum() > 500
