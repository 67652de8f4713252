"""`watch --tui` refuses with a sentence where it cannot be shown."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from protocols.errors import SettingsError, StoreError
from protocols.extras import ExtraMissingError
from scenarios.watch.tui.terminal import require_terminal, watch_in_terminal
from tests.support.samples.recorded_run import made


def test_without_a_terminal_it_says_so(tmp_path: Path) -> None:
    folder = made(tmp_path).folder
    with pytest.raises(SettingsError) as error:
        watch_in_terminal(str(folder), tmp_path)
    assert "no terminal" in error.value.found
    assert "--json" in error.value.action


def test_where_there_is_no_run_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as error:
        watch_in_terminal(None, tmp_path)
    assert "There is no run below" in error.value.found
    with pytest.raises(StoreError):
        watch_in_terminal("none", tmp_path)


def test_without_the_extra_it_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path).folder
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "textual" else known(name))
    with pytest.raises(ExtraMissingError) as error:
        watch_in_terminal(str(folder), tmp_path)
    assert "entropilot[tui]" in error.value.action


def test_a_terminal_is_where_both_ends_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    require_terminal()
