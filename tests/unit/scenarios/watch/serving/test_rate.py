"""A rate lets so many through in a row, then so many a second, whatever the clock shows at first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scenarios.watch.serving.rate import Rate


def test_five_go_at_once_and_then_one_every_fifth_of_a_second() -> None:
    rate = Rate(5)
    assert [rate.is_within(100.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [rate.is_within(100.25), rate.is_within(100.3)] == [True, False]
    assert [rate.is_within(200.0) for _ in range(6)] == [True] * 5 + [False]


@given(st.lists(st.floats(0, 0.5), max_size=80))
def test_never_more_than_the_bucket_and_what_has_come_back(steps: list[float]) -> None:
    rate, now, passed = Rate(5), 0.0, 0
    for step in steps:
        now += step
        passed += rate.is_within(now)
    assert passed <= 5 + 5 * now + 1e-6
