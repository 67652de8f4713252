"""How far off effects are, as figures of a comparison: after each third and at the end, and coverage is not judged."""

from __future__ import annotations

import pytest

from agent.entropy.bias import BiasPoint
from agent.metrics import Metric
from scenarios.compare.comparison import Comparison, fair_control
from scenarios.compare.measures import contrasts
from scenarios.compare.truth_measures import checkpoints, truth_measures
from scenarios.effects.truth import AgainstTruth
from scenarios.run.trajectory import Trajectory

WIDTH = Metric("half_width", "mean half-width", "half-width", "D", lower_is_better=True)


def run(slope: float, last: int = 9) -> Trajectory:
    """One whose error falls by `slope` per observation, from ten."""
    points = tuple(
        (at, BiasPoint(("all",), (at,), (None,), None, None, None, "all", declared=((WIDTH, 1.0 - slope * at),)))
        for at in range(last + 1)
    )
    truth = {at: AgainstTruth(10.0 - slope * at, 1.0 - 0.05 * at) for at in range(last + 1)}
    return Trajectory("dipole", "D", points, {}, truth)


RUNS = {"causal": [run(0.5), run(0.25)], "random": [run(0.25), run(0.125)]}


def test_error_and_coverage_are_told_after_each_third_and_at_the_end() -> None:
    assert checkpoints(RUNS) == [3, 6]
    measures = truth_measures(RUNS)
    assert [each.name for each in measures] == [
        "error_against_truth_at_3", "error_against_truth_at_6", "error_against_truth",
        "intervals_holding_truth_at_3", "intervals_holding_truth_at_6", "intervals_holding_truth",
    ]  # fmt: skip
    assert measures[0].after == {"causal": (8.5, 9.25), "random": (9.25, 9.625)}
    assert measures[2].after == {"causal": (5.5, 7.75), "random": (7.75, 8.875)}
    assert measures[2].before == (10.0, 10.0)
    assert measures[5].after["causal"] == pytest.approx((0.55, 0.55))


def test_coverage_is_shown_and_never_judged() -> None:
    assert {each.measure.name for each in contrasts(truth_measures(RUNS), tuple(RUNS))} == {
        "error_against_truth_at_3", "error_against_truth_at_6", "error_against_truth",
    }  # fmt: skip


def test_campaigns_of_different_lengths_are_looked_at_where_all_have_been() -> None:
    runs = {"causal": [run(0.5, last=4)], "random": [run(0.25)]}
    assert checkpoints(runs) == [1, 2]
    assert truth_measures(runs)[2].after == {"causal": (8.0,), "random": (7.75,)}


def test_a_campaign_of_one_step_is_looked_at_at_its_end() -> None:
    assert checkpoints({"causal": [run(0.5, last=1)]}) == []


def test_where_the_truth_of_one_is_not_known_there_is_no_figure() -> None:
    unknown = Trajectory("dipole", "D", run(0.5).points)
    assert truth_measures({"causal": [run(0.5)], "random": [unknown]}) == []


def test_what_the_policy_is_after_leads_and_families_that_say_nothing_are_left_out() -> None:
    comparison = Comparison("toy", (0, 1), RUNS)
    assert [each.name for each in comparison.campaign_measures()][:2] == ["half_width", "error_against_truth_at_3"]
    assert comparison.course_measures() == []
    assert not comparison.compares_families
    assert comparison.sentences()[-1].startswith("Not shown (with 2 seeds no difference can be")


def test_a_policy_that_decides_the_same_with_every_seed_is_told() -> None:
    assert "went the same way" not in fair_control(Comparison("toy", (0, 1), RUNS))
    alike = Comparison("toy", (0, 1), {**RUNS, "causal": [run(0.5), run(0.5)]})
    assert "With every seed causal went the same way" in fair_control(alike)
