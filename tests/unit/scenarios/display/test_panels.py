"""Small multiples: as many panels as there are figures, nothing outside the picture, and axes that show the means."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from scenarios.display.observation_axis import MAX_DRAWN_STEPS
from scenarios.display.panels import (
    MAX_PANELS,
    Curve,
    Panel,
    _Grid,
    _limits,
    constant_of,
    constants_in_words,
    draw_panels,
    thinned,
)


def curve(level: float, half_width: float = 0.1, observations: int = 30) -> Curve:
    x = np.arange(observations, dtype=np.float64)
    return Curve(x, level + np.exp(-x / 9), np.full(observations, half_width))


def panels(count: int, names: tuple[str, ...] = ("etal", "at $random")) -> list[Panel]:
    curves = {name: curve(0.1 * index) for index, name in enumerate(names)}
    return [Panel(f"figure {index} $ [nat]", "lower is better", curves) for index in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, MAX_PANELS, MAX_PANELS + 3])
def test_any_number_of_panels_gives_a_picture_1800_pixels_wide(tmp_path: Path, count: int) -> None:
    draw_panels(tmp_path / "p.png", panels(count), title="T $", subtitle="s", x_label="Step")
    picture = imread(tmp_path / "p.png")
    assert picture.shape[1] == 1800
    assert picture[..., :3].std() > 0.02


@pytest.mark.parametrize("count", range(1, MAX_PANELS + 1))
def test_panels_lie_inside_and_apart(count: int) -> None:
    grid = _Grid.of(count, ["etal", "random", "round_robin"])
    boxes = [grid.axes_of(index) for index in range(count)]
    for left, bottom, width, height in boxes:
        assert 0 < left < left + width < 1
        assert 0 < bottom < bottom + height < 1 - grid.top_in / grid.height_in
    for first, box in enumerate(boxes):
        for other in boxes[:first]:
            apart = abs(box[0] - other[0]) > box[2] or abs(box[1] - other[1]) > box[3]
            assert apart


def test_many_long_names_take_several_rows_inside_the_picture() -> None:
    places = _Grid.of(3, ["a.module.with.a.name:Policy" + str(index) for index in range(9)]).places
    assert len(places) == 9
    assert places[-1][1] >= 2
    assert all(0 < left < 8 for left, _ in places)
    assert len({(round(left, 3), row) for left, row in places}) == 9


def test_the_same_panels_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_panels(tmp_path / name, panels(3), title="t", subtitle="s", x_label="Step")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_what_is_not_defined_is_drawn_as_that(tmp_path: Path) -> None:
    nothing = Curve(np.arange(3.0), np.full(3, np.nan), np.full(3, np.nan))
    empty = Curve(np.empty(0), np.empty(0), np.empty(0))
    given = [Panel("a", "", {"etal": nothing}), Panel("b", "", {"etal": empty}), Panel("c", "", {})]
    draw_panels(tmp_path / "p.png", given, title="t", subtitle="s", x_label="Step")
    assert imread(tmp_path / "p.png").shape[1] == 1800
    assert _limits(given[0]) == (0, 1)


def test_wide_bands_of_few_seeds_do_not_flatten_the_means() -> None:
    low, high = _limits(Panel("p", "", {"a": curve(0.0, half_width=50.0)}))
    assert low < np.exp(-29 / 9) < 1 < high
    assert high - low < 3
    narrow = _limits(Panel("p", "", {"a": curve(0.0, half_width=0.1)}))
    assert narrow[0] < np.exp(-29 / 9) - 0.1
    assert 1.1 < narrow[1] < high
    assert _limits(Panel("p", "", {"a": curve(0.0)}, from_zero=True))[0] == 0


def test_thinning_keeps_the_ends() -> None:
    long = curve(0.0, observations=20_000)
    short = thinned(long)
    assert len(short.x) == len(short.mean) == len(short.half_width) == MAX_DRAWN_STEPS
    assert (short.x[0], short.x[-1]) == (0, 19_999)
    assert thinned(short) is short


@pytest.mark.parametrize(("level", "bottom"), [(2.0, 0.0), (-3.0, None)], ids=["above zero", "below it"])
def test_an_axis_begins_at_zero_unless_a_mean_is_below_it(level: float, bottom: float | None) -> None:
    drawn = Curve(np.arange(3.0), level + np.arange(3.0) / 9, np.zeros(3))
    low, high = _limits(Panel("p", "", {"run": drawn}, from_zero=True))
    assert low == bottom if bottom is not None else low < level
    assert high > level


def test_a_figure_that_is_the_same_for_all_throughout_is_said_and_not_drawn(tmp_path: Path) -> None:
    def constant(level: float) -> Curve:
        return Curve(np.arange(30.0), np.full(30, level), np.zeros(30))

    same = Panel("Coverage [nat]", "higher is better", {"etal": constant(1.0), "at $random": constant(1.0)})
    apart = Panel("Coverage", "", {"etal": constant(1.0), "at $random": constant(0.5)})
    one_point = Panel("Coverage", "", {"etal": Curve(np.zeros(1), np.ones(1), np.zeros(1))})
    assert constant_of(same) == 1.0
    assert constants_in_words([(same, 1.0)]) == "The same throughout, and not drawn: Coverage 1.000 nat"
    assert constant_of(apart) is None, "two constants tell policies apart"
    assert constant_of(one_point) is None, "a point is no course"
    assert constant_of(panels(1)[0]) is None
    draw_panels(tmp_path / "with.png", [*panels(3), same], title="t", subtitle="s", x_label="Step")
    draw_panels(tmp_path / "without.png", panels(3), title="t", subtitle="s", x_label="Step")
    high, low = (imread(tmp_path / name).shape[0] for name in ("with.png", "without.png"))
    assert 0 < high - low < 60, "a line more, and no panel"
    draw_panels(tmp_path / "only.png", [same], title="t", subtitle="s", x_label="Step")


def test_pairs_stand_side_by_side_where_the_columns_are_given() -> None:
    grid = _Grid.of(10, ["etal"], 2)
    assert (grid.rows, grid.columns, grid.names_in_cell) == (5, 2, False)
    assert grid.axes_of(4)[1] == grid.axes_of(5)[1]
