"""An event is one block of lines, whatever strangers have written into it."""

from __future__ import annotations

from scenarios.watch.serving.event_text import event_text
from scenarios.watch.serving.told import StreamEnd


def test_line_ends_and_half_characters_of_strangers_stay_in_their_line() -> None:
    text = event_text("bye", StreamEnd(why="a\r\nevent: points\n\ndata: {}\u2028"), 7)
    assert text.startswith(b"id: 7\nevent: bye\ndata: {")
    assert text.endswith(b"}\n\n")
    assert text.count(b"\n") == 4
    assert event_text("bye", StreamEnd(why="")).startswith(b"event: bye\n")
