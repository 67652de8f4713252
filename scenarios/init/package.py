"""Writes a small package that brings a policy, an evaluator or a reader: it installs, and its tests pass, as it is."""

from __future__ import annotations

import importlib.util
import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.acquisition.built_in import BUILT_IN
from protocols.errors import SettingsError, StoreError
from protocols.settings.plug_ins import GROUPS
from protocols.storage.atomic_file import atomic_write

TEMPLATES: Final = Path(__file__).parent / "templates"

NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""What such a package may be called: a module of Python, short enough for a table's column."""

TRY: Final = {
    "policy": "entropilot run oracle_table --policy @ENTRY@ --budget 10",
    "evaluator": 'entropilot list   # shows it; a scenario names it: [simulator] evaluator = "@ENTRY@"',
    "reader": "entropilot init scenario values.@ENTRY@   # a table of yours",
}
"""What to type when it is installed."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was written.

    Attributes:
        folder: Of its pyproject.toml.
        files: What is in it.
        entry: Name of the plug-in.
    """

    folder: Path
    files: tuple[Path, ...]
    entry: str


def write_package(kind: str, name: str, out: Path | None = None) -> Package:
    """Write a package.

    Args:
        kind: policy, evaluator or reader.
        name: Of the package, its module and the plug-in.
        out: Folder that is made for it; by default one of its name.

    Raises:
        SettingsError: When the name is none, or hides another one.
        StoreError: When the folder is there already.
    """
    _require_name(name)
    folder = Path(name) if out is None else out
    if folder.exists():
        raise StoreError(f"{folder} is there already", expected="a new folder", action="choose another name, or --out")
    words = {
        "@DIST@": name.replace("_", "-"), "@MODULE@": name, "@KIND@": kind, "@KINDS@": GROUPS[kind].partition(".")[2],
        "@ENTRY@": name, "@CLASS@": "".join(map(str.capitalize, name.split("_"))),
    }  # fmt: skip
    place_of = words | ({"@CLASS@": name} if kind == "reader" else {})  # an entry point of a reader is its FileFormat
    parts = {
        "pyproject.toml": _filled("pyproject.toml", place_of),
        "README.md": _filled("README.md", {"@TRY@": TRY[kind]} | words),
        f"{name}/__init__.py": f'"""A {kind} for Entropilot."""\n',
        f"{name}/{kind}.py": _filled(f"{kind}.py", words),
        f"tests/test_{kind}.py": _filled(f"{kind}_test.py", words),
    }
    for path, text in parts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(folder / path) as file:
            file.write(text.encode())
    return Package(folder, tuple(folder / path for path in parts), name)


def _filled(template: str, words: dict[str, str]) -> str:
    text = (TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text


def _require_name(name: str) -> None:
    if NAME_PATTERN.fullmatch(name) is None or keyword.iskeyword(name):
        raise SettingsError(
            f"{name!r} is no name of a package",
            expected="small letters, digits and _, such as nearest_first",
            action="choose another one",
        )
    if name in BUILT_IN or importlib.util.find_spec(name) is not None:
        what = "a policy of ours" if name in BUILT_IN else "a module that is installed here"
        raise SettingsError(f"{name!r} is {what}", expected="a name that nothing else has", action="choose another one")
