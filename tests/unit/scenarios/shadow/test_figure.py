"""The picture of a lab and its shadow: drawn for every outcome, few families or many, and no text over another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from agent.entropy.bias import BiasMeter
from agent.entropy.measure import EntropyMeasure
from scenarios.run.trajectory import Trajectory
from scenarios.shadow.choices import Agreement
from scenarios.shadow.comparison import FamilyRow
from scenarios.shadow.figure import MAX_BARS, _folded, draw_shadow


def trajectory(observations: int, families: int) -> Trajectory:
    meter = BiasMeter([f"$family_{n}$" for n in range(families)], measure=EntropyMeasure("m_spacing", 0.001))
    points = []
    for observation in range(observations + 1):
        points.append((observation, meter.point()))
        meter.add(observation % families, observation**0.5)
    return Trajectory("formation_energy_per_atom", "eV/atom", tuple(points))


def rows(families: int) -> list[FamilyRow]:
    return [FamilyRow(f"$family_{n}$", n, 3 * n % 7) for n in range(families)]


@pytest.mark.parametrize(("choices", "families"), [(0, 1), (1, 2), (40, 7), (2_000, 30)])
def test_every_outcome_is_drawn_at_full_width(tmp_path: Path, choices: int, families: int) -> None:
    agreements = [list(Agreement)[n % 3] for n in range(choices)]
    path = tmp_path / "shadow.png"
    draw_shadow(path, trajectory(choices, families), agreements, rows(families), title="a lab", subtitle="so it went")
    assert imread(path).shape[1] == 1800


def test_of_many_families_those_chosen_most_have_bars_and_the_others_are_one() -> None:
    folded = _folded(rows(30))
    assert len(folded) == MAX_BARS
    assert folded[-1].family == "19 others"
    assert sum(each.lab for each in folded) == sum(each.lab for each in rows(30))
    assert min(each.lab + each.shadow for each in folded[:-1]) >= 20
    assert _folded(rows(5)) == rows(5)


def test_no_text_covers_another_and_none_leaves_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib.figure

    saved: list[matplotlib.figure.Figure] = []
    save = matplotlib.figure.Figure.savefig

    def saving(figure: matplotlib.figure.Figure, *given: Any, **options: Any) -> None:
        saved.append(figure)
        save(figure, *given, **options)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", saving)
    agreements = [Agreement.CANDIDATE, Agreement.FAMILY, Agreement.NONE] * 20
    path = tmp_path / "shadow.png"
    draw_shadow(path, trajectory(60, 7), agreements, rows(7), title="a lab", subtitle="so it went")
    (figure,) = saved
    width, height = figure.canvas.get_width_height()
    texts = [*figure.texts, *(text for axes in figure.axes for text in (*axes.texts, axes.xaxis.label))]
    for axes in figure.axes:
        low, high = axes.get_xlim()
        numbers = [each for each in axes.get_xticklabels() if low <= each.get_position()[0] <= high]
        texts += [each for each in numbers if each.get_rotation() == 0]  # of turned ones only the frame would be known
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    named = [text.get_text() for text in texts if text.get_text()]
    for name, box in zip(named, boxes, strict=True):
        assert (box.x0 >= 0, box.y0 >= 0, box.x1 <= width, box.y1 <= height) == (True,) * 4, name
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[index + 1 :]), named[index]
