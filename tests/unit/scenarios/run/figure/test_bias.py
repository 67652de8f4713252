"""The picture of a trajectory: drawn for every one that can occur, its names in the picture and beside the data."""

import itertools
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from agent.entropy.bias import BiasPoint
from scenarios.display.figure_style import WIDTH_IN
from scenarios.display.observation_axis import set_observation_limits
from scenarios.run.figure.bias import (
    LEFT_MARGIN,
    course_sentence,
    draw_bias,
    draw_families,
    families_height_in,
    families_right,
    has_rows,
)
from scenarios.run.figure.curves import Curves
from scenarios.run.figure.families import MAX_LINES
from scenarios.run.trajectory import Trajectory
from tests.support.shown.grown import grown

NOTHING = BiasPoint(("a",), (0,), (None,), None, None, None, "a")


@pytest.mark.parametrize(
    "trajectory",
    [
        grown(7, 60, bands=True),
        grown(1, 20),
        grown(40, 20),
        grown(300, 20),
        grown(7, 0),
        Trajectory("p", "u", ((0, NOTHING),)),
    ],
    ids=["seven", "one family", "forty", "300 families", "one point", "no entropy"],
)
def test_every_trajectory_gives_a_picture_1800_pixels_wide(tmp_path: Path, trajectory: Trajectory) -> None:
    draw_bias(tmp_path / "bias.png", trajectory, comparison={"at $random": grown(7, 30, 1)}, title="A $ title")
    picture = imread(tmp_path / "bias.png")
    assert picture.shape[1] == 1800
    assert picture[..., :3].std() > 0.02


def test_an_empty_trajectory_gives_a_picture_that_says_so(tmp_path: Path) -> None:
    draw_bias(tmp_path / "bias.png", Trajectory("p", "u", ()), title="")
    assert imread(tmp_path / "bias.png").shape[1] == 1800


def test_the_same_trajectory_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_bias(tmp_path / name, grown(7, 30), title="t")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_sentence_over_the_picture_has_the_best_beside_the_end_and_joint_entropy_beside_evenness() -> None:
    def at(gap: float, joint: float) -> BiasPoint:
        return BiasPoint(("a", "b"), (9, 9), (0.0, gap), gap, gap / 2, gap / 2, "a", 0.5, 1.0, joint)

    run = Trajectory("p", "u", ((0, at(0.8, 1.0)), (1, at(0.2, 1.5)), (2, at(0.4, 2.0))))
    assert course_sentence(run) == (
        "Range 0.800 → 0.400 (best 0.200 at 1); mean gap 0.400 → 0.200 (best 0.100 at 1); "
        "joint entropy 1.000 → 2.000 nat"
    )


@pytest.mark.parametrize("families", [2, 7, MAX_LINES, MAX_LINES + 1, 40, 300])
def test_every_name_is_right_of_the_data_inside_the_picture_and_over_no_other(families: int) -> None:
    run = grown(families, 60, bands=True)
    curves = Curves.of(run)
    height = families_height_in(curves) + 1.5
    figure = Figure(figsize=(WIDTH_IN, height), dpi=100)
    right = families_right(curves)
    axes = figure.add_axes((LEFT_MARGIN, 0.6 / height, right - LEFT_MARGIN, families_height_in(curves) / height))
    set_observation_limits((axes,), [curves.observations])
    draw_families(axes, run, curves)
    figure.draw_without_rendering()
    names = [text for text in axes.texts if text.get_text().startswith("family_")]
    boxes = sorted((text.get_window_extent() for text in names), key=lambda box: box.y0)
    assert len(boxes) == min(len(curves.defined()), 48)
    assert all(box.x0 > axes.get_window_extent().x1 for box in boxes)
    assert all(box.x1 <= WIDTH_IN * 100 for box in boxes)
    assert all(above.y0 >= below.y0 + 0.55 * below.height for below, above in itertools.pairwise(boxes))
    assert has_rows(curves) == (len(curves.defined()) > MAX_LINES)
    widest = max(box.x1 for box in boxes)
    assert widest > 0.95 * WIDTH_IN * 100, "the axes leave no more room than the names need"
