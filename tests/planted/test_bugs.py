"""Every planted bug can still be planted, and is one: the tree without it is another."""

from __future__ import annotations

import pytest

from tests.planted.bugs import CHECKS, ROOT, Bug, Edit, edited, load_bugs

BUGS = load_bugs()
FEWEST = 20
"""How many the project promises."""


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_can_be_planted_and_its_check_exists(bug: Bug) -> None:
    assert bug.check in CHECKS
    assert bug.edits
    texts: dict[str, str] = {}
    for edit in bug.edits:
        before = texts.get(edit.file) or (ROOT / edit.file).read_text(encoding="utf-8")
        texts[edit.file] = edited(edit, before)
        assert texts[edit.file] != before
        compile(texts[edit.file], edit.file, "exec")


def test_there_are_enough_and_no_two_have_one_name() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= FEWEST


@pytest.mark.parametrize("text", ["", "aa aa"])
def test_an_edit_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not once"):
        edited(Edit("x.py", "aa", "bb"), text)
