"""How figures are written, and names at the ends of lines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from scenarios.display.labels import EndLabel, draw_end_labels, figure_text, spread, with_unit


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (30.0, "", "30"),
        (1.0, "", "1.000"),
        (0.25, "", "0.250"),
        (2.0, "nat", "2.000"),
        (-1.5, "nat", "−1.500"),
        (None, "", "–"),
        (math.nan, "", "–"),
    ],
)
def test_a_count_has_no_decimals_and_everything_else_has_three(value: float | None, unit: str, text: str) -> None:
    assert figure_text(value, unit) == text


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


@pytest.mark.parametrize(("end", "leaders"), [(100.0, 1), (60.0, 0)], ids=["at the edge", "before it"])
def test_a_leader_runs_from_the_edge_only_and_never_through_the_data(end: float, leaders: int) -> None:
    axes: Any = Figure().add_axes((0.1, 0.1, 0.6, 0.8))
    axes.set_xlim(0, 100)
    draw_end_labels(axes, [EndLabel(end, 0.5, "name", "#0072B2", mark="^")], 8.0)
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) > 1]
    assert len(lines) == leaders
    assert all(min(line.get_xdata()) > 1.0 for line in axes.get_lines())
    assert [line.get_marker() for line in axes.get_lines()][-1] == "^"


def test_a_unit_stands_once_behind_a_name() -> None:
    assert with_unit("hardness", "GPa") == "hardness [GPa]"
    assert with_unit("Vickershärte [GPa]", "GPa") == "Vickershärte [GPa]"
    assert with_unit("time (h)", "h") == "time (h)"
    assert with_unit("time (h)", "min") == "time (h) [min]"
    assert with_unit("share", "") == "share"
