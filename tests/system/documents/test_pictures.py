"""The pictures of the tutorials are of the kind that their commands make today, but for figures and times in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.browser.viewer import chromium
from tests.support.documents.pictures import (
    FIGURE,
    FOLDER,
    SCREENS,
    TOLERANCE,
    difference,
    make_figure,
    make_screens,
)

pytestmark = pytest.mark.system

AGAIN = "run `python -m tests.support.documents.pictures`, look at what it makes, and commit it"


def test_figure_and_page_look_as_they_are_shown(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    make_figure(tmp_path, made / FIGURE)
    assert difference(made / FIGURE, FOLDER / FIGURE) < TOLERANCE, AGAIN
    make_screens(tmp_path, made, chromium())
    for name in SCREENS:
        assert difference(made / name, FOLDER / name) < TOLERANCE, f"{name}: {AGAIN}"


def test_another_picture_is_of_another_kind(tmp_path: Path) -> None:
    with Image.open(FOLDER / "page-campaign.png") as shown:
        dark = shown.convert("L").point(lambda level: 255 - level)
        dark.save(tmp_path / "dark.png")
        Image.new("L", shown.size, 255).save(tmp_path / "empty.png")
    assert difference(tmp_path / "dark.png", FOLDER / "page-campaign.png") > TOLERANCE
    assert difference(tmp_path / "empty.png", FOLDER / "page-campaign.png") > TOLERANCE
    assert difference(FOLDER / FIGURE, FOLDER / "page-campaign.png") > TOLERANCE
