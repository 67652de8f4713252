"""The picture of two runs: one below the other, and where they part."""

from pathlib import Path

import pytest
from matplotlib.image import imread

from scenarios.run.figure.diff import draw_diff
from scenarios.run.trajectory import Trajectory
from tests.support.shown.grown import grown


@pytest.mark.parametrize(
    "other", [grown(7, 20, 1), grown(3, 0), grown(40, 9)], ids=["shorter", "one point", "many families"]
)
def test_two_runs_are_drawn_one_below_the_other_and_where_they_part_is_marked(
    tmp_path: Path, other: Trajectory
) -> None:
    runs = {"one": grown(7, 60), "other $": other}
    for name, parted_at in (("parted.png", 12), ("same.png", None)):
        draw_diff(tmp_path / name, runs, parted_at, parted="decision 12", title="A $ title", subtitle="s")
    parted, same = (imread(tmp_path / name) for name in ("parted.png", "same.png"))
    assert parted.shape[1] == 1800
    assert (parted != same).any()
