"""A command in a fork is the command: it says and does what it does when Python is started for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.commands import Workbench
from tests.support.forked.command import Forked, can_be_forked

pytestmark = pytest.mark.system


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with Workbench(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("run", "--help"),
        ("nonsense",),
        ("run", "nosuch"),
        ("run", "lab.toml", "--policy", "nosuch"),
        ("list",),
    ],
    ids=" ".join,
)
def test_a_fork_says_what_a_fresh_process_says(arguments: tuple[str, ...], bench: Workbench) -> None:
    fresh = bench.entropilot(*arguments, fresh=True)
    forked = bench.entropilot(*arguments)
    assert isinstance(bench.parts[-1].process, Forked)
    assert forked == fresh


def test_a_fork_has_the_folder_and_the_variables_that_it_was_given(bench: Workbench) -> None:
    ended = bench.entropilot("run", "lab.toml", "--quiet", env={"ENTROPILOT_CAMPAIGN__BUDGET": "3"})
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert bench.summary()["spent"] == 3


def test_a_fork_hears_its_signals_and_they_are_its_end(bench: Workbench) -> None:
    bench.start_broker("embedded")
    assert bench.parts[-1].end().code == 0
    bench.start_broker("embedded")
    killed = bench.parts[-1].process
    assert killed.poll() is None
    killed.kill()
    assert killed.wait(60) == -signal.SIGKILL


def test_a_fork_that_is_left_is_found_and_the_process_that_forks_is_not(tmp_path: Path) -> None:
    before = processes.ours()
    with Workbench(tmp_path) as bench:
        bench.start_broker("embedded")
        assert bench.parts[-1].process.pid in {each.pid for each in processes.ours() - before}
    assert processes.ours() <= before


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONIOENCODING", "LD_PRELOAD"])
def test_what_acts_when_python_starts_asks_for_a_start(name: str) -> None:
    assert not can_be_forked("entropilot", {"HOME": "/", name: ""})
    assert can_be_forked("entropilot", {"HOME": "/", "ENTROPILOT_BROKER": ""})
