"""The judged policy against every other as a picture: a panel a figure, whatever is defined, the same bytes again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from scenarios.compare.difference_figure import MAX_PANELS, draw_differences, is_the_same
from scenarios.compare.measures import Contrast, Measure, contrasts


def differences(figures: int, seeds: int = 8) -> list[Contrast]:
    rng = np.random.default_rng(0)
    names = ("etal", "random", "a.module.with.a.name:AndAPolicyOfALongName")
    measures = [
        Measure(
            "target_$", "random_forest" if place % 2 else "", f"figure_{place}", f"figure {place} $", "nat", True, (),
            {name: tuple(rng.normal(k, 1.0, seeds).tolist()) for k, name in enumerate(names)},
        )
        for place in range(figures)
    ]  # fmt: skip
    return contrasts(measures, names)


@pytest.mark.parametrize(("figures", "seeds"), [(1, 8), (7, 8), (7, 3), (MAX_PANELS + 3, 8)])
def test_any_number_of_figures_gives_a_picture_1800_pixels_wide(tmp_path: Path, figures: int, seeds: int) -> None:
    draw_differences(tmp_path / "d.png", differences(figures, seeds), title="T $", subtitle="s")
    picture = imread(tmp_path / "d.png")
    assert picture.shape[1] == 1800
    assert picture[..., :3].std() > 0.02


def test_a_comparison_that_is_not_defined_leaves_its_row_empty(tmp_path: Path) -> None:
    measure = Measure("", "", "x", "x", "", True, (), {"etal": (None,), "random": (1.0,)})
    draw_differences(tmp_path / "d.png", contrasts([measure], ("etal", "random")), title="t", subtitle="s")
    assert (tmp_path / "d.png").stat().st_size > 0


def test_the_same_comparison_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_differences(tmp_path / name, differences(4), title="t", subtitle="s")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_figure_that_all_have_alike_is_said_and_not_drawn(tmp_path: Path) -> None:
    names = ("etal", "random")
    same = Measure("", "", "coverage", "coverage", "", False, (), dict.fromkeys(names, (1.0,) * 8))
    constant = contrasts([same], names)
    assert is_the_same(constant)
    assert not is_the_same(differences(1))
    draw_differences(tmp_path / "with.png", [*differences(3), *constant], title="t", subtitle="s")
    draw_differences(tmp_path / "without.png", differences(3), title="t", subtitle="s")
    shapes = [imread(tmp_path / name).shape for name in ("with.png", "without.png")]
    assert shapes[0] == shapes[1], "no panel more"
