"""The planted bugs: read from `bugs.toml`, put into a copy of the tree, looked for by one of the suite's checks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.processes import started

ROOT: Final = Path(__file__).parents[2]

CATALOGUE: Final = Path(__file__).with_name("bugs.toml")

COPIED: Final = ("agent", "entropilot", "protocols", "scenarios", "simulators", "tests", "pyproject.toml", "README.md")

CHECK_TIMEOUT_S: Final = 420.0
"""A check that runs longer hangs: also a way to find a bug. Nothing that it started outlives it."""


@cache
def _catalogue() -> dict[str, Any]:
    return tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))


CHECKS: Final[dict[str, list[str]]] = _catalogue()["checks"]
"""Name -> the arguments of Python that run it, in the root of a tree."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of text that stands exactly once in a file, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """One deliberate bug and the check that must find it."""

    name: str
    about: str
    check: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check said of a tree."""

    caught: bool
    seconds: float
    words: str
    tail: str


def load_bugs() -> list[Bug]:
    """Return the bugs in the order of the catalogue."""
    return [
        Bug(row["name"], row["about"], row["check"], tuple(Edit(**edit) for edit in row["edits"]))
        for row in _catalogue()["bug"]
    ]


def copy_tree(target: Path) -> Path:
    """Copy what a check needs, without caches."""
    target.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / name)
    return target


def plant(bug: Bug, tree: Path) -> None:
    """Make a bug's edits in a copy of the tree."""
    for edit in bug.edits:
        path = tree / edit.file
        path.write_text(edited(edit, path.read_text(encoding="utf-8")), encoding="utf-8")


def edited(edit: Edit, text: str) -> str:
    """Return a file's text with an edit made.

    Raises:
        ValueError: When the old text does not stand there exactly once: the code has moved on, and the bug with it.
    """
    found = text.count(edit.old)
    if found != 1:
        message = f"{edit.file}: the text to change stands there {found} times, not once: {edit.old[:80]!r}"
        raise ValueError(message)
    return text.replace(edit.old, edit.new)


def run_check(check: str, tree: Path) -> Finding:
    """Run a check in a tree; it finds something when it does not pass."""
    began = time.monotonic()
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "160"}
    try:
        with started(
            [sys.executable, *CHECKS[check]],
            cwd=tree,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            said, _ = process.communicate(timeout=CHECK_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return Finding(caught=True, seconds=time.monotonic() - began, words="it hangs", tail="")
    output = said.strip().splitlines()
    return Finding(process.returncode != 0, time.monotonic() - began, _words(output), "\n".join(output[-30:]))


def _words(output: list[str]) -> str:
    """Return the line that says best what was found."""
    telling = [line.strip() for line in output if line.startswith(("E   ", "FAILED ", "violation", "  violation"))]
    return (telling or [line.strip() for line in output[-1:]] or [""])[0][:150]
