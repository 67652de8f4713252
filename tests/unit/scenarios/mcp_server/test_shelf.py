from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from protocols.errors import StoreError
from scenarios.mcp_server import shelf as shelves
from scenarios.mcp_server.shelf import RunsShelf
from scenarios.watch.reading.find import find_run
from tests.support.samples.folders import contents
from tests.support.strangers.strange_campaign import make_strange_campaign


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    first = make_strange_campaign(tmp_path_factory.mktemp("shelf") / "runs" / "one", told=1)
    shutil.copytree(first, first.with_name("two"))
    return first.parent


def test_a_run_is_named_by_its_key_and_never_by_a_path(runs: Path) -> None:
    shelf = RunsShelf(runs)
    assert [each.key for each in shelf.cards()] == ["one", "two"]
    with shelf.opened("two") as source:
        assert source.key == "two"
    assert shelf.reached("one").folder == (runs / "one").resolve()
    for key in ("../runs/one", str(runs / "one"), "one/", "three"):
        with pytest.raises(StoreError, match="There is no run"), shelf.opened(key):
            pass
    with pytest.raises(StoreError, match="there are several"):
        shelf.reached("")
    shelf.close()


def test_one_run_alone_needs_no_name_and_hides_the_others(runs: Path) -> None:
    shelf = RunsShelf(runs, find_run("one", runs))
    with shelf.opened("") as source:
        assert source.key == "one"
    with pytest.raises(StoreError, match="There is no run 'two'"):
        shelf.reached("two")
    shelf.close()


def test_few_runs_are_held_open_and_none_is_changed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelves, "MAX_OPEN", 1)
    before = contents(runs / "one")
    shelf = RunsShelf(runs)
    for key in ("one", "two", "one"):
        with shelf.opened(key) as source:
            assert source.version() > 0
    assert list(shelf._open) == ["one"]
    shelf.close()
    assert contents(runs / "one") == before
