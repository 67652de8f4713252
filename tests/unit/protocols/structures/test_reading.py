"""What a library says is repeated in a line of bounded length."""

from __future__ import annotations

import pytest

from protocols.structures.reading import MAX_SAID, said_by


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no  such\n symbol"), "no such symbol"),
        (KeyError(), "KeyError"),
        (ValueError(" \n"), "ValueError"),
        (ValueError("x" * (MAX_SAID + 1)), "x" * MAX_SAID),
    ],
    ids=["several lines", "no words", "blanks", "too long"],
)
def test_an_error_is_told_in_one_line(error: Exception, said: str) -> None:
    assert said_by(error) == said
