"""Progress that is shown only where something takes its time."""

from __future__ import annotations

import math

from scenarios.display.progress import late


def test_what_is_quick_shows_nothing_and_what_takes_longer_is_shown() -> None:
    shown: list[tuple[str, int, int]] = []

    def progress(what: str, done: int, total: int) -> None:
        shown.append((what, done, total))

    late(progress, after_s=math.inf)("quick", 1, 2)
    late(progress, after_s=0.0)("slow", 1, 2)
    assert shown == [("slow", 1, 2)]
