from __future__ import annotations

import re
from pathlib import Path

import pytest

from protocols.wire.limits import MAX_SERVED
from simulators.crystals.catalogue import CRYSTAL_PROPERTIES, units_at_hand

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "crystal-properties.md"


def rows() -> dict[str, list[str]]:
    """The rows of the table of the page, by each name that they start with."""
    found: dict[str, list[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`(\w+)`", cells[0]) if len(cells) == 6 else ():
            found[name] = cells
    return found


def test_every_property_is_announced_and_all_fit_a_message() -> None:
    assert set(units_at_hand()) <= set(CRYSTAL_PROPERTIES)
    assert len(CRYSTAL_PROPERTIES) <= MAX_SERVED


@pytest.mark.parametrize("name", CRYSTAL_PROPERTIES)
def test_the_page_says_of_a_property_what_the_code_says(name: str) -> None:
    told, each = rows(), CRYSTAL_PROPERTIES[name]
    shown = told["elastic_c11"] if name.startswith("elastic_c") else told[name]
    assert shown[1] == (each.unit or "1")
    assert shown[2] == each.method
    assert shown[3] == ", ".join(each.needs)
    assert shown[4] == each.source
