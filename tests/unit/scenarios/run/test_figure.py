"""The pictures: drawn for every trajectory that can occur, names apart, quick."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from agent.entropy.bias import BiasMeter, BiasPoint
from scenarios.display.labels import spread
from scenarios.display.observation_axis import MAX_DRAWN_STEPS
from scenarios.run.figure import MAX_NAMED_FAMILIES, _course_sentence, _Curves, _kept, _named, draw_bias, draw_diff
from scenarios.run.trajectory import Trajectory


def grown(families: int, observations: int, seed: int = 0) -> Trajectory:
    """A trajectory of random values, some families without an entropy at first."""
    random = np.random.default_rng(seed)
    names = tuple(f"family_{index}$" for index in range(families))
    codes = np.repeat(np.arange(families), random.integers(1, 9, families))
    meter = BiasMeter(names, codes, random.normal(size=len(codes)))
    points = [(0, meter.point())]
    for observation in range(1, observations + 1):
        meter.add(int(random.integers(families)), float(random.normal()))
        points.append((observation, meter.point()))
    return Trajectory("formation_energy", "eV/atom", tuple(points))


NOTHING = BiasPoint(("a",), (0,), (None,), None, None, None, "a")


@pytest.mark.parametrize(
    "trajectory",
    [grown(7, 60), grown(1, 20), grown(300, 20), grown(7, 0), Trajectory("p", "u", ((0, NOTHING),))],
    ids=["seven", "one family", "300 families", "one point", "no entropy"],
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


@pytest.mark.parametrize("other", [grown(7, 20, 1), grown(3, 0)], ids=["shorter", "one point"])
def test_two_runs_are_drawn_one_below_the_other_and_where_they_part_is_marked(
    tmp_path: Path, other: Trajectory
) -> None:
    runs = {"one": grown(7, 60), "other $": other}
    for name, parted_at in (("parted.png", 12), ("same.png", None)):
        draw_diff(tmp_path / name, runs, parted_at, parted="decision 12", title="A $ title", subtitle="s")
    parted, same = (imread(tmp_path / name) for name in ("parted.png", "same.png"))
    assert parted.shape[1] == 1800
    assert (parted != same).any()


def test_the_sentence_over_the_picture_has_the_best_beside_the_end_and_joint_entropy_beside_evenness() -> None:
    def at(gap: float, joint: float) -> BiasPoint:
        return BiasPoint(("a", "b"), (9, 9), (0.0, gap), gap, gap / 2, gap / 2, "a", 0.5, 1.0, joint)

    run = Trajectory("p", "u", ((0, at(0.8, 1.0)), (1, at(0.2, 1.5)), (2, at(0.4, 2.0))))
    assert _course_sentence(run) == (
        "Range 0.800 → 0.400 (best 0.200 at 1); mean gap 0.400 → 0.200 (best 0.100 at 1); "
        "joint entropy 1.000 → 2.000 nat"
    )


def test_thinning_keeps_the_ends_and_the_smallest_gap() -> None:
    gaps = np.ones(20_000)
    gaps[12_345] = 0.5
    kept = _kept(gaps)
    assert len(kept) <= MAX_DRAWN_STEPS + 1
    assert {0, 12_345, 19_999} <= set(kept)


def test_of_many_families_the_poorest_and_the_richest_are_named() -> None:
    curves = _Curves.of(grown(300, 5))
    named = _named(curves.entropies)
    last = curves.entropies[-1]
    assert len(named) <= MAX_NAMED_FAMILIES
    assert int(np.nanargmin(last)) in named
    assert int(np.nanargmax(last)) in named


@given(st.lists(st.floats(-1, 2), min_size=1, max_size=30), st.floats(0.001, 0.3))
def test_labels_are_apart_in_order_and_inside(wanted: list[float], spacing: float) -> None:
    placed = spread(np.array(wanted), spacing, 0.0, 1.0)
    order = np.argsort(wanted, kind="stable")
    least = min(spacing, 1 / max(len(wanted) - 1, 1))
    assert (np.diff(placed[order]) >= least - 1e-9).all()
    assert placed.min() >= -1e-9
    assert placed.max() <= 1 + 1e-9


def test_labels_that_fit_stay_where_they_are() -> None:
    assert spread(np.array([0.8, 0.1, 0.5]), 0.1, 0, 1).tolist() == pytest.approx([0.8, 0.1, 0.5])


def test_labels_that_collide_move_equally() -> None:
    assert spread(np.array([0.5, 0.5]), 0.1, 0, 1).tolist() == pytest.approx([0.45, 0.55])
