"""The tables of a comparison: every bias figure, before and after, with how sure it is; units are there to be read."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from agent.entropy.bias import BIAS_METRICS, measure_bias
from scenarios.compare.comparison import Comparison, fair_control
from scenarios.compare.downstream import FamilyScore, Score
from scenarios.compare.measures import Measure, shown
from scenarios.compare.model_measures import ModelScores
from scenarios.compare.tables import conclusions, tables
from scenarios.run.trajectory import Trajectory


def run(seed: int, spread: float) -> Trajectory:
    """A start that is the same for a seed, and an end whose second family is narrower by `spread`."""
    random = np.random.default_rng(seed)
    values = random.normal(size=60)
    codes = np.repeat([0, 1], 30)
    scale = np.where(codes == 1, 0.1, 1.0)
    points = ((0, measure_bias(("a", "b"), codes, values * scale)),)
    scale = np.where(codes == 1, spread, 1.0) + 0.01 * random.random()
    return Trajectory("p", "eV", (*points, (1, measure_bias(("a", "b"), codes, values * scale))))


def compared(seeds: int, policies: dict[str, float]) -> Comparison:
    runs = {name: [run(seed, spread) for seed in range(seeds)] for name, spread in policies.items()}
    return Comparison("toy", tuple(range(seeds)), runs)


def printed(comparison: Comparison) -> str:
    out = StringIO()
    console = Console(file=out, width=100)
    for table in tables(comparison):
        console.print(table)
    return out.getvalue()


def concluded(comparison: Comparison) -> str:
    return "\n".join(text.plain for text in conclusions(comparison))


def test_every_bias_figure_stands_there_with_its_unit_before_and_after() -> None:
    comparison = compared(4, {"etal": 0.9, "random": 0.3})
    text = printed(comparison)
    for measure in comparison.bias_measures():
        assert measure.label.split()[0] in text
        assert shown(measure.before, measure.decimals) in text
        for policy in ("etal", "random"):
            assert shown(measure.after[policy], measure.decimals) in text
    assert "[nat]" in text
    assert [measure.name for measure in comparison.bias_measures()] == [figure.name for figure in BIAS_METRICS]


def test_the_best_observation_of_every_policy_stands_beside_its_last() -> None:
    comparison = compared(4, {"etal": 0.9, "random": 0.3})
    worse = replace(comparison.runs["random"][0], points=comparison.runs["random"][0].points[::-1])
    back = tuple((at, point) for at, (_, point) in enumerate(worse.points))  # best first: it buys past its best
    comparison.runs["random"][0] = replace(worse, points=back)
    text = printed(comparison)
    assert "mean gap since its best" in text
    assert "best mean gap at" in text
    first, last = (point.mean_gap for _, point in back)
    assert first is not None
    assert last is not None
    course = json.loads(comparison.json())["course"]["random"]
    assert course["mean_gap_best_at"][0] == 0
    assert course["mean_gap_regret"] == [last - first, 0.0, 0.0, 0.0]


def test_few_seeds_are_called_few() -> None:
    few = compared(4, {"etal": 0.9, "random": 0.3})
    assert "with 4 seeds no difference can be; it takes 6" in printed(few)
    assert "Not shown (with 4 seeds no difference can be; it takes 6): range of entropy, " in concluded(few)
    enough = compared(6, {"etal": 0.9, "random": 0.3})
    assert "no difference can be" not in printed(enough)
    assert "range of entropy: etal better than random by" in concluded(enough)


def test_the_caption_says_which_test_and_which_family_of_comparisons() -> None:
    text = " ".join(printed(compared(8, {"etal": 0.9, "random": 0.3, "coverage": 0.5})).split())
    assert "Holm-corrected over the 2 comparisons of each figure; figures are not corrected for each other" in text
    assert "etal against each other policy" in text
    alone = printed(compared(6, {"etal": 0.9}))
    assert "against each other policy" not in alone


def test_the_best_of_a_figure_is_marked() -> None:
    lines = printed(compared(6, {"random": 0.3, "etal": 0.9})).splitlines()
    row = next(line for line in lines if line.lstrip().startswith("range of entropy"))
    assert row.count("*") == 1
    assert row.index("*") > row.index("±", row.index("±") + 1)  # the last column: etal's
    assert not any("†" in line for line in lines[3:8])


def test_a_comparison_says_what_makes_it_fair_and_what_does_not() -> None:
    comparison = compared(3, {"etal": 0.9, "random": 0.3})
    assert "same pool, start set and budget" in fair_control(comparison)
    assert "Not fair" not in fair_control(comparison)
    short = [replace(run, points=run.points[:1]) for run in comparison.runs["etal"]]
    uneven = replace(comparison, runs={**comparison.runs, "etal": short})
    assert "different numbers of rows (etal 0, random 1)" in fair_control(uneven)
    assert "the same rows held out" in fair_control(replace(comparison, held_out=(3, 3, 3)))


def test_models_have_their_unit_and_the_size_of_the_test_set() -> None:
    family = (FamilyScore("metals", 9, 0.5, 9.0),)
    scores = tuple((Score(0, 20, 18, 0.5, 12.0), Score(1, 21, 18, 0.6 + seed / 100, 11.0, family)) for seed in range(3))
    model = ModelScores("bulk_modulus", "GPa", "random_forest", {"etal": scores, "random": scores})
    comparison = replace(
        compared(3, {"etal": 0.9, "random": 0.3}), models=(model,), held_out=(18, 18, 17), pool_size=90
    )
    text = printed(comparison)
    assert "models of bulk_modulus before and after 1 acquisitions" in text
    assert "MAE [GPa] ↓" in text
    assert "0.610 ± 0.025" in text  # t(0.975, 2) · 0.01 / √3
    assert "Scored on 17 to 18 of 90 candidates" in text
    assert "mean of the models" not in text  # of one model it would be the same again
    by_family = next(line for line in text.splitlines() if line.lstrip().startswith("metals"))
    assert by_family.split() == ["metals", "0.500", "|", "9", "0.500", "|", "9"]


def test_policies_that_ended_at_different_steps_say_where() -> None:
    comparison = compared(2, {"etal": 0.9, "random": 0.3})
    assert "before and after 1 acquisitions" in printed(comparison)
    assert "acquired" not in printed(comparison)
    short = [replace(run, points=run.points[:1]) for run in comparison.runs["etal"][:1]]
    uneven = replace(comparison, runs={**comparison.runs, "etal": [*short, comparison.runs["etal"][1]]})
    text = printed(uneven)
    assert "where each policy ended" in text
    assert "etal against each other policy at the end" in text
    assert "0 to 1" in text
    assert uneven.common == [0, 1]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.25, 0.35], "0.300 ± 0.635"),
        ([0.012, 0.014], "0.0130 ± 0.0127"),
        ([41.0, 43.0], "42.00 ± 12.71"),
        ([0.25], "0.250"),
        ([0.25, None], "undefined in 1 of 2"),
        ([0.0, 0.0], "0.000 ± 0.000"),
        ([4321.0], "4321"),
    ],
)
def test_figures_have_the_digits_that_show_them(values: list[float | None], expected: str) -> None:
    measure = Measure("", "", "x", "x", "", lower_is_better=True, before=tuple(values), after={})
    assert shown(values, measure.decimals) == expected
