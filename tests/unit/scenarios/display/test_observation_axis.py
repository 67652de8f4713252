"""Lines are told apart by everybody: with colours as the colour-blind see them, and without any.

The simulation is that of G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, IEEE Trans. Vis. Comput. Graph. 15, 1291
(2009), severity 1.0, in linear RGB; colours are compared in CIE L*a*b*, where 2.3 is a just noticeable difference
(G. Sharma, Digital Color Imaging Handbook, 2003).
"""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from scenarios.compare.difference_figure import LOOKS
from scenarios.display.observation_axis import LINE_COLOURS, LINE_STYLES, MARKS, look
from scenarios.run.figure.ranges import OTHERS, run_look
from scenarios.shadow.figure import AGREEMENT_COLOURS, AGREEMENT_HEIGHTS, LAB, SHADOW

DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
]  # fmt: skip
PROTANOPIA = [
    [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
]  # fmt: skip
GREY = [[0.2126729, 0.7151522, 0.0721750]] * 3
TO_XYZ = [
    [0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041],
]  # fmt: skip
WHITE = np.array([0.95047, 1.0, 1.08883])

EASY = 15.0
"""Difference that thin lines need [L*a*b*]: six times the just noticeable one."""


def seen(colour: str, eye: list[list[float]]) -> np.ndarray:
    """A colour as an eye sees it, in L*a*b*."""
    srgb = np.array(to_rgb(colour))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = np.array(TO_XYZ) @ np.clip(np.array(eye) @ linear, 0, 1) / WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(first: str, second: str, eye: list[list[float]]) -> float:
    return float(np.linalg.norm(seen(first, eye) - seen(second, eye)))


@pytest.mark.parametrize("eye", [np.eye(3).tolist(), DEUTERANOPIA, PROTANOPIA], ids=["usual", "deutan", "protan"])
def test_the_colours_of_lines_are_apart_for_every_eye(eye: list[list[float]]) -> None:
    for first, second in combinations(LINE_COLOURS, 2):
        assert difference(first, second, eye) > EASY, (first, second)


def test_the_check_finds_colours_that_a_colour_blind_reader_cannot_tell_apart() -> None:
    assert difference("#D62728", "#2CA02C", np.eye(3).tolist()) > 4 * EASY
    assert difference("#9E7700", "#6E8B00", DEUTERANOPIA) < EASY


def test_in_grey_lines_differ_by_their_marks_or_dashes() -> None:
    looks = [look(index) for index in range(len(LINE_COLOURS) * len(LINE_STYLES))]
    for first, second in combinations(looks, 2):
        assert (first.mark, first.style) != (second.mark, second.style)
    assert len(set(MARKS)) == len(LINE_COLOURS)


def test_runs_are_grey_alike_for_every_eye_and_differ_by_dashes_and_marks_from_each_other() -> None:
    looks = [run_look(index) for index in range(1 + len(OTHERS))]
    assert len({(str(style), mark) for _, style, mark in looks}) == len(looks)
    for colour, _, _ in looks:
        _, a, b = seen(colour, np.eye(3).tolist())
        assert np.hypot(a, b) < 1.0, "a colour means a family"
        assert all(difference(colour, line, np.eye(3).tolist()) > EASY for line in LINE_COLOURS)


def test_verdicts_differ_by_their_marks() -> None:
    assert len({(mark, face) for _, mark, face in LOOKS.values()}) == len(LOOKS)


def test_what_a_shadow_agrees_with_is_told_by_heights_and_bars_by_their_lightness() -> None:
    assert len(set(AGREEMENT_HEIGHTS.values())) == len(AGREEMENT_COLOURS)
    assert difference(LAB, SHADOW, GREY) > EASY
