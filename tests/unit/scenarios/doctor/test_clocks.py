"""Clocks are compared by what came fresh, and by what was kept only where it comes from tomorrow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scenarios.doctor.checks import Verdict
from scenarios.doctor.clocks import TOLERATED, Heard, differences, judge_clocks

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def heard(sender: str, ahead_s: float, *, retained: bool = False) -> Heard:
    return Heard(sender, NOW + timedelta(seconds=ahead_s), NOW, retained)


def test_of_several_messages_the_one_that_was_least_delayed_counts() -> None:
    told = differences([heard("furnace", -9.0), heard("furnace", -0.1), heard("furnace", -3.0)])
    assert told == {"furnace": timedelta(seconds=-0.1)}


def test_an_old_message_says_nothing_but_where_it_comes_from_tomorrow() -> None:
    kept = [heard("furnace", -86_400.0, retained=True), heard("press", 3_600.0, retained=True)]
    assert differences(kept) == {"press": timedelta(hours=1)}


def test_a_clock_that_is_off_is_named_with_its_direction_and_others_are_right() -> None:
    assert [each.verdict for each in judge_clocks([])] == [Verdict.PASS]
    assert [each.verdict for each in judge_clocks([heard("furnace", TOLERATED.total_seconds())])] == [Verdict.PASS]
    ahead, behind = judge_clocks([heard("a", 5.0), heard("b", -7.5), heard("c", 0.0)])
    assert (ahead.subject, ahead.verdict, "5.0 s ahead of ours" in ahead.found) == ("a", Verdict.WARN, True)
    assert (behind.subject, "7.5 s behind ours" in behind.found) == ("b", True)
