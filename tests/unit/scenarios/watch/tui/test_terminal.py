"""`watch --tui` refuses with a sentence where it cannot be shown."""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from pathlib import Path

import pytest

from protocols.errors import SettingsError, StoreError
from protocols.extras import ExtraMissingError
from scenarios.watch.serving.shelves import FolderShelf
from scenarios.watch.tui.app import WatchApp
from scenarios.watch.tui.runs_screen import RunsScreen
from scenarios.watch.tui.terminal import opened, require_terminal, watch_in_terminal
from scenarios.watch.watch import WatchRequest
from tests.support.samples.recorded_run import made
from tests.support.shown.terminals import Terminal


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)


def test_without_a_terminal_it_says_so(tmp_path: Path) -> None:
    folder = made(tmp_path).folder
    with pytest.raises(SettingsError) as error:
        watch_in_terminal(WatchRequest(run=str(folder), runs=tmp_path))
    assert "no terminal" in error.value.found
    assert "--json" in error.value.action


@pytest.mark.usefixtures("at_a_terminal")
def test_where_there_is_no_run_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as error:
        watch_in_terminal(WatchRequest(runs=tmp_path))
    assert "There is no run at" in error.value.found
    with pytest.raises(StoreError):
        watch_in_terminal(WatchRequest(run="none", runs=tmp_path))


def test_without_the_extra_it_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path).folder
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "textual" else known(name))
    with pytest.raises(ExtraMissingError) as error:
        watch_in_terminal(WatchRequest(run=str(folder), runs=tmp_path))
    assert "entropilot[tui]" in error.value.action


@pytest.mark.usefixtures("at_a_terminal")
def test_a_terminal_is_where_both_ends_are_one() -> None:
    require_terminal()


def test_a_run_that_is_only_looked_at_takes_no_order(tmp_path: Path) -> None:
    folder = made(tmp_path).folder
    shelf = FolderShelf(tmp_path, folder)
    (key,) = shelf.keys()
    source, give, why_not = opened(shelf, key, read_only=True)
    source.close()
    assert give is None
    assert "--read-only" in why_not
    source, give, why_not = opened(shelf, key, read_only=False)
    source.close()
    assert give is not None
    assert why_not == ""


async def test_a_person_chooses_among_runs_and_one_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    made(tmp_path / "one")
    (tmp_path / "two" / "summary.json").write_text("{}")
    shelf = FolderShelf(tmp_path)
    cards = [shelf.card(key) for key in list(shelf.keys())]
    app = WatchApp(partial(opened, shelf, read_only=True), None, cards)
    async with app.run_test(size=(80, 24)) as pilot:
        terminal = Terminal(app, pilot)
        await terminal.until(lambda: isinstance(app.screen, RunsScreen), "no list")
        await pilot.pause(0.1)
        whole = "\n".join(terminal.lines())
        assert "one" in whole
        assert "unreadable" in whole
        await terminal.press("enter")
        await terminal.until(lambda: terminal.shown() is not None, "it is not opened")
        await terminal.press("q")
    assert app.problem is None
    app = WatchApp(partial(opened, shelf, read_only=True), None, cards)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "enter")
        await pilot.pause(0.1)
    assert app.problem is not None
