"""Each tutorial does what it says: files are saved, commands typed, Python run, and what it shows is printed."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.support.commands import free_port
from tests.support.documents.markdown import Document
from tests.support.documents.transcript import difference
from tests.support.documents.tutorial import Reader, tutorials
from tests.support.lab_brokers.mosquitto import require_mosquitto

pytestmark = pytest.mark.system

TUTORIALS: Final = tutorials()

PORTS: Final = ("8883", "1883", "8321")
"""Ports that the tutorials name, in whose place a test takes free ones."""


def test_there_are_eight_and_each_ends_with_a_check() -> None:
    assert [each.path.name[0] for each in TUTORIALS] == list("12345678")
    assert all("**Check:**" in each.text and "## What you have seen" in each.text for each in TUTORIALS)


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda each: each.path.stem)
def test_what_a_tutorial_says_comes_true(tutorial: Document, tmp_path: Path) -> None:
    _require_programs(tutorial)
    instead = {port: str(free_port()) for port in PORTS}
    if os.getuid() == 0:  # Mosquitto becomes another user then, who cannot read the keys; the lesson says so
        instead["acl_file lab/access.acl"] = "acl_file lab/access.acl\nuser root"
    with Reader(tmp_path, instead) as reader:
        reader.follow(tutorial)


def _require_programs(tutorial: Document) -> None:
    if "mosquitto" in tutorial.text:
        require_mosquitto()
    if "openssl" in tutorial.text and shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")


def test_a_line_that_was_not_printed_is_found() -> None:
    printed = ["the same: 20 decisions", " mean gap   0.623   0.070", "in 2.3 s"]
    assert not difference(["the same: 20 decisions", "mean gap 0.623 0.091", "in 17 s"], printed)
    assert not difference(["…", "mean gap …", "…"], printed)
    assert difference(["the same: 19 decisions", "…"], printed) == "'the same: 19 decisions' was not printed there"
    assert difference(["the same: 20 decisions"], printed) == "more was printed than is shown"
    assert difference(["…", "in 2 s", "mean gap …"], printed)


def test_no_tutorial_is_shown_as_run_that_is_not() -> None:
    for each in TUTORIALS:
        shown = [
            block.info
            for block in each.blocks()
            if not re.match(r"sh|console|python|output|toml|csv|bash|text", block.info)
        ]
        assert not shown, f"{each.name}: nobody knows what is done with {shown}"


def test_a_line_of_progress_is_no_part_of_what_a_tutorial_shows() -> None:
    assert difference(["sound"], ["checking 4/17, 2 s", "sound"]) == ""
    assert difference(["sound"], ["4 of 17 seconds", "sound"]) != ""
