"""Progress that is shown only where something takes its time."""

from __future__ import annotations

import math

from scenarios.display.progress import LINE_EVERY_S, QUICK_S, NowAndThen, late, lines_now_and_then


def test_what_is_quick_shows_nothing_and_what_takes_longer_is_shown() -> None:
    shown: list[tuple[str, int, int]] = []

    def progress(what: str, done: int, total: int) -> None:
        shown.append((what, done, total))

    late(progress, after_s=math.inf)("quick", 1, 2)
    late(progress, after_s=0.0)("slow", 1, 2)
    assert shown == [("slow", 1, 2)]


def test_a_log_gets_a_line_after_two_seconds_and_then_every_ten() -> None:
    now = 100.0
    lines: list[str] = []
    progress = lines_now_and_then(lines.append, NowAndThen(lambda: now))
    for second in range(35):
        now = 100.0 + second
        progress("campaigns", second, 1_000)
    assert lines == [f"campaigns {at}/1,000, {at} s" for at in (2, 12, 22, 32)]
    assert (QUICK_S, LINE_EVERY_S) == (2.0, 10.0)


def test_what_ends_within_two_seconds_leaves_no_line() -> None:
    lines: list[str] = []
    progress = lines_now_and_then(lines.append)
    for done in range(100):
        progress("campaigns", done, 100)
    assert lines == []
