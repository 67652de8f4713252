"""The fold that finds evenness and stalls: example by example, and against the definition for any trajectory."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.acquisition.base import PoolArrays
from agent.campaign.context import pool_arrays
from agent.campaign.events import BecameEven, GapStalled
from agent.campaign.gap_progress import Finding, GapProgress, Moment, values_needed
from agent.campaign.stop_settings import StopSettings
from agent.entropy.bias import BiasPoint
from tests.support.campaigns import small_pool

TERMS = StopSettings(tolerance_nat=0.05, gain_nat=0.01, patience=4)


def point(gap: float | None, sizes: tuple[int, ...] = (9, 9)) -> BiasPoint:
    names = tuple("abc"[: len(sizes)])
    return BiasPoint(names, sizes, (None,) * len(sizes), gap, gap, gap, None)


def progress(gaps: Sequence[float | None], terms: StopSettings = TERMS) -> GapProgress:
    made = GapProgress(terms, (5, 5))
    for observation, gap in enumerate(gaps):
        made.see(observation, point(gap))
    return made


def found(gaps: Sequence[float | None]) -> list[tuple[str, int]]:
    return [(type(each).__name__, each.observation) for each in progress(gaps).findings]


def test_a_gap_that_does_not_fall_is_a_stall_once() -> None:
    assert found([0.5] * 5) == [("GapStalled", 4)]
    assert found([0.5] * 30) == [("GapStalled", 4)]
    assert found([0.5] * 4) == []


def test_a_stall_tells_the_last_gain_and_the_best() -> None:
    (stall,) = progress([0.5, 0.3, 0.295, 0.4, 0.4, 0.4]).findings
    assert stall == GapStalled(5, 0.4, since=1, best=0.295, best_observation=2, gain=0.01)


def test_after_a_gain_there_may_be_another_stall() -> None:
    assert found([0.5] * 6 + [0.4] * 4 + [0.4]) == [("GapStalled", 4), ("GapStalled", 10)]
    assert found([0.5] * 6 + [0.495] * 20) == [("GapStalled", 4)]  # that is no gain


def test_many_small_falls_are_a_gain_together() -> None:
    assert found([0.5 - 0.003 * step for step in range(40)]) == []
    assert found([0.5 - 0.002 * step for step in range(8)]) == [("GapStalled", 4)]


def test_within_the_tolerance_it_is_even_and_never_a_stall() -> None:
    assert found([0.5, 0.05, *[0.04] * 30]) == [("BecameEven", 1)]
    even = progress([0.5, 0.05])
    assert even.findings == [BecameEven(1, 0.05, 0.05)]
    assert even.first_even == Moment(1, 0.05)


def test_a_gap_that_trembles_about_the_tolerance_is_even_once() -> None:
    assert found([0.05, 0.055, 0.05, 0.06, 0.049]) == [("BecameEven", 0)]
    assert found([0.05, 0.07, 0.05]) == [("BecameEven", 0), ("BecameEven", 2)]


def test_what_was_even_and_is_past_its_best_for_long_is_a_stall_at_once() -> None:
    assert found([0.5, 0.02, 0.02, 0.02, 0.02, 0.02, 0.2]) == [("BecameEven", 1), ("GapStalled", 6)]


def test_no_gain_is_found_also_where_it_is_even() -> None:
    assert progress([0.04] * 9).first_without_gain == Moment(4, 0.04)
    assert progress([0.04] * 4).first_without_gain is None


def test_observations_without_a_gap_are_passed_over() -> None:
    assert found([None] * 9) == []
    assert found([None, None, 0.5, 0.5, 0.5, 0.5]) == []
    assert found([None, None, 0.5, 0.5, None, 0.5, 0.5]) == [("GapStalled", 6)]


def test_families_of_a_value_each_are_not_even_though_their_entropies_are_equal() -> None:
    made = GapProgress(TERMS, (5, 2))
    for observation, sizes in enumerate([(1, 1), (4, 1), (4, 2), (5, 2)]):
        made.see(observation, point(0.0, sizes))
    assert made.findings == [BecameEven(3, 0.0, 0.05)]


def test_the_mark_is_set_again_when_one_more_family_is_covered() -> None:
    made = GapProgress(TERMS, (5, 5))
    for observation, (gap, size) in enumerate([(0.0, 4), (0.3, 5), *[(0.3, 6)] * 4]):
        made.see(observation, point(gap, (9, size)))
    assert made.findings == [GapStalled(5, 0.3, since=1, best=0.3, best_observation=1, gain=0.01)]


def test_a_family_needs_five_values_or_all_its_candidates() -> None:
    arrays: PoolArrays = pool_arrays(small_pool(13, families=3))
    assert values_needed(arrays) == (5, 4, 4)


def test_what_holds_now_is_told_until_it_does_not() -> None:
    kinds: list[type[Finding] | None] = []
    made = GapProgress(TERMS, (5, 5))
    for observation, gap in enumerate([0.5, 0.5, 0.5, 0.5, 0.5, 0.05, 0.2, 0.2, 0.2, 0.2]):
        made.see(observation, point(gap))
        kinds.append(None if made.current is None else type(made.current))
    assert kinds == [*[None] * 4, GapStalled, BecameEven, *[None] * 3, GapStalled]


@pytest.mark.parametrize("gap", [0.05 + 1e-12, 0.05 - 1e-12])
def test_the_last_bits_in_which_two_machines_differ_decide_nothing(gap: float) -> None:
    assert found([0.5, gap]) == [("BecameEven", 1)]
    assert found([0.5, 0.5, 0.49 + gap - 0.05, *[0.5] * 3]) == []


@given(st.lists(st.none() | st.integers(0, 60).map(lambda gap: gap / 100), max_size=60))
def test_what_is_found_is_what_the_definition_says(gaps: list[float | None]) -> None:
    """At every observation: even by the tolerance with its margin; stalled if no gap since the mark is a gain."""
    even, warned, expected, mark = False, False, [], -1
    for at, gap in enumerate(gaps):
        if gap is None:
            continue
        known = gaps[mark]
        if mark < 0 or known is None or round(known - gap, 9) >= TERMS.gain_nat:
            mark, warned = at, False
        if gap <= 0.05 and not even:
            expected.append(("BecameEven", at))
        even = gap <= 0.05 or (even and gap <= 0.06)
        if at - mark >= TERMS.patience and not even and not warned:
            expected.append(("GapStalled", at))
            warned = True
    assert found(gaps) == expected
