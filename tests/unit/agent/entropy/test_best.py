"""The best observation beside the last, by brute force and in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.entropy.best import HARM, Best, BestSoFar, best_in_words, best_of, price_of_evenness, worse_than_start
from agent.entropy.bias import BIAS_METRICS, BiasPoint


def point(gap: float | None, joint: float | None = 1.0) -> BiasPoint:
    """A point whose range is twice its mean gap."""
    spread = None if gap is None else 2 * gap
    return BiasPoint(("a", "b"), (9, 9), (0.0, gap), spread, gap, gap, "a", 0.5, 1.0, joint)


def trajectory(*gaps: float | None) -> list[tuple[int, BiasPoint]]:
    return list(enumerate(map(point, gaps)))


def of(figures: tuple[Best, ...], name: str) -> Best:
    return next(each for each in figures if each.metric.name == name)


def test_the_best_is_told_with_its_observation_and_what_it_is_now() -> None:
    figures = best_of(trajectory(0.6, 0.02, 0.05, 0.03))
    assert of(figures, "mean_gap").in_words() == "mean gap 0.020 nat at observation 1, 0.030 now"
    assert of(figures, "mean_gap").regret == pytest.approx(0.01)
    assert best_in_words(figures) == (
        "mean gap 0.020 nat at observation 1, 0.030 now; range 0.040 nat at observation 1, 0.060 now; "
        "joint entropy 1.000 nat at observation 0, 1.000 now"
    )


def test_a_figure_of_which_more_is_better_has_its_best_at_the_top() -> None:
    figures = best_of([(0, point(0.1, 1.0)), (1, point(0.1, 2.5)), (2, point(0.1, 2.0))])
    joint = of(figures, "joint_entropy")
    assert (joint.observation, joint.value, joint.last, joint.regret) == (1, 2.5, 2.0, 0.5)


def test_of_equal_values_the_first_is_the_best() -> None:
    assert of(best_of(trajectory(0.5, 0.2, 0.2)), "mean_gap").observation == 1


def test_the_last_bits_in_which_two_machines_differ_make_no_new_best() -> None:
    assert of(best_of(trajectory(0.5, 0.2, 0.2 - 1e-15)), "mean_gap").observation == 1


def test_a_figure_that_is_not_defined_is_left_out_and_one_that_is_not_any_more_says_so() -> None:
    assert {each.metric.name for each in best_of(trajectory(None, None))} == {"evenness", "joint_entropy", "coverage"}
    figures = best_of(trajectory(None, 0.5, None))
    gap = of(figures, "mean_gap")
    assert (gap.observation, gap.value, gap.last, gap.regret) == (1, 0.5, None, None)
    assert gap.in_words() == "mean gap 0.500 nat at observation 1, undefined now"
    assert best_of([]) == ()
    assert best_in_words(()) == ""


@given(st.lists(st.none() | st.integers(0, 3000).map(lambda gap: gap / 1000), min_size=1, max_size=30))
def test_the_fold_finds_what_a_search_through_all_finds(gaps: list[float | None]) -> None:
    points, so_far = trajectory(*gaps), BestSoFar()
    for observation, each in points:
        so_far.see(observation, each)
        known = [(value, at) for at, value in enumerate(gaps[: observation + 1]) if value is not None]
        found = [(best.value, best.observation) for best in so_far.figures() if best.metric.name == "mean_gap"]
        assert found == ([min(known)] if known else [])
    assert so_far.figures() == best_of(points)
    assert all(best.regret is None or best.regret >= 0 for best in so_far.figures())


def test_a_campaign_that_ends_worse_than_it_began_is_told_figure_by_figure() -> None:
    assert worse_than_start(point(0.1), point(0.2, 0.75)) == (
        "worse than it began: mean gap 0.100 → 0.200 nat; range 0.200 → 0.400 nat; joint entropy 1.000 → 0.750 nat"
    )


def test_evenness_that_costs_joint_entropy_is_told_as_harm() -> None:
    assert worse_than_start(point(0.2, -1.0), point(0.1, -1.5)) == (
        "worse than it began: joint entropy −1.000 → −1.500 nat"
    )


def test_a_start_of_which_entropies_say_little_is_told_beside_the_harm() -> None:
    thin = replace(point(0.0), coverage=0.25)
    told = worse_than_start(thin, point(0.2))
    assert told.endswith("range 0.000 → 0.400 nat; at the start 25% of the families had five values")


@pytest.mark.parametrize("after", [point(0.1), point(0.05, 2.0), point(0.1004, 0.9995), point(None, None)])
def test_what_is_no_worse_by_a_digit_that_is_shown_is_no_harm(after: BiasPoint) -> None:
    assert worse_than_start(point(0.1), after) == ""
    assert worse_than_start(after, after) == ""


def test_evenness_at_the_price_of_joint_entropy_is_told_against_another_dataset() -> None:
    told = price_of_evenness(point(0.1, 1.5), point(0.3, 1.75), "at random")
    assert told == "its evenness has a price: joint entropy 1.500 nat, 1.750 at random"


@pytest.mark.parametrize(
    "other", [point(0.1, 1.75), point(0.05, 1.75), point(0.3, 1.5), point(0.3, 1.0), point(0.3, None)]
)
def test_who_is_not_more_even_or_not_poorer_pays_no_price(other: BiasPoint) -> None:
    assert price_of_evenness(point(0.1, 1.5), other, "at random") == ""


def test_what_is_told_as_harm_are_bias_metrics() -> None:
    assert set(HARM) <= {metric.name for metric in BIAS_METRICS}
