"""A person at a terminal is asked what a table's columns mean, and what they answer stands in the scenario."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from protocols.tables.columns import TableColumns
from scenarios.sources.scenario import Overrides, load_scenario
from tests.support.commands import clean_environment

pytestmark = pytest.mark.system

PATIENCE_S = 60.0
"""Longest time until a question stands there, or the command ends."""

RNG = np.random.default_rng(8)


class Dialogue:
    """`entropilot init scenario` on a terminal of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self._command = subprocess.Popen(
            [sys.executable, "-m", "entropilot", "init", "scenario", *words],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True,
            env=clean_environment() | {"TERM": "xterm-256color", "COLUMNS": "150"},
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""
        self._answered = 0

    def answer(self, question: str, keys: str = "") -> None:
        """Wait for a question, and type."""
        self._read(lambda: question in self.shown[self._answered :])
        self._answered = len(self.shown)
        os.write(self._ours, f"{keys}\r".encode())

    def end(self) -> int:
        """Wait for the end; return the exit code."""
        self._read(lambda: False)
        code = self._command.wait(PATIENCE_S)
        os.close(self._ours)
        return code

    def leave(self) -> int:
        """Leave the terminal; return the exit code."""
        self._command.send_signal(signal.SIGINT)
        return self.end()

    def _read(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < until, f"it is not there:\n{self.shown}"
            if not select.select([self._ours], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(self._ours, 65536)
            except OSError:  # Linux's way to say that nobody holds the other end
                return
            if not piece:
                return
            self.shown += piece.decode(errors="replace")


def written(folder: Path, **more: Any) -> Path:
    """Write a table; return where its scenario will be."""
    columns: dict[str, Any] = {
        "sample": [f"s{n}" for n in range(40)], "kind": ["a", "b"] * 20, "colour": ["red", "blue"] * 20,
        "x": RNG.normal(size=40), "hardness": RNG.normal(size=40),
    }  # fmt: skip
    pd.DataFrame(columns | more).to_csv(folder / "alloys.csv", index=False)
    return folder / "alloys.toml"


def columns_of(scenario: Path) -> TableColumns:
    columns = load_scenario(str(scenario), Overrides(), {}).settings.pool.columns
    assert columns is not None
    return columns


def test_who_presses_enter_takes_what_is_assumed(tmp_path: Path) -> None:
    scenario = written(tmp_path)
    person = Dialogue(tmp_path, "alloys.csv")
    person.answer("Which column is the property? (could be: hardness) [hardness]")
    person.answer("Its unit? (- for none) [GPa]")
    person.answer("Which column is the family? [kind]")
    person.answer("Which column names a row? [sample]")
    assert person.end() == 0, person.shown
    columns = columns_of(scenario)
    assert (columns.property, columns.unit, columns.family, columns.id) == ("hardness", "GPa", "kind", "sample")
    assert "Correct it where it is wrong" in person.shown


def test_what_a_person_answers_stands_and_a_slip_is_asked_again(tmp_path: Path) -> None:
    scenario = written(tmp_path)
    person = Dialogue(tmp_path, "alloys.csv")
    person.answer("Which column is the property?", "hardnes")
    person.answer("There is no column 'hardnes'. did you mean 'hardness'?")
    person.answer("Its unit?", "-")
    person.answer("Which column is the family?", "colour")
    person.answer("Which column names a row?")
    assert person.end() == 0, person.shown
    columns = columns_of(scenario)
    assert (columns.property, columns.unit, columns.family) == ("hardness", "", "colour")


def test_where_empty_cells_and_names_disagree_a_person_is_asked_and_not_refused(tmp_path: Path) -> None:
    scenario = written(tmp_path, wear=np.where(np.arange(40) < 12, RNG.normal(size=40), np.nan))
    person = Dialogue(tmp_path, "alloys.csv", "--family", "kind", "--id", "sample")
    person.answer("Which column is the property? (could be: hardness, wear) [hardness]", "wear")
    person.answer("Its unit?", "mg")
    assert person.end() == 0, person.shown
    columns = columns_of(scenario)
    assert (columns.property, columns.unit, columns.on_missing) == ("wear", "mg", "unknown")


def test_who_leaves_has_no_scenario(tmp_path: Path) -> None:
    scenario = written(tmp_path)
    person = Dialogue(tmp_path, "alloys.csv")
    person.answer("Which column is the property?")
    assert person.leave() == 130, person.shown
    assert not scenario.exists()
    assert "error" not in person.shown


def test_nobody_is_asked_who_says_so(tmp_path: Path) -> None:
    scenario = written(tmp_path)
    person = Dialogue(tmp_path, "alloys.csv", "--yes")
    assert person.end() == 0, person.shown
    assert scenario.exists()
    assert "Which column" not in person.shown
