"""A line in characters: as wide and as high as asked, its ends in numbers, and no number that breaks it."""

from hypothesis import given
from hypothesis import strategies as st

from scenarios.display.text_chart import text_chart

NUMBERS = st.none() | st.floats()


def test_a_line_that_falls_begins_above_and_ends_below() -> None:
    lines = text_chart([0.0, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0, 0.0], 29, 6)
    assert len(lines) == 6
    assert lines[0].startswith("      3 ┤")
    assert lines[4].startswith("      0 ┤")
    assert lines[0][9] != "\u2800"
    assert lines[0][-1] == "\u2800"
    assert lines[4][-1] != "\u2800"
    assert lines[5].split() == ["0", "3"]


def test_a_moment_is_marked_by_a_line_through_all_rows() -> None:
    lines = text_chart([0.0, 5.0, 10.0], [0.0, 0.0, 1.0], 31, 6, mark=1)
    assert sum("│" in line for line in lines) == 4  # the line itself runs through the fifth


@given(st.lists(NUMBERS, max_size=30), st.integers(0, 90), st.integers(0, 20), st.integers(-1, 40))
def test_any_numbers_fit_or_are_left_out(y: list[float | None], width: int, height: int, mark: int) -> None:
    lines = text_chart([float(at) for at in range(len(y))], y, width, height, mark=mark)
    assert not lines or len(lines) == height
    assert len({len(line) for line in lines[:-1]}) <= 1
    assert all(len(line) <= width for line in lines)
