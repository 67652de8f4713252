"""What a table was read with is told in a few lines, however much there is to tell."""

from __future__ import annotations

from protocols.tables.account import AccountEntry, Handling
from scenarios.cli.settings import READING_LINES, told_in_short


def entries(count: int) -> tuple[AccountEntry, ...]:
    return tuple(AccountEntry(handling=Handling.FOLDED, reason=f"reason {n}", count=n + 1) for n in range(count))


def test_every_entry_is_a_line_while_they_fit() -> None:
    assert list(told_in_short(())) == []
    assert list(told_in_short(entries(2))) == ["1 folded: reason 0.", "2 folded: reason 1."]
    assert len(list(told_in_short(entries(READING_LINES)))) == READING_LINES


def test_those_beyond_are_counted() -> None:
    *lines, last = told_in_short(entries(READING_LINES + 3))
    assert lines == [str(each) for each in entries(READING_LINES)]
    assert last.startswith("… and 3 more")
