"""Each figure's meaning is told on a terminal of any width, whole."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from scenarios.display.meanings import meanings_table
from tests.support.documents.meanings import SOURCE


@pytest.mark.parametrize("width", [60, 80, 200])
def test_every_section_of_the_document_is_told_whole(width: int) -> None:
    out = StringIO()
    Console(file=out, width=width, no_color=True).print(meanings_table())
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    titles = re.findall(r"^## (.+)$", SOURCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(titles) > 10
    words = out.getvalue().split()
    assert all(word in words for title in titles for word in title.split())
    assert "…" not in out.getvalue()
