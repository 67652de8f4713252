"""Deadlines of attempts: each gets the whole time, and what is forgotten never comes due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.campaign.plan import Ordering
from agent.runtime.deadlines import OVERSLEPT_S, Deadlines
from tests.support.campaigns import Play, small_plan, small_pool

POOL = small_pool(24)


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


def test_an_answer_gives_those_behind_it_in_the_queue_of_its_recipient_the_whole_time_again() -> None:
    plan = small_plan(POOL, recipients=("a", "b"), parallel=6, budget=6, ordering=Ordering.AS_COMPLETED)
    play = Play(POOL, plan)
    play.settle()
    of_a = [each for each in play.awaited if each.recipient == "a"]
    of_b = [each for each in play.awaited if each.recipient == "b"]
    early, answered, late = of_a
    deadlines = Deadlines(10.0)
    deadlines.start([early.attempt_id], now=0.0)
    deadlines.start([answered.attempt_id, *(each.attempt_id for each in of_b)], now=1.0)
    deadlines.start([late.attempt_id], now=2.0)
    play.answer(answered)
    before = len(play.journal)
    deadlines.move_up(play.campaign, play.journal, now=9.0)
    deadlines.keep_only(play.campaign.in_flight)
    assert deadlines.pop_due(10.0) == [early.attempt_id], "it was asked for before: nobody knows what became of it"
    assert set(deadlines.pop_due(11.0)) == {each.attempt_id for each in of_b}
    assert deadlines.pop_due(18.9) == []
    assert deadlines.pop_due(19.0) == [late.attempt_id]
    play.answer(answered)
    deadlines.start([late.attempt_id], now=20.0)
    deadlines.move_up(play.campaign, play.journal[before:], now=29.0)
    assert deadlines.pop_due(30.0) == [late.attempt_id], "a repeated answer moves nothing"


def test_what_was_asked_for_in_the_same_moment_stands_behind_too_and_so_does_all_behind_one_that_came_late() -> None:
    play = Play(POOL, small_plan(POOL, recipients=("a",), parallel=3, budget=3, ordering=Ordering.AS_COMPLETED))
    play.settle()
    first, second, third = (each.attempt_id for each in play.awaited)
    deadlines = Deadlines(10.0)
    deadlines.start([first, second, third], now=0.0)
    play.answer(play.campaign.attempts[third])
    deadlines.move_up(play.campaign, play.journal, now=9.0)
    deadlines.keep_only(play.campaign.in_flight)
    assert deadlines.pop_due(18.9) == []
    assert set(deadlines.pop_due(19.0)) == {first, second}
    deadlines.start([second], now=20.0)
    play.answer(play.campaign.attempts[first])
    deadlines.move_up(play.campaign, play.journal[-3:], now=29.0)
    assert deadlines.pop_due(38.9) == []


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
