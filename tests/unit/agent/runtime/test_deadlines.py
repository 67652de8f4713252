"""Deadlines of attempts: each gets the whole time, and what is forgotten never comes due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.runtime.deadlines import OVERSLEPT_S, Deadlines


def test_an_attempt_is_due_after_its_time_and_only_once() -> None:
    deadlines = Deadlines(10.0)
    deadlines.start(["a"], now=100.0)
    assert deadlines.pop_due(109.999) == []
    assert deadlines.pop_due(110.0) == ["a"]
    assert deadlines.pop_due(1e9) == []


def test_attempts_come_due_earliest_first() -> None:
    deadlines = Deadlines(10.0)
    deadlines.start(["b"], now=1.0)
    deadlines.start(["a"], now=2.0)
    deadlines.start(["c"], now=0.0)
    assert [deadlines.pop_due(now) for now in (10.5, 11.5, 12.5)] == [["c"], ["b"], ["a"]]


def test_who_was_answered_while_we_slept_gets_the_whole_time_again_but_once() -> None:
    deadlines = Deadlines(10.0)
    deadlines.start(["a"], now=0.0)
    assert deadlines.pop_due(600.0) == [], "the answer may wait on the link"
    assert deadlines.wait_s(600.0) == 10.0
    assert deadlines.pop_due(900.0) == ["a"]
    deadlines.start(["a"], now=900.0)
    assert deadlines.pop_due(1_500.0) == [], "a new attempt, or a new link, is another matter"


def test_a_deadline_that_is_found_a_little_late_has_passed() -> None:
    deadlines = Deadlines(10.0)
    deadlines.start(["a"], now=0.0)
    assert deadlines.pop_due(10.0 + OVERSLEPT_S) == ["a"]


def test_starting_again_gives_the_whole_time_again() -> None:
    deadlines = Deadlines(10.0)
    deadlines.start(["a"], now=0.0)
    deadlines.start(["a"], now=6.0)
    assert deadlines.wait_s(6.0) == 10.0
    assert deadlines.pop_due(15.9) == []
    assert deadlines.pop_due(16.0) == ["a"]


def test_starting_twice_at_the_same_moment_is_due_once() -> None:
    deadlines = Deadlines(10.0)
    deadlines.start(["a", "a"], now=0.0)
    assert deadlines.pop_due(10.0) == ["a"]
    assert deadlines.wait_s(10.0) is None


def test_an_attempt_that_is_no_longer_awaited_never_comes_due() -> None:
    deadlines = Deadlines(10.0)
    deadlines.start(["a", "b"], now=0.0)
    deadlines.keep_only({"b"})
    assert deadlines.pop_due(10.0) == ["b"]


def test_after_clear_nothing_is_due() -> None:
    deadlines = Deadlines(10.0)
    deadlines.start(["a"], now=0.0)
    deadlines.clear()
    assert deadlines.wait_s(0.0) is None
    assert deadlines.pop_due(1e9) == []


def test_the_wait_is_to_the_next_deadline_and_never_negative() -> None:
    deadlines = Deadlines(10.0)
    assert deadlines.wait_s(0.0) is None
    deadlines.start(["a"], now=0.0)
    deadlines.start(["b"], now=3.0)
    assert deadlines.wait_s(4.0) == pytest.approx(6.0)
    deadlines.keep_only({"b"})
    assert deadlines.wait_s(4.0) == pytest.approx(9.0)
    assert deadlines.wait_s(99.0) == 0.0


def test_memory_stays_with_what_is_awaited_however_many_were_answered() -> None:
    deadlines = Deadlines(1e6)
    deadlines.start(["the-slow-one"], now=0.0)
    for number in range(5_000):
        deadlines.start([f"a{number}"], now=1.0 + number)
        deadlines.keep_only({"the-slow-one"})
    assert len(deadlines._heap) < 200
    assert deadlines.pop_due(1e6 + 0.5) == ["the-slow-one"]


@given(st.lists(st.tuples(st.sampled_from("sfpc"), st.integers(0, 5), st.integers(0, 8))))
def test_it_does_what_a_plain_dictionary_would(transactions: list[tuple[str, int, int]]) -> None:
    deadlines, plain, excused, now = Deadlines(10.0), dict[str, float](), set[str](), 0.0
    for kind, which, later in transactions:
        now += later
        name = f"a{which}"
        if kind == "s":
            deadlines.start([name], now)
            plain[name] = now + 10.0
            excused.discard(name)
        elif kind == "f":
            kept = set(plain) - {name}
            deadlines.keep_only(kept)
            plain = {key: due for key, due in plain.items() if key in kept}
        elif kind == "c" and which == 0:
            deadlines.clear()
            plain.clear()
        else:
            slept = {key for key, at in plain.items() if at + OVERSLEPT_S < now and key not in excused}
            due = {key for key, at in plain.items() if at <= now} - slept
            assert set(deadlines.pop_due(now)) == due
            plain = {key: now + 10.0 if key in slept else at for key, at in plain.items() if key not in due}
            excused |= slept
        excused &= set(plain)
        expected = None if not plain else max(0.0, min(plain.values()) - now)
        assert deadlines.wait_s(now) == expected
