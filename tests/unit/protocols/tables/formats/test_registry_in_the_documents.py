"""The documents have a table of all kinds of files and of all formats of structures: neither side has one alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from protocols.extras import EXTRA_OF
from protocols.structures.formats import STRUCTURE_FORMATS
from protocols.tables.formats.packing import PACKINGS
from protocols.tables.formats.registry import FILE_FORMATS, FOLDER
from tests.support.documents.markdown import ROOT

TEXT = (ROOT / "docs/reference/tables.md").read_text(encoding="utf-8")
KINDS, STRUCTURES = "kind", "format"


def rows(first: str) -> Iterator[dict[str, str]]:
    """The rows of the table whose first column is called so."""
    lines = TEXT.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {first} |"))
    names = cells(lines[start])
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return
        yield dict(zip(names, cells(line), strict=True))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def code_in(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def test_every_kind_of_file_is_documented_as_it_is_read() -> None:
    documented = [
        (row["kind"], code_in(row["ending"]), row["packed"] == "yes", "".join(code_in(row["extra"])))
        for row in rows(KINDS)
    ]
    assert documented == [(each.name, each.endings, each.is_packed, each.extra) for each in (*FILE_FORMATS, FOLDER)]


def test_every_kind_says_what_is_taken_of_it() -> None:
    said = ("what is taken", "ids and families", "units")
    assert [(row["kind"], name) for row in rows(KINDS) for name in said if not row[name]] == []


def test_every_packing_is_documented_with_its_extra() -> None:
    (sentence,) = re.findall(r"^Packed are files with .*?:", TEXT, re.MULTILINE | re.DOTALL)
    extra = EXTRA_OF["zstandard"]
    assert set(code_in(sentence)) == {*PACKINGS, extra}
    assert f"`.zst` (extra `{extra}`)" in sentence


def test_every_format_of_structures_is_documented() -> None:
    assert [row["format"] for row in rows(STRUCTURES)] == list(STRUCTURE_FORMATS)
